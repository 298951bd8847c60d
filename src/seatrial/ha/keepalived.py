"""Keepalived: who has the address, and how it is made to give it up. Pure: Commands out, answers read.

The operator's vrrp_instance tracks a file (`track_file`, a negative weight): a number above zero in it lowers the
priority, so that the peer takes over; zero takes that back. The file lives under /run, so a reboot forgets it: a host
that comes back never holds a grudge from before. The instances of a group have equal priorities or `nopreempt`, so that
an address stays where it was moved to when the file says zero again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seatrial.ha.driver import Deed, Done, Goal, Step, Stuck, Wait
from seatrial.model.command import Command, Output
from seatrial.model.fleet import Group
from seatrial.model.mover import KeepalivedMover
from seatrial.model.result import Outcome, Result

MOVE_SECONDS = 30.0
_LOOK_AGAIN = 0.5
_MAX_TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """What one host says: whether it has the address, and whether it is told to give it up. None: it did not say."""

    owns: bool | None
    yields: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepalivedStanding:
    """The members of a group as they were seen at one time."""

    mover: KeepalivedMover
    members: Mapping[str, Member]

    @property
    def carriers(self) -> frozenset[str] | None:
        """The one host that has the address.

        A host that does not answer may still have the address: then it is known only when a peer shows that it has it,
        since VRRP gives it to one host at a time.
        """
        return _owner({host: member.owns for host, member in self.members.items()})

    def told(self) -> Mapping[str, Any]:
        """By host, what it said."""
        return {host: {"owns": one.owns, "yields": one.yields} for host, one in self.members.items()}

    def refusals(self, goal: Goal) -> tuple[Result, ...]:
        """The one that is to have it must answer, and it must be known who has it now, if anybody does."""
        to = self._to(goal)
        heard = self.members[to].owns is not None
        because = f"{to} answers" if heard else f"{to} does not answer"
        answers = Result(
            check="keepalived.peer", outcome=Outcome.PASS if heard else Outcome.UNKNOWN, because=because
        )
        carriers = self.carriers
        who = " and ".join(sorted(carriers)) if carriers else "nobody that answers"
        owner = Result(
            check="keepalived.owner",
            outcome=Outcome.UNKNOWN if carriers is None else Outcome.PASS,
            because=f"{who} has {self.mover.address}",
            hint="" if carriers is not None else "does keepalived run on every host of the group?",
        )
        return answers, owner

    def decide(self, goal: Goal) -> Step:
        """The one that is to have it is told first: nobody gives it up before somebody is ready to take it."""
        to = self._to(goal)
        others = [host for host in self.members if host != to]
        carriers = self.carriers
        if carriers == frozenset({to}):
            # The others stand by again: among equals the address stays where it is, and they are there if it falls.
            behind = [host for host in others if self.members[host].yields]
            if behind and goal.tries.get("stand-by", 0) < _MAX_TRIES:
                return self._tell("stand-by", behind, give_up=False, because=f"{to} has {self.mover.address}")
            return Done(because=f"{to} has {self.mover.address}")
        if goal.seconds > MOVE_SECONDS:
            who = " and ".join(sorted(carriers)) if carriers else "nobody that answers"
            why = f": {goal.problem}" if goal.problem else ""
            return Stuck(
                because=f"{who} has {self.mover.address}, not {to}{why}",
                hint=goal.hint
                or f"does keepalived track {self.mover.yield_file} with a negative weight on every host?",
            )
        if self.members[to].yields is not False:
            return self._tell("take", [to], give_up=False, because=f"{to} is to have {self.mover.address}")
        unmoved = [host for host in others if self.members[host].yields is False]
        if unmoved:
            return self._tell(
                "yield", unmoved, give_up=True, because=f"{self.mover.address} is to move to {to}"
            )
        return Wait(seconds=_LOOK_AGAIN, because=f"{to} does not have {self.mover.address} yet")

    def proof(self, goal: Goal) -> tuple[Result, ...]:
        """One host has the address, and it is the right one."""
        met = goal.met(self.carriers)
        who = " and ".join(sorted(self.carriers or ())) or "nobody that answers"
        outcome = Outcome.PASS if met else Outcome.UNKNOWN if self.carriers is None else Outcome.FAIL
        return (Result(check="keepalived.owner", outcome=outcome, because=f"{who} has {self.mover.address}"),)

    def _to(self, goal: Goal) -> str:
        return goal.to or next(host for host in self.members if host != goal.away)

    def _tell(self, name: str, hosts: Sequence[str], *, give_up: bool, because: str) -> Deed:
        command = yield_command(self.mover, give_up=give_up)
        return Deed(name=name, on=dict.fromkeys(hosts, (command,)), because=because, hurts=name == "yield")


@dataclass(frozen=True, slots=True, kw_only=True)
class Keepalived:
    """VRRP by keepalived."""

    name: str = "keepalived"

    def look(self, group: Group, *, whole: bool = True) -> Mapping[str, tuple[Command, ...]]:
        """Whether a host has the address, and what its tracked file says."""
        mover = _mover(group)
        return {host: (owner_command(mover), yields_command(mover)) for host in group.hosts}

    def glance(self, group: Group) -> Mapping[str, tuple[Command, ...]]:
        """Whether a host has the address."""
        return {host: (owner_command(_mover(group)),) for host in group.hosts}

    def read(self, group: Group, answers: Mapping[str, Sequence[Output]]) -> KeepalivedStanding:
        """What each host said."""
        members = {}
        for host in group.hosts:
            outputs = answers.get(host, ())
            members[host] = Member(
                owns=has_address(outputs[0]) if outputs else None,
                yields=_yields(outputs[1]) if len(outputs) > 1 else None,
            )
        return KeepalivedStanding(mover=_mover(group), members=members)

    def carriers(self, group: Group, answers: Mapping[str, Sequence[Output]]) -> frozenset[str] | None:
        """The one host that has the address."""
        return _owner(
            {host: has_address(answers[host][0]) if answers.get(host) else None for host in group.hosts}
        )


def owner_command(mover: KeepalivedMover) -> Command:
    """Ask a host whether it has the virtual address now."""
    return Command(
        name="ha.owner", argv=("ip", "-o", "addr", "show", "to", mover.address), package="iproute2"
    )


def yields_command(mover: KeepalivedMover) -> Command:
    """Ask a host whether it is told to give the address up; a file that is not there says no."""
    return Command(
        name="ha.yields",
        argv=("sh", "-c", '[ -e "$1" ] || { echo 0; exit; }; cat "$1"', "sh", mover.yield_file),
        root=True,
    )


def has_address(output: Output) -> bool | None:
    """Whether that host has the address; None when it did not say."""
    return None if not output.ok else bool(output.stdout.strip())


def yield_command(mover: KeepalivedMover, *, give_up: bool) -> Command:
    """Tell a host to give the address up, or to stop doing so. Repeating it changes nothing."""
    return Command(
        name="ha.yield",
        # Written beside and renamed: keepalived must never read half a number.
        argv=(
            "sh",
            "-c",
            'mkdir -p "${1%/*}" && printf "%s\\n" "$2" > "$1.new" && mv "$1.new" "$1"',
            "sh",
            mover.yield_file,
            "1" if give_up else "0",
        ),
        safe=False,
        root=True,
    )


def _mover(group: Group) -> KeepalivedMover:
    assert isinstance(group.mover, KeepalivedMover)
    return group.mover


def _owner(answers: Mapping[str, bool | None]) -> frozenset[str] | None:
    owners = frozenset(host for host, owns in answers.items() if owns)
    if len(owners) == 1:
        return owners
    # Two owners, or none among those that answered: who carries the traffic cannot be told.
    silent = any(owns is None for owns in answers.values())
    return None if owners or silent else frozenset()


def _yields(output: Output) -> bool | None:
    said = output.stdout.strip()
    return None if not output.ok or not said else said != "0"
