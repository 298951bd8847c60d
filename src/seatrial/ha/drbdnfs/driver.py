"""The Driver of a pair on DRBD that serves NFS: the parts of this room together. What is not in: any rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seatrial.ha.drbdnfs import batches
from seatrial.ha.drbdnfs.facts import MemberFacts, read_member
from seatrial.ha.drbdnfs.proof import proof
from seatrial.ha.drbdnfs.refusals import refusals
from seatrial.ha.drbdnfs.steps import decide, pair_of, serves
from seatrial.ha.driver import Goal, Step
from seatrial.model.command import Command, Output
from seatrial.model.fleet import Group
from seatrial.model.mover import DrbdNfsMover
from seatrial.model.result import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class PairStanding:
    """Both hosts as they were seen at one time; None for one that did not answer."""

    mover: DrbdNfsMover
    members: Mapping[str, MemberFacts | None]

    @property
    def carriers(self) -> frozenset[str] | None:
        """The one host that has all of the service."""
        return _carriers(self.mover, self.members)

    def told(self) -> Mapping[str, Any]:
        """By host, what steps are decided by."""
        return {host: None if one is None else one.told() for host, one in self.members.items()}

    def refusals(self, goal: Goal) -> tuple[Result, ...]:
        """See refusals.py."""
        return refusals(pair_of(self.mover, self.members, goal), goal)

    def decide(self, goal: Goal) -> Step:
        """See steps.py."""
        return decide(pair_of(self.mover, self.members, goal), goal)

    def proof(self, goal: Goal) -> tuple[Result, ...]:
        """See proof.py."""
        return proof(pair_of(self.mover, self.members, goal))


@dataclass(frozen=True, slots=True, kw_only=True)
class DrbdNfs:
    """DRBD, file systems, a service address and the kernel's NFS server by hand."""

    name: str = "drbd-nfs"

    def look(self, group: Group, *, whole: bool = True) -> Mapping[str, tuple[Command, ...]]:
        """One script on each host, which reads only; `whole` with a second one."""
        mover = _mover(group)
        commands = (batches.look(mover), batches.audit(mover)) if whole else (batches.look(mover),)
        return dict.fromkeys(group.hosts, commands)

    def glance(self, group: Group) -> Mapping[str, tuple[Command, ...]]:
        """The short form of the same script."""
        return dict.fromkeys(group.hosts, (batches.look(_mover(group)),))

    def read(self, group: Group, answers: Mapping[str, Sequence[Output]]) -> PairStanding:
        """What each host said."""
        return PairStanding(mover=_mover(group), members=_members(group, answers))

    def carriers(self, group: Group, answers: Mapping[str, Sequence[Output]]) -> frozenset[str] | None:
        """The one host that has all of the service."""
        return _carriers(_mover(group), _members(group, answers))


def _mover(group: Group) -> DrbdNfsMover:
    assert isinstance(group.mover, DrbdNfsMover)
    return group.mover


def _members(group: Group, answers: Mapping[str, Sequence[Output]]) -> dict[str, MemberFacts | None]:
    return {host: read_member(answers.get(host, ())) for host in group.hosts}


def _carriers(mover: DrbdNfsMover, members: Mapping[str, MemberFacts | None]) -> frozenset[str] | None:
    found = frozenset(host for host, facts in members.items() if serves(mover, facts))
    if len(found) == 1:
        return found
    silent = any(facts is None for facts in members.values())
    return None if found or silent else frozenset()
