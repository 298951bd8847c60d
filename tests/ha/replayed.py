"""A recorded failover beside the machine: every state that a look showed has to be one, and the next one has to follow from it.

A look shows what the machine's hosts are, without the batches that were under way: so a step of the record is right when some way
through the machine leads from a state that looks like the one to a state that looks like the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from seatrial.ha.drbdnfs.machine import HostState

from .explored import HOSTS, Explored, Whole, explore

Shown = tuple[bool, bool, bool, bool, bool] | None
Seen = tuple[Shown, Shown]
FAULTS = (
    "kill", "cut", "mend", "crash 0", "crash 1", "boot 0", "boot 1", "mute 0", "mute 1", "heard 0", "heard 1",
    "busy 0", "busy 1", "no-mount 0", "no-mount 1", "nfsd-stuck 0",
)  # fmt: skip


def shown(told: Mapping[str, Any] | None) -> Shown:
    """What the journal has of a host in a look: primary, mounted, served, with the address, connected."""
    if told is None:
        return None
    return (
        told["role"] == "Primary",
        bool(told["mounted"]),
        int(told["threads"]) > 0,
        bool(told["address"]),
        told["connection"] == "Connected",
    )


def seen(told: Mapping[str, Any], origin: str) -> Seen:
    """Both hosts in a look, the one that served at the beginning first, as the machine has it."""
    other = next(host for host in told if host != origin)
    return shown(told[origin]), shown(told[other])


def strays(looks: Iterable[Seen]) -> list[tuple[Seen, Seen]]:
    """The steps of a record that no way through the machine explains; none is what is wanted."""
    found = machine()
    wrong = []
    before: Seen | None = None
    for after in looks:
        if before is None:
            if after not in found.looks:
                wrong.append((after, after))
        elif after != before and after not in found.behind(before):
            wrong.append((before, after))
        before = after
    return wrong


class _Machine:
    """All states by how they look, and which looks can come behind which."""

    def __init__(self, explored: Explored) -> None:
        self.looks: dict[Seen, list[Whole]] = defaultdict(list)
        self.after: dict[Whole, list[Whole]] = defaultdict(list)
        for state, befores in explored.before.items():
            self.looks[_looks(state)].append(state)
            for before in befores:
                self.after[before].append(state)
        self._behind: dict[Seen, frozenset[Seen]] = {}

    def behind(self, look: Seen) -> frozenset[Seen]:
        """Every look that some way leads to."""
        if look not in self._behind:
            todo = list(self.looks.get(look, ()))
            reached = set(todo)
            for state in todo:
                for after in self.after[state]:
                    if after not in reached:
                        reached.add(after)
                        todo.append(after)
            self._behind[look] = frozenset(_looks(state) for state in reached)
        return self._behind[look]


@cache
def machine() -> _Machine:
    """What is explored with two faults, once for all records."""
    return _Machine(explore(FAULTS, left=2, late=False))


def _looks(state: Whole) -> Seen:
    one, two = (
        None if which in state.mute or not here.up else _shown(here)
        for which, here in enumerate(state.pair.hosts)
    )
    return one, two


def _shown(here: HostState) -> Shown:
    return here.primary, here.mounted, here.served, here.address, here.linked


assert len(HOSTS) == 2
