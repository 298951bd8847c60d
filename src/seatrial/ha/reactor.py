"""drbd-reactor: the promoter on the host that serves is asked to let go, and the one of a peer takes the resource. Pure.

Where the service is, is DRBD's word (who is Primary) and systemd's (the target of the services). `drbd-reactorctl evict` says
0 whatever comes of it, masks the target while it waits, and takes the mask back unless it is interrupted: so it is not its
answer that counts but what is seen afterwards, and a mask that is left is taken away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seatrial.ha.driver import Deed, Done, Goal, Step, Stuck, Wait
from seatrial.ha.replicas import Replica, read_json
from seatrial.model.command import Command, Output
from seatrial.model.fleet import Group
from seatrial.model.managed import DrbdReactorMover
from seatrial.model.result import Outcome, Result
from seatrial.model.text import safe

MAX_TRIES = 2
_LOOK_AGAIN = 1.0
_STATE = """
unit=$(systemd-escape --template=drbd-services@.target -- "$1")
echo "reactor $(systemctl is-active drbd-reactor.service)"
echo "services $(systemctl is-active "$unit")"
echo "enabled $(systemctl is-enabled "$unit" 2>/dev/null)"
"""
PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One host: its replicas, whether the daemon runs, whether the services do, and whether their target is masked."""

    replicas: tuple[Replica, ...]
    reactor: bool
    serves: bool
    masked: bool

    @property
    def is_primary(self) -> bool:
        """Whether it has the resource."""
        return any(one.role == "Primary" for one in self.replicas)

    @property
    def trouble(self) -> str:
        """Why it could not take the resource over, in words; "" when it could."""
        for one in self.replicas:
            if one.connection != "Connected":
                return f"volume {one.volume} is not connected to {one.peer}: {one.connection}"
            if one.disk != "UpToDate":
                return f"volume {one.volume} is {one.disk}"
            if not one.quorum or one.suspended:
                return (
                    f"volume {one.volume} has no quorum"
                    if not one.quorum
                    else "its input and output is suspended"
                )
        if not self.replicas:
            return "it has no such resource, or no peer of it"
        if not self.reactor:
            return "drbd-reactor does not run"
        return "its target is masked" if self.masked else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactorStanding:
    """The hosts as they were seen at one time; a sentence for one that is not known."""

    mover: DrbdReactorMover
    places: Mapping[str, Place | str]

    @property
    def carriers(self) -> frozenset[str] | None:
        """The host that is Primary. A silent host may be it, unless a peer is."""
        primary = frozenset(host for host, one in self._known.items() if one.is_primary)
        if len(primary) > 1:
            return None
        return primary if primary or len(self._known) == len(self.places) else None

    def told(self) -> Mapping[str, Any]:
        """By host, what it said."""
        return {
            host: one
            if isinstance(one, str)
            else {
                "primary": one.is_primary,
                "reactor": one.reactor,
                "serves": one.serves,
                "masked": one.masked,
                "replicas": [
                    f"{each.volume} {each.peer}: {each.connection} {each.disk}" for each in one.replicas[:8]
                ],
            }
            for host, one in self.places.items()
        }

    def refusals(self, goal: Goal) -> tuple[Result, ...]:
        """Its host must be known, the daemon must run there, and a peer must be able to take it."""
        return tuple(self._asked(goal))

    def _asked(self, goal: Goal) -> Iterator[Result]:
        carriers = self.carriers
        if carriers is None:
            yield self._unknown()
            return
        if not carriers:
            because = (
                f"nobody has {self.mover.resource}: there is nothing that could be asked to let go of it"
            )
            yield _result("primary", FAIL, because, "journalctl -u drbd-reactor on each host says why")
            return
        where = " and ".join(sorted(carriers))
        yield _result("primary", PASS, f"{where} has {self.mover.resource}")
        others = [host for host in self.places if host not in carriers]
        if goal.to and goal.to not in carriers and others != [goal.to]:
            because = (
                f"drbd-reactor itself chooses which of {' and '.join(others)} takes {self.mover.resource}"
            )
            yield _result("choice", FAIL, because, "leave --to out")
        able = [host for host in others if (one := self._known.get(host)) is not None and not one.trouble]
        reasons = "; ".join(f"{host}: {self._trouble(host)}" for host in others)
        hint = (
            f"drbd-reactorctl evict --unmask {self._plugin}"
            if "masked" in reasons
            else "drbdadm status says more"
        )
        because = f"{' and '.join(able)} can take it" if able else f"nobody can take it: {reasons}"
        if goal.met(carriers):
            because = f"{where} has it already"
        if goal.trial and not able and not goal.met(carriers):
            yield _result("peer", PASS, f"{because}, which is waited for")
        else:
            yield _result("peer", PASS if able or goal.met(carriers) else FAIL, because, hint)
        idle = [host for host in carriers if not self._known[host].reactor]
        yield _result(
            "daemon",
            FAIL if idle else PASS,
            f"drbd-reactor does not run on {idle[0]}" if idle else "drbd-reactor runs where it is",
            "systemctl start drbd-reactor.service",
        )

    def decide(self, goal: Goal) -> Step:
        """Evict where it is; what nobody took is there again by itself; a mask that is left goes."""
        carriers, name = self.carriers, self.mover.resource
        if carriers is None:
            return self._wait(goal, self._unknown().because)
        masked = [host for host, one in self._known.items() if one.masked]
        if goal.met(carriers) or (not carriers and masked):
            if masked and goal.tries.get("unmask", 0) <= MAX_TRIES:
                return self._deed(
                    "unmask", masked, "--unmask", because="a mask that is left would keep it from coming back"
                )
            if not carriers:
                return self._wait(goal, f"nobody has {name}")
            (where,) = carriers
            if not self._known[where].serves:
                return self._wait(goal, f"{where} has {name}, and its services do not run yet")
            return Done(because=f"{name} is on {where}, with its services")
        if not carriers:
            return self._wait(goal, f"nobody has {name} yet")
        (where,) = carriers
        if goal.tries.get("evict", 0) >= MAX_TRIES:
            why = f": {goal.problem}" if goal.problem else ""
            return Stuck(
                because=f"nobody took {name}, so it is on {where} again{why}",
                hint="journalctl -u drbd-reactor on the peer says why it did not",
            )
        able = [host for host, one in self._known.items() if host != where and not one.trouble]
        if not able or (goal.to and goal.to not in able):
            to = goal.to or next(host for host in self.places if host != where)
            return self._wait(goal, f"{to} cannot take {name}: {self._trouble(to)}")
        delay = str(int(min(self.mover.timeout, 60.0)))
        return self._deed(
            "evict", [where], "--delay", delay, because=f"{name} is to leave {where}", hurts=True
        )

    def proof(self, goal: Goal) -> tuple[Result, ...]:
        """The right host has it, its services run there, and no target is masked."""
        carriers = self.carriers
        if carriers is None:
            return (self._unknown(),)
        where = " and ".join(sorted(carriers)) or "nobody"
        idle = [host for host in carriers if not self._known[host].serves]
        masked = [host for host, one in self._known.items() if one.masked]
        return (
            _result("primary", PASS if goal.met(carriers) else FAIL, f"{where} has {self.mover.resource}"),
            _result(
                "services",
                FAIL if idle else PASS,
                f"the services of {where} {'do not run' if idle else 'run'}",
            ),
            _result("masks", FAIL if masked else PASS, f"masked on: {', '.join(masked) or 'no host'}"),
        )

    @property
    def _known(self) -> dict[str, Place]:
        return {host: one for host, one in self.places.items() if isinstance(one, Place)}

    @property
    def _plugin(self) -> str:
        return self.mover.plugin or self.mover.resource

    def _trouble(self, host: str) -> str:
        one = self.places[host]
        return one if isinstance(one, str) else one.trouble

    def _deed(self, name: str, hosts: Sequence[str], *words: str, because: str, hurts: bool = False) -> Deed:
        command = _evict(self._plugin, name, *words)
        return Deed(name=name, on=dict.fromkeys(hosts, (command,)), because=because, hurts=hurts)

    def _wait(self, goal: Goal, because: str) -> Step:
        if goal.seconds > self.mover.timeout:
            return Stuck(
                because=f"{because}, for {self.mover.timeout:g} s now",
                hint=goal.hint or "drbdadm status says more",
            )
        return Wait(seconds=_LOOK_AGAIN, because=because)

    def _unknown(self) -> Result:
        if sum(one.is_primary for one in self._known.values()) > 1:
            return _result(
                "primary", FAIL, f"two hosts have {self.mover.resource}", "drbdadm status says more"
            )
        said = "; ".join(f"{host}: {one}" for host, one in self.places.items() if isinstance(one, str))
        return _result("primary", UNKNOWN, f"it is not known who has {self.mover.resource}: {said}", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class DrbdReactor:
    """The promoters of drbd-reactor."""

    name: str = "drbd-reactor"

    def look(self, group: Group, *, whole: bool = True) -> Mapping[str, tuple[Command, ...]]:
        """DRBD's word and systemd's."""
        resource = _mover(group).resource
        status = ("drbdsetup", "status", resource, "--json")
        return dict.fromkeys(
            group.hosts,
            (
                Command(name="ha.replicas", argv=status, root=True, package="drbd-utils"),
                Command(name="ha.reactor", argv=("sh", "-c", _STATE, "sh", resource), package="systemd"),
            ),
        )

    def glance(self, group: Group) -> Mapping[str, tuple[Command, ...]]:
        """The same."""
        return self.look(group)

    def read(self, group: Group, answers: Mapping[str, Sequence[Output]]) -> ReactorStanding:
        """What each host said."""
        mover = _mover(group)
        return ReactorStanding(
            mover=mover, places={host: _place(mover, answers.get(host, ())) for host in group.hosts}
        )

    def carriers(self, group: Group, answers: Mapping[str, Sequence[Output]]) -> frozenset[str] | None:
        """Who is Primary."""
        return self.read(group, answers).carriers


def _place(mover: DrbdReactorMover, outputs: Sequence[Output]) -> Place | str:
    if len(outputs) < 2:
        return "it was not asked"
    status, state = outputs
    for output in (status, state):
        if not output.ok or output.truncated:
            last = output.stderr.strip().rpartition("\n")[2] or f"status {output.status}"
            return f"{output.command.argv[0]}: {safe((output.problem or last)[:300])}"
    replicas = read_json(status.stdout, mover.resource)
    said = {
        word: rest.strip() for word, _, rest in (line.partition(" ") for line in state.stdout.splitlines())
    }
    if replicas is None or not {"reactor", "services", "enabled"} <= said.keys():
        return "it answered in a way that is not understood"
    return Place(
        replicas=tuple(replicas),
        reactor=said["reactor"] == "active",
        serves=said["services"] == "active",
        masked=said["enabled"].startswith("masked"),
    )


def _result(check: str, outcome: Outcome, because: str, hint: str = "") -> Result:
    return Result(
        check=f"drbd-reactor.{check}", outcome=outcome, because=because, hint="" if outcome is PASS else hint
    )


def deeds(mover: DrbdReactorMover) -> tuple[Command, ...]:
    """Every Command of this driver that changes something."""
    plugin = mover.plugin or mover.resource
    delay = str(int(min(mover.timeout, 60.0)))
    return (_evict(plugin, "unmask", "--unmask"), _evict(plugin, "evict", "--delay", delay))


def _evict(plugin: str, name: str, *words: str) -> Command:
    return Command(
        name=f"ha.{name}",
        argv=("drbd-reactorctl", "evict", *words, plugin),
        safe=False,
        root=True,
        timeout=180.0,
        package="drbd-reactor",
    )


def _mover(group: Group) -> DrbdReactorMover:
    assert isinstance(group.mover, DrbdReactorMover)
    return group.mover
