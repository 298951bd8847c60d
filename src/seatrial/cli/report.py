"""`seatrial report` and `seatrial kernels`: what the journal knows, told."""

from __future__ import annotations

from dataclasses import asdict

from seatrial.cli.options import Database, Json, Rollout, console, journal, print_json
from seatrial.engine.controller import state_of
from seatrial.errors import InputError
from seatrial.kernels.remembered import remembered
from seatrial.model.event import Kind
from seatrial.model.text import safe
from seatrial.report.document import markdown
from seatrial.report.narrate import narrate


def report(rollout: Rollout = None, /, *, database: Database = None, json: Json = False) -> int:
    """Time line and report of ROLLOUT as Markdown (or its events and lines as JSON), from the journal alone."""
    store = journal(database)
    known = store.rollouts()
    name = rollout or (known[-1] if known else "")
    if not name:
        raise InputError("there is no rollout yet", hint="start one with: seatrial rollout start KERNEL")
    state_of(store, name)
    events = store.read(name)
    if json:
        print_json(
            {
                "rollout": name,
                "lines": [asdict(line) for line in narrate(events, rollout=name)],
                "events": events,
            }
        )
    else:
        print(markdown(events, rollout=name), end="")
    return 0


def kernels(*, database: Database = None, json: Json = False) -> int:
    """Which kernels are known to be good or bad, for which role, and from which trial."""
    store = journal(database)
    verdicts = remembered(store.read(kinds=(Kind.ROLLOUT_STARTED, Kind.TRIAL_MOVED)))
    if json:
        print_json({"kernels": [asdict(verdict) for verdict in verdicts.values()]})
        return 0
    if not verdicts:
        print("no trial has ended yet")
    for verdict in verdicts.values():
        word = "[green]good[/]" if verdict.good else "[bold red]BAD [/]"
        console().print(
            f"{word} {safe(verdict.kernel)} for role {verdict.role}   {verdict.rollout} {verdict.host}   "
            f"{verdict.at:%Y-%m-%d %H:%M} UTC   {safe(verdict.because)}",
            markup=True,
        )
    return 0
