"""Keepalived: who has the addresses, and how it is made to give them up. Pure: Commands out, answers read.

The operator's vrrp_instance tracks a file (`track_file`, a negative weight): a number above zero in it lowers the
priority, so that the peer takes over; zero takes that back. The file lives under /run, so a reboot forgets it: a host
that comes back never holds a grudge from before. The instances of a group have equal priorities and no `nopreempt`: among
equals an address stays where it was moved to when the file says zero again, and with `nopreempt` it would not leave at all,
since a backup then waits for the owner's end however low the owner's priority is. In a vrrp_sync_group it is the group that
has to track the file: what its instances track is not looked at. (Both were tried with 2.2.7.)
"""

from __future__ import annotations

import re
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
_ACTIVE = re.compile(r"^cache internal:\ncurrent active connections:\s*([0-9]{1,9})$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """What one host says: whether it has all addresses, and whether it is told to give them up. None: it did not say.

    `partly` is one that has some of them. Where conntrackd is to hand connections over, `connections` is how many it knows,
    and `taken` whether the host has taken them since it was last told to.
    """

    owns: bool | None
    yields: bool | None
    partly: bool = False
    connections: int | None = None
    taken: bool | None = None


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
        return _owner(self.members)

    def told(self) -> Mapping[str, Any]:
        """By host, what it said."""
        handed = self.mover.conntrackd
        return {
            host: {
                "owns": "some" if one.partly else one.owns,
                "yields": one.yields,
                **({"connections": one.connections, "taken": one.taken} if handed else {}),
            }
            for host, one in self.members.items()
        }

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
            because=f"{who} has {self._called}",
            hint="" if carriers is not None else "does keepalived run on every host of the group?",
        )
        return (answers, owner, *(() if goal.trial else self._connections(to)))

    def _connections(self, to: str) -> tuple[Result, ...]:
        """Both sides of the hand-over must answer."""
        if not self.mover.conntrackd:
            return ()
        silent = [host for host in {to, *(self.carriers or ())} if self.members[host].connections is None]
        return (
            Result(
                check="keepalived.connections",
                outcome=Outcome.UNKNOWN if silent else Outcome.PASS,
                because=f"conntrackd on {' and '.join(sorted(silent))} does not answer"
                if silent
                else f"conntrackd on {to} knows {self.members[to].connections} connections",
                hint="does conntrackd run there, with a UNIX socket in its configuration?" if silent else "",
            ),
        )

    def decide(self, goal: Goal) -> Step:
        """The one that is to have it is told first: nobody gives it up before somebody is ready to take it."""
        to = self._to(goal)
        others = [host for host in self.members if host != to]
        carriers = self.carriers
        if carriers == frozenset({to}):
            # The others stand by again: among equals the address stays where it is, and they are there if it falls.
            if (
                self.mover.conntrackd
                and not self.members[to].taken
                and goal.tries.get("hand-over", 0) < _MAX_TRIES
            ):
                because = f"{to} has to take the connections over that its peer told it of"
                return Deed(
                    name="hand-over", on={to: (hand_over_command(self.mover),)}, because=because, hurts=False
                )
            behind = [host for host in others if self.members[host].yields]
            if behind and goal.tries.get("stand-by", 0) < _MAX_TRIES:
                return self._tell("stand-by", behind, give_up=False, because=f"{to} has {self._called}")
            return Done(because=f"{to} has {self._called}")
        if goal.seconds > MOVE_SECONDS:
            who = " and ".join(sorted(carriers)) if carriers else "nobody that answers"
            why = f": {goal.problem}" if goal.problem else ""
            return Stuck(
                because=f"{who} has {self._called}, not {to}{why}",
                hint=goal.hint
                or f"does keepalived track {self.mover.yield_file} with a negative weight on every host, in the sync group if there is one?",
            )
        if self.mover.conntrackd and self.members[to].connections is None:
            return Wait(seconds=_LOOK_AGAIN, because=f"conntrackd on {to} does not answer")
        if self.members[to].taken and goal.tries.get("forget", 0) < _MAX_TRIES:
            because = f"what {to} took over before says nothing of this move"
            return Deed(name="forget", on={to: (forget_command(self.mover),)}, because=because, hurts=False)
        if self.members[to].yields is not False:
            return self._tell("take", [to], give_up=False, because=f"{to} is to have {self._called}")
        unmoved = [host for host in others if self.members[host].yields is False]
        if unmoved:
            return self._tell("yield", unmoved, give_up=True, because=f"{self._called} is to move to {to}")
        return Wait(seconds=_LOOK_AGAIN, because=f"{to} does not have {self._called} yet")

    def proof(self, goal: Goal) -> tuple[Result, ...]:
        """One host has the address, and it is the right one."""
        met = goal.met(self.carriers)
        who = " and ".join(sorted(self.carriers or ())) or "nobody that answers"
        outcome = Outcome.PASS if met else Outcome.UNKNOWN if self.carriers is None else Outcome.FAIL
        owner = Result(check="keepalived.owner", outcome=outcome, because=f"{who} has {self._called}")
        if not self.mover.conntrackd:
            return (owner,)
        one = self.members[self._to(goal)]
        taken = Result(
            check="keepalived.connections",
            outcome=Outcome.UNKNOWN if one.taken is None else Outcome.PASS if one.taken else Outcome.FAIL,
            because=f"{self._to(goal)} has taken the connections over, {one.connections} by now"
            if one.taken
            else f"{self._to(goal)} has not taken the connections over"
            + (f": {goal.problem}" if goal.problem else ""),
            hint="" if one.taken else "conntrackd -c there, and look at what it logs",
        )
        return owner, taken

    @property
    def _called(self) -> str:
        return " and ".join(self.mover.addresses)

    def _to(self, goal: Goal) -> str:
        return goal.to or next(host for host in self.members if host != goal.away)

    def _tell(self, name: str, hosts: Sequence[str], *, give_up: bool, because: str) -> Deed:
        commands = [yield_command(self.mover, give_up=give_up)]
        if self.mover.conntrackd and name == "stand-by":
            commands.append(_STAND_BY)
        return Deed(
            name=name, on=dict.fromkeys(hosts, tuple(commands)), because=because, hurts=name == "yield"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Keepalived:
    """VRRP by keepalived."""

    name: str = "keepalived"

    def look(self, group: Group, *, whole: bool = True) -> Mapping[str, tuple[Command, ...]]:
        """Whether a host has the addresses, what its tracked file says, and what conntrackd knows where that matters."""
        mover = _mover(group)
        more = (connections_command(mover),) if mover.conntrackd else ()
        return {host: (*owner_commands(mover), yields_command(mover), *more) for host in group.hosts}

    def glance(self, group: Group) -> Mapping[str, tuple[Command, ...]]:
        """Whether a host has the addresses."""
        return {host: owner_commands(_mover(group)) for host in group.hosts}

    def read(self, group: Group, answers: Mapping[str, Sequence[Output]]) -> KeepalivedStanding:
        """What each host said."""
        mover = _mover(group)
        members = {host: _member(mover, answers.get(host, ())) for host in group.hosts}
        return KeepalivedStanding(mover=mover, members=members)

    def carriers(self, group: Group, answers: Mapping[str, Sequence[Output]]) -> frozenset[str] | None:
        """The one host that has the addresses."""
        return self.read(group, answers).carriers


def _member(mover: KeepalivedMover, outputs: Sequence[Output]) -> Member:
    count = len(mover.addresses)
    has = [has_address(output) for output in outputs[:count]]
    known = len(has) == count and None not in has
    later = outputs[count:]
    connections, taken = _connections(later[1]) if len(later) > 1 else (None, None)
    return Member(
        owns=all(has) if known else None,
        partly=any(has) and not all(has),
        yields=_yields(later[0]) if later else None,
        connections=connections,
        taken=taken,
    )


def owner_commands(mover: KeepalivedMover) -> tuple[Command, ...]:
    """Ask a host whether it has each virtual address now."""
    return tuple(
        Command(name="ha.owner", argv=("ip", "-o", "addr", "show", "to", address), package="iproute2")
        for address in mover.addresses
    )


def connections_command(mover: KeepalivedMover) -> Command:
    """Ask a host what conntrackd knows, and whether it has taken connections over."""
    argv = (
        "sh",
        "-c",
        'if [ -e "$1" ]; then echo taken; else echo open; fi; conntrackd -s',
        "sh",
        _mark(mover),
    )
    return Command(name="ha.connections", argv=argv, root=True, package="conntrackd")


def hand_over_command(mover: KeepalivedMover) -> Command:
    """Put what the peer told of into the kernel's table, and begin anew to tell the peer."""
    argv = ("sh", "-c", _HAND_OVER, "sh", _mark(mover))
    return Command(name="ha.hand-over", argv=argv, safe=False, root=True, timeout=30.0, package="conntrackd")


def forget_command(mover: KeepalivedMover) -> Command:
    """Take the mark of an earlier hand-over away."""
    return Command(name="ha.forget", argv=("rm", "-f", "--", _mark(mover)), safe=False, root=True)


# conntrackd says 0 to all of these whatever comes of them, and 1.4.7 passes over a flush after a commit ("still in progress",
# long after its log has said how many it committed). So what counts is the kernel's own table: it must have nearly all that
# the peer told of; a few end by themselves meanwhile.
_HAND_OVER = """
set -eu
external() { conntrackd -s | sed -n '/^cache external/,/^$/s/^current active connections:[^0-9]*//p'; }
told=$(external)
conntrackd -c
turns=0
while known=$(cat /proc/sys/net/netfilter/nf_conntrack_count); [ $((known * 10)) -lt $((${told:-0} * 9)) ]; do
    turns=$((turns + 1))
    [ "$turns" -lt 100 ] || { echo "the kernel has $known of $told connections that the peer told of" >&2; exit 1; }
    sleep 0.1
done
conntrackd -f
conntrackd -R
conntrackd -B
mkdir -p "${1%/*}"
: >"$1"
"""
_STAND_BY = Command(
    name="ha.connections-stand-by",
    # Old entries end sooner, and the new owner is asked for its own.
    argv=("sh", "-ec", "conntrackd -t; conntrackd -n"),
    safe=False,
    root=True,
    package="conntrackd",
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


def deeds(mover: KeepalivedMover) -> tuple[Command, ...]:
    """Every Command of this driver that changes something."""
    told = tuple(yield_command(mover, give_up=give_up) for give_up in (True, False))
    return (*told, hand_over_command(mover), forget_command(mover), _STAND_BY)


def _mover(group: Group) -> KeepalivedMover:
    assert isinstance(group.mover, KeepalivedMover)
    return group.mover


def _owner(members: Mapping[str, Member]) -> frozenset[str] | None:
    owners = frozenset(host for host, one in members.items() if one.owns)
    torn = any(one.partly for one in members.values())
    if len(owners) == 1 and not torn:
        return owners
    # Two owners, some of the addresses here and some there, or none among those that answered: it cannot be told.
    silent = any(one.owns is None for one in members.values())
    return None if owners or silent or torn else frozenset()


def _mark(mover: KeepalivedMover) -> str:
    return f"{mover.yield_file}.connections"


def _connections(output: Output) -> tuple[int | None, bool | None]:
    first, _, rest = output.stdout.partition("\n")
    found = _ACTIVE.search(rest)
    if not output.ok or found is None or first not in ("taken", "open"):
        return None, None
    return int(found.group(1)), first == "taken"


def _yields(output: Output) -> bool | None:
    said = output.stdout.strip()
    return None if not output.ok or not said else said != "0"
