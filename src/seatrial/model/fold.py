"""Fold: Events in, the state of a rollout and of its trials out. It decides nothing.

Readers of the journal (the engine, status, report, the live view) all see a rollout through this one door, so they
cannot disagree. Kinds and keys that are not known here are passed over: a later version may have written them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from seatrial.model.event import Event, Kind
from seatrial.model.result import Outcome, worst
from seatrial.model.trial import TRANSITIONS, State
from seatrial.model.trials import Trials
from seatrial.model.trialstate import Round, Silenced, TrialState

__all__ = ["Approval", "RolloutState", "Round", "TrialState", "advance", "fold"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Who let a rollout into a stage, why, and where that is written down. `forced`: without its evidence."""

    stage: str
    by: str
    why: str
    ticket: str
    at: datetime
    forced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutState:
    """Where a rollout stands. `trials` is in the order in which the hosts were declared.

    `abort_mode` says what becomes of what is on trial: revert, finish or hold. `down` are the hosts that did not answer
    when the fleet was surveyed last, at `surveyed`; `held` is what it waits for, "" while it goes on, `held_hint` what
    ends that, and `blockers` are those that it waits for, with the outcome of each.
    """

    id: str
    started: datetime | None = None
    by: str = ""
    why: str = ""
    ticket: str = ""
    candidate: str = ""
    fleet: str = ""
    trials: Mapping[str, TrialState] = field(default_factory=dict)
    paused: str = ""
    is_paused: bool = False
    abort: str = ""
    is_aborted: bool = False
    abort_mode: str = ""
    approvals: tuple[Approval, ...] = ()
    gates: frozenset[str] = frozenset()
    down: frozenset[str] = frozenset()
    surveyed: datetime | None = None
    held: str = ""
    held_hint: str = ""
    blockers: Mapping[str, str] = field(default_factory=dict)
    ended: datetime | None = None
    outcome: str = ""
    because: str = ""
    last: int = 0

    @property
    def approved(self) -> frozenset[str]:
        """The stages that a person has let it into."""
        return frozenset(approval.stage for approval in self.approvals)

    @property
    def forced(self) -> frozenset[str]:
        """The stages that a person has let it into without their evidence."""
        return frozenset(approval.stage for approval in self.approvals if approval.forced)


def fold(events: Iterable[Event], *, rollout: str) -> RolloutState:
    """The state after `events`, which are those of one rollout, oldest first: the same as by `advance`, one after another.

    Trials are put into the state at the end only, since a copy of it for each Event is half the work of ten thousand hosts.
    """
    state, last = RolloutState(id=rollout), 0
    trials: dict[str, TrialState] = {}
    for event in events:
        trial = trials.get(event.host) if event.host else None
        if trial is not None:
            trials[event.host] = _apply_to_trial(trial, event)
        else:
            state = _apply(state, event)
            if event.kind == Kind.ROLLOUT_STARTED:
                trials = dict(state.trials)
        last = event.seq
    return replace(state, trials=Trials.of(trials), last=last) if last else state


def advance(state: RolloutState, event: Event) -> RolloutState:
    """The state after one more Event."""
    trial = state.trials.get(event.host) if event.host else None
    if trial is None:
        return replace(_apply(state, event), last=event.seq)
    after = _apply_to_trial(trial, event)
    trials = state.trials if isinstance(state.trials, Trials) else Trials.of(state.trials)
    return replace(state, trials=trials.put(after), last=event.seq)


def _apply(state: RolloutState, event: Event) -> RolloutState:
    data = event.data
    match event.kind:
        case Kind.ROLLOUT_STARTED:
            return replace(
                state,
                started=event.at,
                by=event.by,
                why=str(data.get("why", "")),
                ticket=str(data.get("ticket", "")),
                candidate=str(data["candidate"]),
                fleet=str(data.get("fleet", "")),
                trials=Trials.of({host: TrialState(host=host, since=event.at) for host in data["hosts"]}),
            )
        case Kind.ROLLOUT_PAUSED:
            return replace(state, is_paused=True, paused=str(data.get("why", "")))
        case Kind.ROLLOUT_RESUMED:
            return replace(state, is_paused=False, paused="")
        case Kind.ROLLOUT_ABORTED:
            mode = str(data.get("mode", "revert"))
            return replace(
                state, is_aborted=True, abort=str(data.get("why", "")), abort_mode=mode, is_paused=False
            )
        case Kind.STAGE_APPROVED | Kind.STAGE_FORCED:
            return replace(state, approvals=(*state.approvals, _approval(event)))
        case Kind.FLEET_SURVEYED:
            return replace(state, down=frozenset(map(str, data.get("down", ()))), surveyed=event.at)
        case Kind.ROLLOUT_HELD:
            return replace(
                state,
                held=str(data.get("because", "")),
                held_hint=str(data.get("hint", "")),
                blockers={str(name): str(said) for name, said in data.get("blockers", {}).items()},
            )
        case Kind.GATE_OPENED:
            return replace(state, gates=state.gates | {str(data["stage"])})
        case Kind.ROLLOUT_ENDED:
            return replace(
                state, ended=event.at, outcome=str(data["outcome"]), because=str(data.get("because", ""))
            )
    return state


