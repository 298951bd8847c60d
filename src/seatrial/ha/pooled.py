"""A service that several hosts carry at once, so that it moves by shutting one host off and opening it again. Pure.

What is in: the standing of such a pool, whatever is asked about it, and the rule for the next step: shut the host that must
not carry it, wait until nothing is left on it, open the host that must. What is not: the Commands, which each driver brings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seatrial.ha.driver import Deed, Done, Goal, Step, Stuck, Wait
from seatrial.model.command import Command
from seatrial.model.result import Outcome, Result

MAX_TRIES = 3
MOST_TOLD = 5
_LOOK_AGAIN = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolMember:
    """What is known of one host of the pool. None: it is not known.

    `is_open` says whether it takes new work, `is_well` whether it could, `shut_by` who shut it ("ours", or another's word),
    `left` what is still on it and has to go, `held` why something of that may not go, by its name.
    """

    is_open: bool | None = None
    is_well: bool | None = None
    shut_by: str = ""
    left: tuple[str, ...] | None = None
    held: Mapping[str, str] = field(default_factory=dict)

    @property
    def carries(self) -> bool | None:
        """Whether it carries any of the service: it is open, or something is left on it."""
        if self.is_open is None or self.left is None:
            return None
        return self.is_open or bool(self.left)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """The Commands of one driver: where they are run, and what shuts, empties and opens a host.

    `empty` may be nothing; where there is one, it tries again and again by itself and ends after `round` seconds at the
    latest, so that the journal hears of it now and then.
    """

    place: str
    shut: Callable[[str], tuple[Command, ...]]
    open: Callable[[str], tuple[Command, ...]]
    empty: Callable[[str], tuple[Command, ...]] | None = None
    round: float = 30.0


OURS = "ours"


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolStanding:
    """The hosts of a group as they were seen at one time; `problem` says why nothing could be seen at all."""

    what: str
    members: Mapping[str, PoolMember]
    hands: Hands
    seconds: float
    problem: str = ""
    hint: str = ""

    @property
    def carriers(self) -> frozenset[str] | None:
        """Every host that carries some of it. None while that is not known of one of them."""
        if self.problem or any(one.carries is None for one in self.members.values()):
            return None
        return frozenset(host for host, one in self.members.items() if one.carries)

    def told(self) -> Mapping[str, Any]:
        """By host, what was seen; of what is left a few names."""
        members = {
            host: {
                "open": one.is_open,
                "well": one.is_well,
                "shut_by": one.shut_by,
                "left": None if one.left is None else len(one.left),
                "names": list((one.left or ())[:MOST_TOLD]),
                "held": dict(list(one.held.items())[:MOST_TOLD]),
            }
            for host, one in self.members.items()
        }
        return {**members, **({"problem": self.problem} if self.problem else {})}

    def refusals(self, goal: Goal) -> tuple[Result, ...]:
        """It must be known who carries it; who stays must be well; what has to go must be allowed to; no other's word is broken."""
        if self.carriers is None:
            unknown = [host for host, one in self.members.items() if one.carries is None]
            because = (
                self.problem or f"{self.what}: it is not known whether {' and '.join(unknown)} carries it"
            )
            return (self._result("known", Outcome.UNKNOWN, because, self.hint),)
        results = [
            self._result("known", Outcome.PASS, f"{self.what} is carried by {_and(sorted(self.carriers))}")
        ]
        if goal.to:
            results.append(self._may_take(goal.to, is_awaited=bool(goal.trial)))
        if away := goal.away:
            results += [self._others(goal, away), *self._may_go(away)]
        return tuple(results)

    def decide(self, goal: Goal) -> Step:
        """Open first, then shut, then empty; what is not known is waited for."""
        if self.carriers is None:
            because = self.problem or f"{self.what}: it is not known who carries it"
            if goal.seconds > self.seconds:
                return Stuck(because=because, hint=self.hint or goal.hint)
            return Wait(seconds=_LOOK_AGAIN, because=because)
        if goal.to and not (self.members[goal.to].is_open and self.members[goal.to].is_well):
            return self._enter(goal, self.members[goal.to])
        if goal.away and self.members[goal.away].carries:
            return self._leave(goal, self.members[goal.away])
        where = goal.to or _and(sorted(self.carriers))
        if not goal.met(self.carriers):
            return Stuck(
                because=f"nobody carries {self.what} but {goal.away}", hint="open another host first"
            )
        return Done(because=f"{self.what} is on {where}" + (f" and not on {goal.away}" if goal.away else ""))

    def proof(self, goal: Goal) -> tuple[Result, ...]:
        """The host that must is open and well, the one that must not has nothing left."""
        if self.carriers is None:
            because = self.problem or f"{self.what}: it is not known who carries it"
            return (self._result("moved", Outcome.UNKNOWN, because, self.hint),)
        results = []
        if goal.to:
            results.append(self._may_take(goal.to, proven=True))
        if goal.away:
            one = self.members[goal.away]
            left = one.left or ()
            because = (
                f"{goal.away} is shut, with {_some(left)} left on it"
                if left
                else f"{goal.away} is shut and empty"
            )
            outcome = Outcome.FAIL if one.carries else Outcome.PASS
            results.append(self._result("gone", outcome, f"{goal.away} is open" if one.is_open else because))
        return tuple(results)

    def _enter(self, goal: Goal, one: PoolMember) -> Step:
        if not one.is_well:
            because = f"{goal.to} is not well"
            if goal.seconds > self.seconds:
                return Stuck(because=f"{because}, for {self.seconds:g} s now", hint=self.hint)
            return Wait(seconds=_LOOK_AGAIN, because=because)
        if one.shut_by != OURS:
            # Somebody else's word came since it was asked.
            return Stuck(
                because=f"{goal.to} is shut by somebody else: {one.shut_by}",
                hint="open it by hand when that is over",
            )
        return self._try(goal, "open", goal.to, self.hands.open, hurts=False)

    def _leave(self, goal: Goal, one: PoolMember) -> Step:
        away = goal.away
        if one.is_open:
            return self._try(goal, "shut", away, self.hands.shut, hurts=False)
        left = _some(one.left or ())
        rounds = goal.tries.get("empty", 0)
        spent = (
            goal.seconds > self.seconds
            if self.hands.empty is None
            else rounds * self.hands.round >= self.seconds
        )
        if spent:
            held = next(iter(one.held.values()), "") or goal.problem
            why = f": {held}" if held else ""
            hint = (
                goal.hint or self.hint or "look at what is left there; a longer `timeout` gives it more time"
            )
            return Stuck(because=f"still on {away}: {left}{why}", hint=hint)
        if self.hands.empty is None:
            return Wait(seconds=_LOOK_AGAIN, because=f"still on {away}: {left}")
        return Deed(
            name="empty", on={self.hands.place: self.hands.empty(away)}, because=f"to leave {away}: {left}"
        )

    def _try(
        self, goal: Goal, name: str, host: str, hand: Callable[[str], tuple[Command, ...]], *, hurts: bool
    ) -> Step:
        tried = goal.tries.get(name, 0)
        if tried >= MAX_TRIES or (tried and goal.seconds > self.seconds):
            why = f": {goal.problem}" if goal.problem else ", although it was told to be"
            word = "open" if name == "open" else "shut"
            return Stuck(because=f"{host} is not {word}{why}", hint=goal.hint or self.hint)
        because = (
            f"{host} is to carry {self.what}"
            if name == "open"
            else f"{host} is to carry no more of {self.what}"
        )
        return Deed(name=name, on={self.hands.place: hand(host)}, because=because, hurts=hurts)

    def _may_take(self, host: str, *, proven: bool = False, is_awaited: bool = False) -> Result:
        one = self.members[host]
        if one.is_open is None or one.is_well is None:
            return self._result(
                "takes", Outcome.UNKNOWN, f"it is not known whether {host} could carry {self.what}"
            )
        if is_awaited and not one.is_well and (one.is_open or one.shut_by == OURS):
            return self._result("takes", Outcome.PASS, f"{host} is not well yet, which is waited for")
        if not one.is_well:
            return self._result(
                "takes", Outcome.FAIL, f"{host} is not well: nothing may be moved onto it", self.hint
            )
        if not one.is_open and (proven or one.shut_by != OURS):
            by = "still shut" if proven else f"shut by somebody else: {one.shut_by or 'no reason is given'}"
            return self._result("takes", Outcome.FAIL, f"{host} is {by}", "open it by hand when that is over")
        return self._result("takes", Outcome.PASS, f"{host} is well" + (" and open" if one.is_open else ""))

    def _others(self, goal: Goal, away: str) -> Result:
        able = [
            host
            for host, one in self.members.items()
            if host != away and one.is_well and (one.is_open or (host == goal.to and one.shut_by == OURS))
        ]
        if able:
            return self._result("others", Outcome.PASS, f"{_and(able)} can carry it besides")
        because = f"{away} is the last one that carries {self.what}"
        if goal.force:
            return self._result("others", Outcome.PASS, f"{because}, overruled: {goal.force}")
        return self._result("others", Outcome.FAIL, because, "open another host of the group first")

    def _may_go(self, away: str) -> tuple[Result, ...]:
        held = self.members[away].held
        if not held:
            return (self._result("may-go", Outcome.PASS, f"all that is on {away} may go"),)
        names = list(held)[:MOST_TOLD]
        more = f" (and {len(held) - len(names)} more)" if len(held) > len(names) else ""
        because = "; ".join(f"{name}: {held[name]}" for name in names) + more
        return (self._result("may-go", Outcome.FAIL, because, self.hint),)

    def _result(self, check: str, outcome: Outcome, because: str, hint: str = "") -> Result:
        return Result(
            check=f"pool.{check}",
            outcome=outcome,
            because=because,
            hint="" if outcome is Outcome.PASS else hint,
        )


def _and(names: Sequence[str]) -> str:
    return " and ".join(names) if names else "nobody"


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:MOST_TOLD])
    return (
        shown + (f" and {len(names) - MOST_TOLD} more" if len(names) > MOST_TOLD else "")
        if shown
        else "something"
    )
