"""Fold: Events in, the state of a rollout and of its trials out. It decides nothing.

Readers of the journal (the engine, status, report, the live view) all see a rollout through this one door, so they
cannot disagree. Kinds and keys that are not known here are passed over: a later version may have written them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from seatrial.model.event import Event, Kind
from seatrial.model.result import Outcome, worst
from seatrial.model.trial import FINAL, TRANSITIONS, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One round of Results in a trial's journal: `purpose` says what for."""

    purpose: str
    at: datetime
    outcome: Outcome
    because: str
    hint: str
    seconds: float
    results: tuple[Mapping[str, Any], ...]
    boot_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialState:
    """Where one host's Trial stands. `since` is when it came there; `intent` is an act begun and not ended.

    `tries` counts acts begun in this state, by act; `rounds` keeps the newest Results of each purpose; `facts` is
    what the moves so far wrote down (armed_boot_id, trial_boot_id, ...). `cause` is why it reverts, "" when it does not.
    `snapshots` are the facts of its host and peers before it, by place, `changed` what differed from them afterwards.
    `samples` are the stretches that a soak has measured, `verdict` what they meant when they were last looked at.
    `described` is what the host said of its hardware and of what it has loaded, {} when it was not asked; `suspects`
    are the patches to look at first, {} when that was not looked for.
    """

    host: str
    state: State = State.PLANNED
    since: datetime | None = None
    because: str = ""
    hint: str = ""
    intent: str = ""
    intent_at: datetime | None = None
    tries: Mapping[str, int] = field(default_factory=dict)
    problem: str = ""
    problem_hint: str = ""
    rounds: Mapping[str, Round] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    diagnosis: Mapping[str, Any] = field(default_factory=dict)
    first_failure: datetime | None = None
    cause: str = ""
    samples: tuple[Mapping[str, Any], ...] = ()
    verdict: Mapping[str, Any] = field(default_factory=dict)
    described: Mapping[str, Any] = field(default_factory=dict)
    suspects: Mapping[str, Any] = field(default_factory=dict)
    snapshots: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    changed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def loaded(self, arm: str) -> float:
        """Seconds under load that were measured of an arm, `good` or `candidate`."""
        return sum(float(one.get("loaded", 0.0)) for one in self.samples if one.get("arm") == arm)

    @property
    def over(self) -> bool:
        """Whether the trial has ended."""
        return self.state in FINAL


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutState:
    """Where a rollout stands. `trials` is in the order in which the hosts were declared."""

    id: str
    started: datetime | None = None
    by: str = ""
    why: str = ""
    candidate: str = ""
    fleet: str = ""
    trials: Mapping[str, TrialState] = field(default_factory=dict)
    paused: str = ""
    is_paused: bool = False
    abort: str = ""
    is_aborted: bool = False
    approved: frozenset[str] = frozenset()
    gates: frozenset[str] = frozenset()
    ended: datetime | None = None
    outcome: str = ""
    because: str = ""
    last: int = 0


def fold(events: Iterable[Event], *, rollout: str) -> RolloutState:
    """The state after `events`, which are those of one rollout, oldest first."""
    state = RolloutState(id=rollout)
    for event in events:
        state = advance(state, event)
    return state


def advance(state: RolloutState, event: Event) -> RolloutState:
    """The state after one more Event."""
    return replace(_apply(state, event), last=event.seq)


def _apply(state: RolloutState, event: Event) -> RolloutState:
    data = event.data
    match event.kind:
        case Kind.ROLLOUT_STARTED:
            return replace(
                state,
                started=event.at,
                by=event.by,
                why=str(data.get("why", "")),
                candidate=str(data["candidate"]),
                fleet=str(data.get("fleet", "")),
                trials={host: TrialState(host=host, since=event.at) for host in data["hosts"]},
            )
        case Kind.ROLLOUT_PAUSED:
            return replace(state, is_paused=True, paused=str(data.get("why", "")))
        case Kind.ROLLOUT_RESUMED:
            return replace(state, is_paused=False, paused="")
        case Kind.ROLLOUT_ABORTED:
            return replace(state, is_aborted=True, abort=str(data.get("why", "")), is_paused=False)
        case Kind.STAGE_APPROVED:
            return replace(state, approved=state.approved | {str(data["stage"])})
        case Kind.GATE_OPENED:
            return replace(state, gates=state.gates | {str(data["stage"])})
        case Kind.ROLLOUT_ENDED:
            return replace(
                state, ended=event.at, outcome=str(data["outcome"]), because=str(data.get("because", ""))
            )
    if event.host in state.trials:
        trial = _apply_to_trial(state.trials[event.host], event)
        return replace(state, trials={**state.trials, event.host: trial})
    return state


