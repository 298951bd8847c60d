"""The course of a failover, whatever moves it: asked first, then deed by deed, proven, and turned round once. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from seatrial.ha.driver import Deed, Done, Goal, Standing, Stuck, Wait
from seatrial.model.failover import Ending, FailoverState
from seatrial.model.result import Outcome, Result

MAX_PROOFS = 5
# Back to where it came from, and once more forth: then both sides have failed twice.
MAX_TURNS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Write down a round of Results: `purpose` is preflight or proof."""

    purpose: str
    results: tuple[Result, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Give the service back to where it came from; or, where that side cannot take it again, forth after all."""

    to: str
    because: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """It is over."""

    outcome: Ending
    because: str
    hint: str = ""


Course = Ask | Deed | Wait | Turn | End


def goal_of(state: FailoverState, now: datetime) -> Goal:
    """The journal's part of what a step is decided by."""
    return Goal(
        to=state.to,
        away=state.away,
        origin=state.origin,
        is_back=state.is_back,
        force=state.force,
        trial=state.trial,
        tries=state.tries,
        deed=state.deed,
        problem=state.problem,
        hint=state.hint,
        seconds=(now - state.since).total_seconds() if state.since else 0.0,
    )


def wants_all(state: FailoverState, standing: Standing | None, now: datetime) -> bool:
    """Whether what comes next is asked of all that a look can show: before anything is changed, and for the proof."""
    if state.preflight is None or standing is None:
        return state.preflight is None
    return isinstance(standing.decide(goal_of(state, now)), Done)


def next_in(state: FailoverState, standing: Standing, now: datetime) -> Course:
    """What a failover that is not over does next."""
    goal = goal_of(state, now)
    if state.preflight is None:
        return Ask(purpose="preflight", results=standing.refusals(goal))
    if state.preflight.outcome is not Outcome.PASS and not state.changed:
        return End(outcome=Ending.REFUSED, because=state.preflight.because, hint=state.preflight.hint)
    step = standing.decide(goal)
    match step:
        case Deed() | Wait():
            return step
        case Stuck():
            return _stuck(state, step)
        case Done():
            return _proven(state, standing, goal, step)


def _stuck(state: FailoverState, step: Stuck) -> Course:
    if not state.changed:
        return End(outcome=Ending.UNDONE, because=step.because, hint=step.hint)
    to = state.wanted if state.is_back else state.origin
    if to and state.turns < MAX_TURNS:
        return Turn(to=to, because=step.because, hint=step.hint)
    because = f"{state.turned}; and in the end: {step.because}" if state.turns else step.because
    return End(outcome=Ending.STUCK, because=because, hint=step.hint)


def _proven(state: FailoverState, standing: Standing, goal: Goal, step: Done) -> Course:
    if state.proof is None or (state.proof.outcome is not Outcome.PASS and state.proofs < MAX_PROOFS):
        return Ask(purpose="proof", results=standing.proof(goal))
    if state.proof.outcome is Outcome.PASS:
        if state.is_back:
            return End(outcome=Ending.BACK, because=state.turned, hint=state.hint)
        return End(outcome=Ending.MOVED, because=step.because)
    # What serves is not taken away again for a setting that is missing: a person decides.
    return End(
        outcome=Ending.STUCK,
        because=f"{step.because}, but it is not proven: {state.proof.because or 'nothing was answered'}",
        hint=state.proof.hint,
    )
