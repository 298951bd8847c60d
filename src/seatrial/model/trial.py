"""Trial: one host's boot on a candidate kernel, and the table of the states it may go through."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType


class State(enum.StrEnum):
    """Where a Trial stands. Each name is a milestone that was reached, not an act under way."""

    PLANNED = "planned"
    PREFLIGHT = "preflight"
    DRAINED = "drained"
    ARMED = "armed"
    REBOOTING = "rebooting"
    ON_TRIAL = "on-trial"
    EXERCISED = "exercised"
    SOAKING = "soaking"
    BLESSED = "blessed"
    REVERTING = "reverting"
    REVERTED = "reverted"
    REFUSED = "refused"
    UNDONE = "undone"
    STUCK = "stuck"


# The drawing in docs/states.md is made from this table, and a test compares the two.
TRANSITIONS: Mapping[State, tuple[State, ...]] = MappingProxyType(
    {
        State.PLANNED: (State.PREFLIGHT, State.REFUSED, State.UNDONE),
        State.PREFLIGHT: (State.DRAINED, State.UNDONE),
        State.DRAINED: (State.ARMED, State.UNDONE, State.STUCK),
        State.ARMED: (State.REBOOTING, State.UNDONE, State.STUCK),
        State.REBOOTING: (State.ON_TRIAL, State.REVERTING, State.STUCK),
        State.ON_TRIAL: (State.EXERCISED, State.REVERTING),
        State.EXERCISED: (State.SOAKING,),
        State.SOAKING: (State.BLESSED, State.REVERTING),
        State.REVERTING: (State.REVERTED, State.STUCK),
        State.BLESSED: (),
        State.REVERTED: (),
        State.REFUSED: (),
        State.UNDONE: (),
        State.STUCK: (),
    }
)

FINAL = frozenset(state for state, after in TRANSITIONS.items() if not after)
