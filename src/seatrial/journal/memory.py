"""A journal that lives in memory: for rehearsals, which nobody has to be able to resume.

A commit to disk for each of a quarter of a million Events would take most of a rehearsal's time. What is not in: the
database (store.py), and what an Event means.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from seatrial.clock import Clock
from seatrial.journal.leases import Fence, Holder
from seatrial.journal.store import Journal, Sought, Unless
from seatrial.model.event import Event


class MemoryJournal(Journal):
    """Events that are gone with the process."""

    def __init__(self, clock: Clock, *, after_append: Callable[[Event], None] | None = None) -> None:
        self._clock = clock
        self.url = "memory"
        self._kept: list[Event] = []
        self._failovers: list[str] = []
        self._after_append = after_append

    def _keep(self, fields: Mapping[str, Any], under: Fence | None, unless: Unless) -> Event | None:
        # There is nobody else, but rules are kept all the same.
        if unless.kinds and self.read(unless.rollout, after=unless.after, kinds=unless.kinds, limit=1):
            return None
        event = Event(seq=len(self._kept) + 1, **fields)
        self._kept.append(event)
        return event

    def _found(self, sought: Sought) -> list[Event]:
        found = self._kept[sought.after : None if sought.before is None else max(sought.before - 1, 0)]
        if sought.rollout is not None or sought.hosts is not None or sought.kinds:
            found = [
                event
                for event in found
                if sought.rollout in (None, event.rollout)
                and (sought.hosts is None or event.host in sought.hosts)
                and (not sought.kinds or event.kind in sought.kinds)
            ]
        return found[-sought.limit :] if sought.newest and sought.limit else found[: sought.limit]

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
