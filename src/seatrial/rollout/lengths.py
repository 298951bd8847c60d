"""How long a trial takes, phase by phase: as past trials of the journal took, or between the limits of the fleet file. Pure.

What is in: the durations of trials that ended blessed, and drawing from them. What is not: the order of trials (forecast.py).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median

from seatrial.model.event import Event, Kind
from seatrial.model.fleet import Fleet, Policy
from seatrial.model.trial import State
from seatrial.rollout.measured import longest

KINDS = (Kind.ROLLOUT_STARTED, Kind.TRIAL_BEGUN, Kind.TRIAL_INTENT, Kind.TRIAL_MOVED)
PHASES = ("preparation", "reboot", "flows", "soak")
_ENDS = {State.ARMED: "preparation", State.ON_TRIAL: "reboot", State.SOAKING: "flows", State.BLESSED: "soak"}
# Of fewer trials of a role the others of the journal say more.
FEW = 3
# What comes before the guard has no limit in the fleet file: snapshots, a baseline, and moving the traffic. Seconds.
PREPARATION = 120.0
# The first round of flows has to be over long before the guard's time is.
_SHARE_OF_GUARD = 0.25
_LEAST = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One trial that ended blessed: the roles of its host, and the seconds of each phase."""

    roles: frozenset[str]
    seconds: Mapping[str, float]


def past_of(events: Iterable[Event]) -> tuple[Past, ...]:
    """The trials that ended blessed, of Events of all rollouts, oldest first. Times that ran backwards are left out."""
    roles: dict[str, Mapping[str, Iterable[str]]] = {}
    began: dict[tuple[str, str], datetime] = {}
    spent: dict[tuple[str, str], dict[str, float]] = {}
    found: list[Past] = []
    for event in events:
        key = (event.rollout, event.host)
        if event.kind == Kind.ROLLOUT_STARTED:
            roles[event.rollout] = event.data.get("roles", {})
        elif event.kind in (Kind.TRIAL_BEGUN, Kind.TRIAL_INTENT):
            began.setdefault(key, event.at)
        elif (
            event.kind == Kind.TRIAL_MOVED and key in began and (phase := _ENDS.get(State(event.data["to"])))
        ):
            spent.setdefault(key, {})[phase] = (event.at - began[key]).total_seconds()
            began[key] = event.at
            seconds = spent[key]
            if phase == "soak" and set(seconds) == set(PHASES) and min(seconds.values()) >= 0:
                mine = frozenset(roles.get(event.rollout, {}).get(event.host, ()))
                found.append(Past(roles=mine, seconds=seconds))
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """How long trials of a fleet take. `told` are numbers of past trials by role, for the sentence that says so."""

    fleet: Fleet
    past: tuple[Past, ...] = ()
    _known: dict[tuple[str, ...], dict[str, list[float]]] = field(default_factory=dict)

    @property
    def basis(self) -> str:
        """What the figures rest on."""
        if not self.past:
            return (
                "no trial has ended blessed in this journal yet: each phase is taken to last between a tenth and the whole"
                " of its limit in the fleet file"
            )
        many = "1 trial" if len(self.past) == 1 else f"{len(self.past)} trials"
        return f"phases as long as those of {many} in this journal that ended blessed"

    def drawn(self, host: str, dice: random.Random) -> float:
        """The seconds of one trial of a host, one way it may go."""
        policy, known = self.fleet.policy_of(host), self._of(host)
        if not known:
            return sum(dice.uniform(least, most) for least, most in _limits(policy).values())
        seconds = {phase: dice.choice(known[phase]) for phase in PHASES}
        return sum(seconds.values()) + max(0.0, policy.soak - seconds["soak"])

    def usual(self, host: str) -> float:
        """The seconds of a trial of a host when each phase takes as long as it mostly does."""
        policy, known = self.fleet.policy_of(host), self._of(host)
        if not known:
            return sum((least + most) / 2 for least, most in _limits(policy).values())
        seconds = {phase: median(known[phase]) for phase in PHASES}
        return sum(seconds.values()) + max(0.0, policy.soak - seconds["soak"])

    def _of(self, host: str) -> dict[str, list[float]]:
        """Seconds of each phase of past trials of its roles; of all where those are few, of none where there are none."""
        roles = self.fleet.hosts[host].roles
        if roles not in self._known:
            mine = [one for one in self.past if one.roles.intersection(roles)]
            some = mine if len(mine) >= FEW else list(self.past)
            self._known[roles] = (
                {phase: [one.seconds[phase] for one in some] for phase in PHASES} if some else {}
            )
        return self._known[roles]


def _limits(policy: Policy) -> dict[str, tuple[float, float]]:
    """The least and the most of each phase, in seconds, by the limits that it has."""
    before = policy.measure.baseline if policy.measure is not None else 0.0
    soak = (policy.soak, policy.soak)
    if policy.measure is not None:
        soak = (max(policy.soak, policy.measure.least), max(policy.soak, longest(policy)))
    flows = policy.guard * _SHARE_OF_GUARD
    return {
        "preparation": (before + _LEAST * PREPARATION, before + PREPARATION),
        "reboot": (_LEAST * policy.reboot, policy.reboot),
        "flows": (_LEAST * flows, flows),
        "soak": soak,
    }
