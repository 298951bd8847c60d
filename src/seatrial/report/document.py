"""The report of one rollout, as Markdown, from its Events alone: what happened, why, when, and what to do next. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from seatrial.model.event import Event
from seatrial.model.fold import RolloutState, TrialState, fold
from seatrial.model.result import Outcome
from seatrial.model.text import duration, safe
from seatrial.model.trial import State
from seatrial.report.narrate import Line, narrate

_NEXT = {
    "blessed": "Nothing: the candidate is the default where it was blessed.",
    "reverted": "The candidate is remembered as bad for the roles of that host; read the diagnosis before another try.",
    "refused": "Mend what the refusal names and start again: nothing was changed.",
    "undone": "What had been prepared was taken back; mend what it names and start again.",
    "aborted": "A person stopped it; what was on trial runs its good kernel again.",
    "stuck": "A person is needed now: the host did not come to where anybody can be sure of it.",
}


def markdown(events: Sequence[Event], *, rollout: str, picture: str | None = None) -> str:
    """The whole report. `events` are those of the rollout, oldest first; `picture` is the file of its soak, if there is one."""
    state = fold(events, rollout=rollout)
    lines = narrate(events, rollout=rollout)
    parts = [
        f"# Rollout {rollout}: {_cell(state.candidate)}, {state.outcome or 'running'}",
        _summary(state),
        *(_diagnosis(trial) for trial in state.trials.values() if trial.diagnosis),
        *(_measured(trial) for trial in state.trials.values() if trial.verdict),
        f"![Good against candidate while on trial]({quote(picture)})" if picture else "",
        "## Hosts",
        _hosts(state),
        "## Time line (UTC)",
        _timeline(lines),
        "## What to do next",
        _NEXT.get(state.outcome, f"It goes on: `seatrial rollout status {rollout}`."),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def recovery(trial: TrialState, events: Sequence[Event]) -> tuple[float | None, float | None]:
    """Seconds from the first failing probe to the diagnosis, and to the proof that the good kernel carries again."""
    if trial.first_failure is None:
        return None, None
    named = next(
        (
            e.at
            for e in events
            if e.host == trial.host and e.kind == "diagnosis" and e.at >= trial.first_failure
        ),
        None,
    )
    proof = trial.rounds.get("proof")
    restored = proof.at if proof is not None and proof.outcome is Outcome.PASS else None
    return _between(trial.first_failure, named), _between(trial.first_failure, restored)


def _between(first: datetime, then: datetime | None) -> float | None:
    return None if then is None else (then - first).total_seconds()


def _summary(state: RolloutState) -> str:
    when = f"{state.started:%Y-%m-%d %H:%M:%S}" if state.started else "?"
    took = (
        f", {duration((state.ended - state.started).total_seconds())}"
        if state.ended and state.started
        else ""
    )
    said = f"Begun {when} UTC by {_cell(state.by)}{took}." + (
        f" Reason: {_cell(state.why)}." if state.why else ""
    )
    return said + (f"\n\n**{_cell(state.outcome)}**: {_cell(state.because)}" if state.ended else "")


def _diagnosis(trial: TrialState) -> str:
    notes = "".join(f"\n- {_cell(note)}" for note in trial.diagnosis.get("notes", ()))
    flows = trial.rounds.get("exercise") or trial.rounds.get("soak")
    rows = [
        f"| {_cell(result['check'])} | {_cell(result['outcome'])} | {_cell(result['because'])} |"
        for result in (flows.results if flows else ())
    ]
    table = (
        "\n\n| asked on the candidate | outcome | because |\n|---|---|---|\n" + "\n".join(rows)
        if rows
        else ""
    )
    return (
        f"## What failed on {_cell(trial.host)}\n\n{_cell(trial.diagnosis.get('because', ''))}{notes}{table}"
    )


def _measured(trial: TrialState) -> str:
    """What the last verdict of a soak said of each series: by how much, with its bounds, and how sure."""
    rows = [
        f"| {_cell(one['series'])} | {_cell(one['outcome'])} | {_times(one)} | {_cell(one['because'])} |"
        for one in trial.verdict.get("series", ())
    ]
    table = (
        "\n".join(("| series | outcome | times good | because |", "|---|---|---|---|", *rows)) if rows else ""
    )
    quiet = ", ".join(_cell(name) for name in trial.verdict.get("quiet", ()))
    told = (
        f"## What was measured on {_cell(trial.host)}",
        _cell(trial.verdict.get("because", "")),
        table,
        f"Nothing to see on either kernel: {quiet}." if quiet else "",
    )
    return "\n\n".join(part for part in told if part)


def _times(said: Mapping[str, Any]) -> str:
    """A ratio and its bounds; what has no bound has a dash."""
    if said.get("effect") is None:
        return "-"
    low, high = (f"{one:.3g}" if one is not None else "-" for one in said.get("interval") or (None, None))
    return f"{said['effect']:.3g} ({low} to {high})"


def _hosts(state: RolloutState) -> str:
    rows = ["| host | state | because |", "|---|---|---|"]
    for trial in state.trials.values():
        said = "not touched" if trial.state is State.PLANNED else str(trial.state)
        rows.append(f"| {_cell(trial.host)} | {said} | {_cell(trial.because)} |")
    return "\n".join(rows)


def _timeline(lines: Sequence[Line]) -> str:
    rows = []
    for line in lines:
        told = " ".join(part for part in (line.host, line.step) if part)
        mark = f" ({line.mark})" if line.mark else ""
        rows.append(f"* {line.at:%Y-%m-%d %H:%M:%S} - {_cell(told)}: {_cell(line.text)}{mark}")
        rows += [f"  * {_cell(detail)}" for detail in line.detail]
    return "\n".join(rows)


def _cell(text: object) -> str:
    """Text from anywhere inside Markdown: no control characters, no markup of its own."""
    shown = safe(text)
    for mark in "\\`*_|<>[]#":
        shown = shown.replace(mark, f"\\{mark}")
    return shown
