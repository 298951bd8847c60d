"""`seatrial report` and `seatrial kernels`: what the journal knows, told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from seatrial.cli.drawn import HINT, PANELS, Panels, Plot, Theme, Width, draw, wanted
from seatrial.cli.options import Database, Json, Rollout, console, journal, print_json
from seatrial.engine.controller import state_of
from seatrial.errors import InputError
from seatrial.fleetfile import parse
from seatrial.kernels.remembered import remembered
from seatrial.model.event import Event, Kind
from seatrial.model.fold import RolloutState
from seatrial.model.text import safe
from seatrial.report.document import markdown
from seatrial.report.narrate import narrate

if TYPE_CHECKING:
    from seatrial.picture.values import Picture


def report(
    rollout: Rollout = None,
    /,
    *,
    plot: Plot = None,
    host: Annotated[
        str, Parameter(name="--host", help="whose soak is drawn [default: the last that was measured]")
    ] = "",
    panels: Panels = PANELS,
    width: Width = None,
    theme: Theme = "auto",
    database: Database = None,
    json: Json = False,
) -> int:
    """Time line and report of ROLLOUT as Markdown (or its events and lines as JSON), from the journal alone.

    --plot draws what a host's soak has measured, good against candidate, with what the trial went through.
    """
    if plot is not None:
        wanted(plot, panels=panels, width=width, as_json=json)
    elif host:
        raise InputError("--host says whose soak is drawn, and there is no --plot", hint=HINT)
    store = journal(database)
    known = store.rollouts()
    name = rollout or (known[-1] if known else "")
    if not name:
        raise InputError("there is no rollout yet", hint="start one with: seatrial rollout start KERNEL")
    state = state_of(store, name)
    events = store.read(name)
    picture = None if plot is None else soaked(events, state, host, panels)
    if json:
        print_json(
            {
                "rollout": name,
                "lines": [asdict(line) for line in narrate(events, rollout=name)],
                "events": events,
            }
        )
    else:
        print(markdown(events, rollout=name, picture=plot if plot != "-" else None), end="")
    if picture is not None and plot is not None:
        draw(picture, plot, width=width, theme=theme)
    return 0


def soaked(events: Sequence[Event], state: RolloutState, host: str, panels: int) -> Picture:
    """The picture of the soak of `host`, or of the last one that was measured. Raises InputError if there is none."""
    from seatrial.soak.trials import pictured

    fleet = parse(state.fleet, filename=f"fleet of {state.id}")
    measured = [
        trial for trial in state.trials.values() if trial.verdict and fleet.policy_of(trial.host).measure
    ]
    chosen = next((trial for trial in reversed(measured) if host in ("", trial.host)), None)
    measure = fleet.policy_of(chosen.host).measure if chosen else None
    picture = None
    if chosen is not None and measure is not None:
        picture = pictured(events, chosen, measure, most=panels)
    if picture is None or chosen is None:
        names = ", ".join(trial.host for trial in measured)
        raise InputError(
            f"nothing was measured on {host or 'any host'} in {state.id}",
            hint=f"there are: {names}" if names else "a policy's `measure` says what is (docs/soak.md)",
        )
    others = ", ".join(trial.host for trial in measured if trial is not chosen)
    more = f"Measured as well: {others} (--host)." if others else ""
    return replace(picture, left_out=" ".join(part for part in (picture.left_out, more) if part))


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
