"""When a host would go back by itself. It counts its own uptime, so what is said here is about right and not to the second."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from seatrial.clock import Clock
from seatrial.model.trial import State
from seatrial.model.trialstate import TrialState
from seatrial.web.views.words import moment, plain

_COUNTING = frozenset({State.ON_TRIAL, State.EXERCISED, State.SOAKING, State.REVERTING})


def guard(trial: TrialState, clock: Clock) -> dict[str, Any] | None:
    """The time that is left; None while no guard counts."""
    given = given_of(trial)
    if given is None:
        return None
    at, seconds = given
    left = seconds - (clock.now() - at).total_seconds()
    return {
        "seconds_left": max(round(left), 0),
        "back_to": plain(trial.facts.get("good", "the good kernel")),
        "given": moment(at),
        "seconds_given": round(seconds),
    }


def given_of(trial: TrialState) -> tuple[datetime, float] | None:
    """When a host's guard was last given time, and how many seconds; None while none counts."""
    if trial.state not in _COUNTING or trial.given is None:
        return None
    return trial.given, float(trial.facts.get("deadline", 0.0))
