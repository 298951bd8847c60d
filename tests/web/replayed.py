"""A journal that another one is copied into Event by Event, at the times of the first: what is seen of a rollout that runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from seatrial.journal.store import Journal
from seatrial.model.event import Event, Kind


class Told:
    """A clock that says when the Event was written that is copied next."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError("nobody waits here")


class Replay:
    """Goes through the Events of `recorded` once."""

    def __init__(self, recorded: Path, into: Path) -> None:
        self._left: Iterator[Event] = iter(Journal(f"sqlite:///{recorded}").read("r1"))
        self._store = Journal(f"sqlite:///{into}")
        assert self._store.new_rollout() == "r1"

    def until(self, is_it: Callable[[Event], bool]) -> Event:
        """Copy up to and with the first Event that is meant."""
        for event in self._left:
            self._store.set_clock(Told(event.at))
            self._store.append(Kind(event.kind), rollout="r1", host=event.host, by=event.by, data=event.data)
            if is_it(event):
                return event
        raise AssertionError("there is no such Event any more")