def _apply_to_trial(trial: TrialState, event: Event) -> TrialState:
    data = event.data
    if data.get("act") in ("silence", "unsilence"):
        # What is told to others' monitoring is beside the trial: nothing of it waits for that, or fails by it.
        return _silenced(trial, event)
    match event.kind:
        case Kind.TRIAL_MOVED:
            return _moved(trial, event)
        case Kind.TRIAL_BEGUN:
            return replace(trial, begun=event.at, wave=str(data.get("wave", "")))
        case Kind.HOST_SKIPPED:
            if trial.state is State.STUCK:
                return replace(trial, seen_to=str(data.get("why") or "a person said so"))
            # Of two wishes the first one counts: a trial that has begun is finished.
            if trial.under_way or trial.over:
                return trial
            return replace(trial, skipped=str(data.get("why") or "a person said so"))
        case Kind.HOST_FORCED:
            return replace(trial, forced=str(data.get("why") or "a person said so"))
        case Kind.TRIAL_INTENT:
            return _intended(trial, event)
        case Kind.TRIAL_ACTED:
            given = event.at if data.get("act") == "extend" else trial.given
            return replace(trial, intent="", intent_at=None, problem="", problem_hint="", given=given)
        case Kind.TRIAL_FAILED:
            return replace(
                trial,
                intent="",
                intent_at=None,
                problem=str(data.get("problem", "")),
                problem_hint=str(data.get("hint", "")),
            )
    return _told(trial, event)


def _told(trial: TrialState, event: Event) -> TrialState:
    """What was found out in a trial, whatever its state."""
    data = event.data
    match event.kind:
        case Kind.RESULTS:
            return _answered(trial, event)
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


def _intended(trial: TrialState, event: Event) -> TrialState:
    act = str(event.data["act"])
    # One that was begun and neither worked nor failed was cut off with its controller, which says nothing of the host.
    again = 0 if trial.intent == act else 1
    return replace(
        trial,
        intent=act,
        intent_at=event.at,
        tries={**trial.tries, act: trial.tries.get(act, 0) + again},
        facts={**trial.facts, **event.data.get("facts", {})},
    )


def _answered(trial: TrialState, event: Event) -> TrialState:
    found = _round(event)
    failed = trial.first_failure
    if failed is None and found.purpose in ("exercise", "soak") and found.outcome is Outcome.FAIL:
        # The first failing probe was sent at the earliest when its round began.
        failed = event.at - timedelta(seconds=found.seconds)
    return replace(trial, rounds={**trial.rounds, found.purpose: found}, first_failure=failed)


def _approval(event: Event) -> Approval:
    data = event.data
    return Approval(
        stage=str(data["stage"]),
        by=event.by,
        why=str(data.get("why", "")),
        ticket=str(data.get("ticket", "")),
        at=event.at,
        forced=event.kind == Kind.STAGE_FORCED,
    )


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
        given=event.at if to is State.ON_TRIAL else trial.given,
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


def _silenced(trial: TrialState, event: Event) -> TrialState:
    act = str(event.data["act"])
    silence = trial.silence or Silenced(asked=event.at)
    match event.kind:
        case Kind.TRIAL_INTENT:
            tries = {**trial.tries, act: trial.tries.get(act, 0) + 1}
            asked = replace(silence, asked=event.at, ended=False) if act == "silence" else silence
            return replace(trial, tries=tries, silence=asked)
        case Kind.TRIAL_ACTED if act == "silence":
            until = datetime.fromisoformat(str(event.data["until"]))
            return replace(trial, silence=replace(silence, until=until, problem="", hint=""))
        case Kind.TRIAL_ACTED:
            # What kept it from being begun stays known until the trial has ended.
            return replace(trial, silence=replace(silence, ended=True))
        case Kind.TRIAL_FAILED:
            problem, hint = str(event.data.get("problem", "")), str(event.data.get("hint", ""))
            return replace(trial, silence=replace(silence, problem=problem, hint=hint))
    return trial


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
