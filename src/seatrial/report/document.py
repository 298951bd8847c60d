"""The report of one rollout, from its Events alone: what happened, why, when, and what to do next. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from seatrial.model.event import Event, Kind
from seatrial.model.failover import fold_failover
from seatrial.model.fold import RolloutState, TrialState, fold
from seatrial.model.result import Outcome
from seatrial.model.text import duration
from seatrial.model.trial import State
from seatrial.report.blocks import Block, Figure, Heading, Items, Sentence, Shell, Table
from seatrial.report.failover import narrate_failover
from seatrial.report.narrate import Line, narrate

_NEXT = {
    "blessed": "Nothing: the candidate is the default where it was blessed.",
    "reverted": "The candidate is remembered as bad for the roles of that host; read the diagnosis before another try.",
    "refused": "Mend what the refusal names and start again: nothing was changed.",
    "undone": "What had been prepared was taken back; mend what it names and start again.",
    "aborted": "A person stopped it; what was on trial runs its good kernel again.",
    "stuck": "A person is needed now: the host did not come to where anybody can be sure of it.",
}


TOLD_OF_OTHERS = (Kind.ROLLOUT_STARTED, Kind.TRIAL_MOVED, Kind.ROLLOUT_ENDED)


def document(
    events: Sequence[Event], *, rollout: str, others: Sequence[Event] = (), figure: Figure | None = None
) -> list[Block]:
    """The whole report. `events` are those of the rollout, oldest first; `others` those of other rollouts in the journal.

    `figure` is the picture of its soak, if there is one.
    """
    state = fold(events, rollout=rollout)
    blocks: list[Block] = [
        Heading(text=f"Rollout {rollout}: {state.candidate}, {state.outcome or 'running'}", level=1),
        *_summary(state),
    ]
    for trial in state.trials.values():
        blocks += _diagnosis(trial) if trial.diagnosis else []
    for trial in state.trials.values():
        blocks += _measured(trial) if trial.verdict else []
    if figure is not None:
        blocks.append(figure)
    return [
        *blocks,
        *_besides(state, events, others),
        Heading(text="Hosts"),
        _hosts(state),
        Heading(text="Time line (UTC)"),
        timeline(narrate(events, rollout=rollout)),
        Heading(text="What to do next"),
        Sentence(text=_NEXT[state.outcome])
        if state.outcome in _NEXT
        else Shell(text="It goes on:", command=f"seatrial rollout status {rollout}"),
    ]


def moved(events: Sequence[Event], *, failover: str) -> list[Block]:
    """The report of a failover. `events` are those of it, oldest first."""
    state = fold_failover(events, failover=failover)
    began = f"{state.started:%Y-%m-%d %H:%M:%S}" if state.started else "?"
    way = f"from {state.origin or 'nobody'} to {state.to or 'any other'}"
    reason = f" Reason: {state.why}." if state.why else ""
    blocks: list[Block] = [
        Heading(text=f"Failover {failover} of {state.group}: {state.outcome or 'under way'}", level=1),
        Sentence(text=f"Begun {began} UTC by {state.by}, {way}, by {state.driver}.{reason}"),
    ]
    if state.ended:
        blocks.append(Sentence(text=state.because, strong=state.outcome))
    if state.end_hint:
        blocks.append(Sentence(text=state.end_hint, strong="hint"))
    lines = timeline(narrate_failover(events, failover=failover))
    return [*blocks, Heading(text="Time line (UTC)"), lines]


def spell(lines: Sequence[Line], *, since: datetime, until: datetime) -> list[Block]:
    """What the journal has of a spell of time, whichever rollouts and failovers it belongs to."""
    title = f"From {since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC"
    if not lines:
        return [Heading(text=title, level=1), Sentence(text="The journal has nothing of that time.")]
    return [Heading(text=title, level=1), Heading(text="Time line (UTC)"), timeline(lines)]


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


def _summary(state: RolloutState) -> list[Block]:
    when = f"{state.started:%Y-%m-%d %H:%M:%S}" if state.started else "?"
    took = (
        f", {duration((state.ended - state.started).total_seconds())}"
        if state.ended and state.started
        else ""
    )
    said = f"Begun {when} UTC by {state.by}{took}." + (f" Reason: {state.why}." if state.why else "")
    ending = [Sentence(text=state.because, strong=state.outcome)] if state.ended else []
    return [Sentence(text=said), *ending]


def _diagnosis(trial: TrialState) -> list[Block]:
    blocks: list[Block] = [
        Heading(text=f"What failed on {trial.host}"),
        Sentence(text=str(trial.diagnosis.get("because", ""))),
    ]
    if notes := [(str(note), ()) for note in trial.diagnosis.get("notes", ())]:
        blocks.append(Items(items=notes))
    flows = trial.rounds.get("exercise") or trial.rounds.get("soak")
    if flows and flows.results:
        rows = [[str(one["check"]), str(one["outcome"]), str(one["because"])] for one in flows.results]
        blocks.append(Table(heads=("asked on the candidate", "outcome", "because"), rows=rows))
    return blocks


def _measured(trial: TrialState) -> list[Block]:
    """What the last verdict of a soak said of each series: by how much, with its bounds, and how sure."""
    blocks: list[Block] = [
        Heading(text=f"What was measured on {trial.host}"),
        Sentence(text=str(trial.verdict.get("because", ""))),
    ]
    rows = [
        [str(one["series"]), str(one["outcome"]), _times(one), str(one["because"])]
        for one in trial.verdict.get("series", ())
    ]
    if rows:
        blocks.append(Table(heads=("series", "outcome", "times good", "because"), rows=rows))
    if quiet := ", ".join(str(name) for name in trial.verdict.get("quiet", ())):
        blocks.append(Sentence(text=f"Nothing to see on either kernel: {quiet}."))
    return blocks


def _times(said: Mapping[str, Any]) -> str:
    """A ratio and its bounds; what has no bound has a dash."""
    if said.get("effect") is None:
        return "-"
    low, high = (f"{one:.3g}" if one is not None else "-" for one in said.get("interval") or (None, None))
    return f"{said['effect']:.3g} ({low} to {high})"


def _besides(state: RolloutState, events: Sequence[Event], others: Sequence[Event]) -> list[Block]:
    """What else changed while the trials ran, which hid the cause once: on their hosts and peers, and by other rollouts."""
    looked = [(place, said) for trial in state.trials.values() for place, said in trial.changed.items()]
    rows = [
        f"{place}: {one.get('sentence', '')}" for place, said in looked for one in said.get("changes", ())
    ]
    rows += [f"{place}: not known, {said['unread']}" for place, said in looked if said.get("unread")]
    first, last = (events[0].at, events[-1].at) if events else (None, None)
    for other in others:
        if first and last and first <= other.at <= last and other.kind in TOLD_OF_OTHERS:
            told = other.data.get("candidate") or other.data.get("to") or other.data.get("outcome") or ""
            rows.append(f"{other.at:%H:%M:%S} rollout {other.rollout}: {other.host} {other.kind} {told}")
    if not rows and not looked:
        return []
    nothing = Sentence(text="Nothing that a snapshot shows, on the hosts of the trials and their peers.")
    return [
        Heading(text="Besides the kernel, this changed"),
        Items(items=[(row, ()) for row in rows]) if rows else nothing,
    ]


def _hosts(state: RolloutState) -> Table:
    rows = [
        [trial.host, "not touched" if trial.state is State.PLANNED else str(trial.state), trial.because]
        for trial in state.trials.values()
    ]
    return Table(heads=("host", "state", "because"), rows=rows)


def timeline(lines: Sequence[Line]) -> Items:
    """Lines of the story as incident reports have them, each with its moment."""
    items = []
    for line in lines:
        told = " ".join(part for part in (line.host, line.step) if part)
        mark = f" ({line.mark})" if line.mark else ""
        items.append((f"{line.at:%Y-%m-%d %H:%M:%S} - {told}: {line.text}{mark}", line.detail))
    return Items(items=items)
