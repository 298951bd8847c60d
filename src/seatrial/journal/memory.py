"""A journal that lives in memory: for rehearsals, which nobody has to be able to resume.

A commit to disk for each of a quarter of a million Events would take most of a rehearsal's time. What is not in: the
database (store.py), and what an Event means.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from seatrial.clock import Clock
from seatrial.journal.store import Holder, Journal
from seatrial.model.event import Event, Kind


class MemoryJournal(Journal):
    """Events that are gone with the process."""

    def __init__(self, clock: Clock, *, after_append: Callable[[Event], None] | None = None) -> None:
        self._clock = clock
        self.url = "memory"
        self._kept: list[Event] = []
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
            seq=len(self._kept) + 1,
            at=self._clock.now(),
            kind=str(kind),
            rollout=rollout,
            host=host,
            by=by,
            data=data or {},
        )
        self._kept.append(event)
        if self._after_append is not None:
            self._after_append(event)
        return event

    def read(
        self,
        rollout: str | None = None,
        *,
        host: str | None = None,
        after: int = 0,
        before: int | None = None,
        kinds: Sequence[Kind] = (),
        limit: int | None = None,
        newest: bool = False,
    ) -> list[Event]:
        """The Events of one rollout (or of all) behind place `after`, oldest first, at most `limit` of them."""
        found = self._kept[after : None if before is None else max(before - 1, 0)]
        if rollout is not None or host is not None or kinds:
            wanted = {str(kind) for kind in kinds}
            found = [
                event
                for event in found
                if rollout in (None, event.rollout)
                and host in (None, event.host)
                and (not wanted or event.kind in wanted)
            ]
        return found[-limit:] if newest and limit else found[:limit]

    def rollouts(self) -> list[str]:
        """Names of all rollouts, oldest first."""
        return list(dict.fromkeys(event.rollout for event in self._kept if event.rollout.startswith("r")))

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
