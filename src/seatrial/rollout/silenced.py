"""When a trial's alerts are silenced, and when no more: around the rules of decide. Pure.

A silence begins before traffic leaves the host and ends before the trial does, whichever way it ends. It is asked for as long
as the guard may take to bring the host back, so that a dead controller leaves one that ends by itself, and is asked for
anew when the guard was given more time. What is not in: which alerts, and how they are silenced.
"""

from __future__ import annotations

from datetime import timedelta

from seatrial.model.fleet import Policy
from seatrial.model.fold import TrialState
from seatrial.model.trial import FINAL, State
from seatrial.rollout.decide import MAX_TRIES, Act, Action, Do, Move, Seen, Terms, Wait, decide

# How long a silence that could not be asked for anew is left alone, in seconds.
ASK_AGAIN = 60.0
_LIVES = (State.ON_TRIAL, State.SOAKING)
_CAN_WAIT = (Act.EXERCISE, Act.SOAK)


def span(policy: Policy) -> float:
    """For how many seconds a silence is asked for: at the latest after that the guard has brought the host back."""
    return policy.guard + 2 * policy.reboot


def next_action(trial: TrialState, seen: Seen, terms: Terms) -> Action:
    """What decide says, with the silences of the host begun before and ended after it."""
    action = decide(trial, seen, terms)
    if trial.state is State.PREFLIGHT and _touches(action):
        action = _begun(trial, terms, action)
    elif trial.state in _LIVES and _is_short(trial, seen, terms) and _can_wait(action):
        action = _silence(terms)
    return _ended(trial, action)


def _touches(action: Action) -> bool:
    return (isinstance(action, Do) and action.act is Act.DRAIN) or (
        isinstance(action, Move) and action.to is State.DRAINED
    )


def _silence(terms: Terms) -> Do:
    return Do(act=Act.SILENCE, facts={"silences": list(terms.silences)})


def _begun(trial: TrialState, terms: Terms, action: Action) -> Action:
    silence = trial.silence
    if not terms.silences or (silence is not None and silence.until is not None):
        return action
    if trial.tries.get(Act.SILENCE, 0) < MAX_TRIES:
        return _silence(terms)
    because = silence.problem if silence is not None and silence.problem else "no answer"
    return Move(
        to=State.UNDONE,
        because=f"the alerts of {terms.host} could not be silenced: {because}",
        hint=silence.hint if silence is not None else "",
    )


def _is_short(trial: TrialState, seen: Seen, terms: Terms) -> bool:
    """Whether it might end before the guard has brought the host back."""
    silence = trial.silence
    if silence is None or silence.until is None or seen.sight is None:
        return False
    left = max(0.0, seen.sight.guard.deadline - seen.sight.boot.uptime)
    needed = seen.now + timedelta(seconds=left + terms.policy.reboot)
    asked = (seen.now - silence.asked).total_seconds()
    return silence.until < needed and not 0 <= asked < ASK_AGAIN


def _can_wait(action: Action) -> bool:
    return isinstance(action, Wait) or (isinstance(action, Do) and action.act in _CAN_WAIT)


def _ended(trial: TrialState, action: Action) -> Action:
    """End the silence before the trial; one that cannot be ended does so by itself, and holds nobody up."""
    silence = trial.silence
    if not isinstance(action, Move) or action.to not in FINAL or silence is None or silence.ended:
        return action
    return Do(act=Act.UNSILENCE) if trial.tries.get(Act.UNSILENCE, 0) < MAX_TRIES else action
