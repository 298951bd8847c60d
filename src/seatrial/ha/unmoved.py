"""Groups between whose hosts nothing moves: peers that only must not be on trial together. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seatrial.ha.driver import Goal, Step, Stuck
from seatrial.model.command import Command, Output
from seatrial.model.fleet import Group
from seatrial.model.result import Outcome, Result

_BECAUSE = "nothing moves between the hosts of this group"
_HINT = "declare how under `mover`, if something does"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmovedStanding:
    """Nothing was looked at, since there is nothing to see."""

    @property
    def carriers(self) -> frozenset[str] | None:
        """Nobody carries anything for the others."""
        return frozenset()

    def told(self) -> Mapping[str, Any]:
        """Nothing."""
        return {}

    def refusals(self, goal: Goal) -> tuple[Result, ...]:
        """What cannot be moved is not."""
        return (Result(check="group.mover", outcome=Outcome.FAIL, because=_BECAUSE, hint=_HINT),)

    def decide(self, goal: Goal) -> Step:
        """There is no step."""
        return Stuck(because=_BECAUSE, hint=_HINT)

    def proof(self, goal: Goal) -> tuple[Result, ...]:
        """There is nothing to prove."""
        return self.refusals(goal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmoved:
    """The driver `none`."""

    @property
    def name(self) -> str:
        """The word for it in the fleet file."""
        return "none"

    def look(self, group: Group, *, whole: bool = True) -> Mapping[str, tuple[Command, ...]]:
        """Nobody is asked."""
        return {}

    def glance(self, group: Group) -> Mapping[str, tuple[Command, ...]]:
        """Nobody is asked."""
        return {}

    def read(self, group: Group, answers: Mapping[str, Sequence[Output]]) -> UnmovedStanding:
        """Whatever is said, nothing moves."""
        return UnmovedStanding()

    def carriers(self, group: Group, answers: Mapping[str, Sequence[Output]]) -> frozenset[str] | None:
        """Nobody carries anything for the others."""
        return frozenset()
