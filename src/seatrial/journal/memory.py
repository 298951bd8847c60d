"""A journal that lives in memory: for rehearsals, which nobody has to be able to resume.

A commit to disk for each of a quarter of a million Events would take most of a rehearsal's time. What is not in: the
database (store.py), and what an Event means.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from seatrial.clock import Clock
from seatrial.journal.store import Holder, Journal, Unless
from seatrial.model.event import Event, Kind


class MemoryJournal(Journal):
    """Events that are gone with the process."""

    def __init__(self, clock: Clock, *, after_append: Callable[[Event], None] | None = None) -> None:
        self._clock = clock
        self.url = "memory"
        self._events: list[Event] = []
        self._failovers: list[str] = []
        self._after_append = after_append

    def append(
        self,
        kind: Kind,
        *,
        rollout: str,
        host: str = "",
        by: str = "",
        data: Mapping[str, Any] | None = None,
        under: tuple[str, Holder] | None = None,
    ) -> Event:
        """Keep one Event and return it with its place."""
        event = Event(
            seq=len(self._events) + 1,
            at=self._clock.now(),
            kind=str(kind),
            rollout=rollout,
            host=host,
            by=by,
            data=data or {},
        )
        self._events.append(event)
        if self._after_append is not None:
            self._after_append(event)
        return event

    def append_unless(
        self,
        unless: Unless,
        kind: Kind,
        *,
        rollout: str,
        host: str = "",
        by: str = "",
        data: Mapping[str, Any] | None = None,
        under: tuple[str, Holder] | None = None,
    ) -> Event | None:
        """The same, unless an Event of these kinds has come; there is nobody else, but rules are kept all the same."""
        if unless.kinds and self.read(after=unless.after, kinds=unless.kinds, limit=1):
            return None
        return self.append(kind, rollout=rollout, host=host, by=by, data=data, under=under)

    def read(
        self,
        rollout: str | None = None,
        *,
        after: int = 0,
        kinds: Sequence[Kind] = (),
        limit: int | None = None,
    ) -> list[Event]:
        """The Events of one rollout (or of all) behind place `after`, oldest first, at most `limit` of them."""
        found = self._events[after:]
        if rollout is None and not kinds:
            return found[:limit]
        wanted = {str(kind) for kind in kinds}
        return [
            event
            for event in found
            if rollout in (None, event.rollout) and (not wanted or event.kind in wanted)
        ][:limit]

    def rollouts(self) -> list[str]:
        """Names of all rollouts, oldest first."""
        return list(dict.fromkeys(event.rollout for event in self._events if event.rollout.startswith("r")))

    def failovers(self) -> list[str]:
        """Names of all failovers, oldest first."""
        return list(self._failovers)

    def new_failover(self) -> str:
        """A name that no failover has had."""
        self._failovers.append(f"f{len(self._failovers) + 1}")
        return self._failovers[-1]

    def take_lease(self, name: str, me: Holder) -> None:
        """There is nobody else."""

    def keep_lease(self, name: str, me: Holder) -> bool:
        """There is nobody else."""
        return True

    def drop_lease(self, name: str, me: Holder) -> None:
        """There is nobody else."""

    def close(self) -> None:
        """There is nothing to let go of."""
