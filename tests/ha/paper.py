"""A failover on paper: the real course and the real drivers, a world that is a value in the test, and a journal that is a list.

The controller can be killed after any event, before or after the deed that the event announced.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from seatrial.ha.course import Ask, End, Turn, next_in
from seatrial.ha.driver import Deed, Standing, Wait
from seatrial.model.event import Event, Kind
from seatrial.model.failover import FailoverState, fold_failover

MOST_TURNS = 2000


class PaperWorld(Protocol):
    """What a test brings: how it looks now, what a deed does to it (and what is wrong with that), and what time does."""

    def look(self) -> Standing: ...

    def do(self, deed: Deed) -> str: ...

    def wait(self, seconds: float) -> None: ...


class Killed(Exception):
    """The controller has died here."""


class Paper:
    """One failover: its events, its clock, and the world it happens in."""

    def __init__(
        self, world: PaperWorld, *, to: str = "", away: str = "", origin: str = "", force: str = ""
    ) -> None:
        self.world = world
        self.events: list[Event] = []
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.deeds: list[str] = []
        self.kill: Callable[[int, str], bool] = lambda number, when: False
        data = {"group": "g", "to": to, "away": away, "origin": origin, "force": force}
        self.append(Kind.FAILOVER_STARTED, data)

    def append(self, kind: Kind, data: Mapping[str, Any]) -> None:
        event = Event(
            seq=len(self.events) + 1, at=self.now, kind=kind, rollout="f1", by="ada", data=dict(data)
        )
        self.events.append(event)
        if self.kill(event.seq, "after the event"):
            raise Killed

    def state(self) -> FailoverState:
        return fold_failover(self.events, failover="f1")

    def run(self) -> FailoverState:
        """To the end, in one life."""
        for _ in range(MOST_TURNS):
            state = self.state()
            if state.ended:
                return state
            self.turn(state)
        raise AssertionError(f"no end in sight: {self.deeds[-20:]}, {self.state()}")

    def run_killed_once(self, at: int, when: str) -> FailoverState:
        """To the end, in two lives: the first one dies at event number `at`."""
        self.kill = lambda number, now: number == at and now == when
        try:
            return self.run()
        except Killed:
            self.kill = lambda number, when: False
            return self.run()

    def turn(self, state: FailoverState) -> None:
        standing = self.world.look()
        step = next_in(state, standing, self.now)
        match step:
            case Wait():
                self.now += timedelta(seconds=step.seconds)
                self.world.wait(step.seconds)
            case Deed():
                self.append(
                    Kind.FAILOVER_INTENT, {"deed": step.name, "because": step.because, "hurts": step.hurts}
                )
                self.deeds.append(step.name)
                problem = self.world.do(step)
                self.now += timedelta(seconds=0.5)
                if self.kill(len(self.events), "after the deed"):
                    raise Killed
                if problem:
                    self.append(Kind.FAILOVER_FAILED, {"deed": step.name, "problem": problem})
                else:
                    self.append(Kind.FAILOVER_ACTED, {"deed": step.name, "seconds": 0.5})
            case Ask():
                self.now += timedelta(seconds=1)
                self.world.wait(1)
                results = [asdict(result) for result in step.results]
                self.append(Kind.RESULTS, {"purpose": step.purpose, "results": results})
            case Turn():
                self.append(Kind.FAILOVER_TURNED, {"to": step.to, "because": step.because, "hint": step.hint})
            case End():
                self.append(
                    Kind.FAILOVER_ENDED,
                    {"outcome": str(step.outcome), "because": step.because, "hint": step.hint},
                )