def _apply_to_trial(trial: TrialState, event: Event) -> TrialState:
    data = event.data
    match event.kind:
        case Kind.TRIAL_MOVED:
            return _moved(trial, event)
        case Kind.TRIAL_INTENT:
            act = str(data["act"])
            return replace(
                trial,
                intent=act,
                intent_at=event.at,
                tries={**trial.tries, act: trial.tries.get(act, 0) + 1},
                facts={**trial.facts, **data.get("facts", {})},
            )
        case Kind.TRIAL_ACTED:
            return replace(trial, intent="", intent_at=None, problem="", problem_hint="")
        case Kind.TRIAL_FAILED:
            return replace(
                trial,
                intent="",
                intent_at=None,
                problem=str(data.get("problem", "")),
                problem_hint=str(data.get("hint", "")),
            )
        case Kind.RESULTS:
            found = _round(event)
            failed = trial.first_failure
            if failed is None and found.purpose in ("exercise", "soak") and found.outcome is Outcome.FAIL:
                # The first failing probe was sent at the earliest when its round began.
                failed = event.at - timedelta(seconds=found.seconds)
            return replace(trial, rounds={**trial.rounds, found.purpose: found}, first_failure=failed)
        case Kind.DIAGNOSIS:
            return replace(trial, diagnosis=dict(data))
        case Kind.HOST_DESCRIBED:
            return replace(trial, described=dict(data))
        case Kind.SUSPECTS:
            return replace(trial, suspects=dict(data))
        case Kind.SAMPLES:
            return replace(trial, samples=(*trial.samples, data))
        case Kind.SNAPSHOT:
            return replace(trial, snapshots={**trial.snapshots, str(data.get("place", "")): data})
        case Kind.CHANGED:
            return replace(trial, changed={**trial.changed, str(data.get("place", "")): data})
        case Kind.VERDICT:
            failed = trial.first_failure
            if failed is None and data.get("outcome") == Outcome.FAIL:
                failed = event.at
            return replace(trial, verdict=dict(data), first_failure=failed)
    return trial


def _moved(trial: TrialState, event: Event) -> TrialState:
    to = State(event.data["to"])
    if to not in TRANSITIONS[trial.state]:
        raise ValueError(
            f"{event.host}: event {event.seq} moves from {trial.state} to {to}, which the table does not allow"
        )
    return replace(
        trial,
        state=to,
        since=event.at,
        because=str(event.data.get("because", "")),
        hint=str(event.data.get("hint", "")),
        intent="",
        intent_at=None,
        tries={},
        problem="",
        problem_hint="",
        facts={**trial.facts, **event.data.get("facts", {})},
        cause=str(event.data.get("because", "")) if to is State.REVERTING else trial.cause,
    )


def _round(event: Event) -> Round:
    results = tuple(event.data.get("results", ()))
    outcomes = [Outcome(result["outcome"]) for result in results]
    outcome = worst(outcomes)
    first = next((r for r in results if r["outcome"] == outcome and outcome is not Outcome.PASS), None)
    return Round(
        purpose=str(event.data["purpose"]),
        at=event.at,
        outcome=outcome,
        because=str(first["because"]) if first else "",
        hint=str(first.get("hint", "")) if first else "",
        seconds=float(event.data.get("seconds", 0.0)),
        results=results,
        boot_id=str(event.data.get("boot_id", "")),
    )
