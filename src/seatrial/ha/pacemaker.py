"""Pacemaker: it is asked to move a resource, and does. Nothing is started or stopped beside it. Pure.

The programs are Pacemaker's own (crm_mon, cibadmin, crm_resource), which every cluster has whether its people use pcs or
crmsh. A move is a location constraint with an end (`crm_resource --move --lifetime`), so that a controller that dies leaves
nothing for good; it is taken back as soon as the resource is where it should be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seatrial.ha.cluster import MOST, Cluster, read_cluster
from seatrial.ha.driver import Deed, Done, Goal, Step, Stuck, Wait
from seatrial.model.command import Command, Output
from seatrial.model.fleet import Group
from seatrial.model.managed import PacemakerMover
from seatrial.model.result import Outcome, Result

MAX_TRIES = 3
_LOOK_AGAIN = 1.0
_PACKAGE = "pacemaker-cli-utils"
PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class PacemakerStanding:
    """What each member says of the cluster it is in, or why it says nothing."""

    mover: PacemakerMover
    hosts: tuple[str, ...]
    views: Mapping[str, Cluster | str]

    @property
    def view(self) -> Cluster | None:
        """The cluster, as a member with quorum sees it; None when none does, or two see different ones."""
        seen = [one for one in self.views.values() if isinstance(one, Cluster) and one.has_quorum]
        return seen[0] if seen and len({one.leader for one in seen}) == 1 else None

    @property
    def carriers(self) -> frozenset[str] | None:
        """The hosts on which every part of it runs. Parts on different hosts, or on one that is no member, are unknown."""
        view = self.view
        if view is None or not view.parts or any(one.unclean for one in view.peers.values()):
            return None
        places = {part.on for part in view.parts}
        if len(places) != 1:
            return frozenset() if not any(places) else None
        by_name = {self._called(host): host for host in self.hosts}
        (place,) = places
        return None if not place <= by_name.keys() else frozenset(by_name[name] for name in place)

    def told(self) -> Mapping[str, Any]:
        """By host, what it said; of the cluster what a move goes by."""
        return {host: _told(view) for host, view in self.views.items()}

    def refusals(self, goal: Goal) -> tuple[Result, ...]:
        """One cluster with quorum that manages the resource, runs it, has nothing failed on where it goes, and no old constraint."""
        view = self.view
        if view is None:
            return (self._no_view(),)
        return tuple(self._asked(view, goal))

    def _asked(self, view: Cluster, goal: Goal) -> Iterator[Result]:
        name, to = self.mover.resource, self._to(goal)
        yield _result("quorum", PASS, f"the cluster has quorum, its DC is {view.leader}")
        off = (
            "the cluster is in maintenance mode"
            if view.is_kept
            else "all resources of the cluster are stopped"
            if view.is_stopped
            else ""
        )
        hint = (
            "crm_attribute -n maintenance-mode -D"
            if view.is_kept
            else "crm_attribute -n stop-all-resources -D"
        )
        yield _result("managed", FAIL if off else PASS, off or "the cluster manages its resources", hint)
        yield self._parts(view)
        peer = view.peers.get(self._called(to))
        trouble = "no machine of the cluster" if peer is None else peer.trouble
        awaited = bool(goal.trial) and peer is not None and peer.is_coming
        yield _result(
            "peer",
            FAIL if trouble and not awaited else PASS,
            f"{to} is {trouble}{', which is waited for' if awaited else ''}"
            if trouble
            else f"{to} is online",
            f"crm_standby -N {self._called(to)} -D"
            if trouble == "in standby"
            else "crm_mon -1 on any member says more",
        )
        parts = {part.name for part in view.parts} | {name}
        failed = [
            operation
            for operation, where in view.failures
            if where == self._called(to) and any(operation.startswith(f"{part}_") for part in parts)
        ]
        yield _result(
            "failures",
            FAIL if failed else PASS,
            f"{failed[0]} failed on {to} before" if failed else f"nothing of {name} has failed on {to}",
            f"see why, then: crm_resource --cleanup --resource {name}",
        )
        old = ", ".join(location.id for location in view.locations)
        yield _result(
            "constraints",
            FAIL if old else PASS,
            f"an earlier move has left {old}" if old else f"no earlier move of {name} has left a constraint",
            f"if nobody needs it any more: crm_resource --clear --resource {name}",
        )

    def _parts(self, view: Cluster) -> Result:
        name, carriers = self.mover.resource, self.carriers
        if not view.parts:
            known = "crm_resource --list says which there are"
            return _result("resource", FAIL, f"the cluster has no resource {name}", known)
        for part in view.parts:
            for wrong, words in (
                (not part.managed, "is not managed"),
                (part.disabled, "is to be stopped (target-role)"),
                (part.blocked, "is blocked"),
                (part.failed, "has failed"),
            ):
                if wrong:
                    return _result(
                        "resource", FAIL, f"{part.name} {words}", "crm_mon -1 on any member says more"
                    )
        where = " and ".join(sorted(carriers or ()))
        if carriers is None:
            return _result("resource", UNKNOWN, f"the parts of {name} are not all on one host of the group")
        return _result("resource", PASS, f"{name} runs on {where}" if where else f"{name} runs nowhere")

    def decide(self, goal: Goal) -> Step:
        """Ask the cluster once, wait for it, and take the constraint back when the resource is where it should be."""
        view, carriers, name = self.view, self.carriers, self.mover.resource
        if view is None or carriers is None:
            because = self._no_view().because if view is None else f"{name} is not wholly on one host"
            return self._wait(goal, because, "crm_mon -1 on the members says what each of them sees")
        if goal.met(carriers):
            return self._settled(goal, view)
        if goal.tries.get("clear"):
            back = " and ".join(sorted(carriers)) or "nowhere"
            return Stuck(
                because=f"{name} went back to {back} when the constraint of the move was taken away",
                hint="a location constraint prefers that machine and resource-stickiness is lower: crm_simulate -L -s",
            )
        if any(
            location.on in (self._called(self._to(goal)), self._called(goal.away))
            for location in view.locations
        ):
            return self._wait(
                goal,
                f"the cluster moves {name} to {self._to(goal)}",
                "crm_mon -1 on any member says what it waits for",
            )
        peer = view.peers.get(self._called(self._to(goal)))
        if peer is None or peer.trouble:
            return self._wait(
                goal, f"{self._to(goal)} is {'unknown' if peer is None else peer.trouble}", goal.hint
            )
        if goal.tries.get("move", 0) >= MAX_TRIES:
            why = f": {goal.problem}" if goal.problem else ""
            return Stuck(because=f"the cluster did not take the move of {name}{why}", hint=goal.hint)
        if goal.seconds > self.mover.timeout:
            return self._wait(goal, f"{name} is not on {self._to(goal)}", goal.hint)
        return self._deed("move", self._move(goal), f"{name} is to run on {self._to(goal)}", view, hurts=True)

    def _settled(self, goal: Goal, view: Cluster) -> Step:
        name, where = self.mover.resource, " and ".join(sorted(self.carriers or ()))
        if not view.locations:
            return Done(because=f"{name} runs on {where}, and the cluster is free again to move it")
        if goal.tries.get("clear", 0) >= MAX_TRIES:
            left = ", ".join(location.id for location in view.locations)
            return Stuck(
                because=f"{name} runs on {where}, and {left} is still there",
                hint=f"crm_resource --clear -r {name}",
            )
        command = _crm_resource("ha.clear", "--clear", "--resource", name)
        return self._deed("clear", command, "the move is over; its constraint has to go", view, hurts=False)

    def proof(self, goal: Goal) -> tuple[Result, ...]:
        """It runs where it should, whole; nothing of it has failed; no constraint is left."""
        view, carriers = self.view, self.carriers
        if view is None or carriers is None:
            return (self._no_view(),)
        where = " and ".join(sorted(carriers)) or "nowhere"
        parts = self._parts(view)
        left = ", ".join(location.id for location in view.locations)
        return (
            _result("where", PASS if goal.met(carriers) else FAIL, f"{self.mover.resource} runs on {where}"),
            parts,
            _result(
                "constraints",
                FAIL if left else PASS,
                f"{left} is still there" if left else "no constraint is left",
            ),
        )

    def _move(self, goal: Goal) -> Command:
        words = ["--resource", self.mover.resource]
        words += ["--promoted"] if self.mover.promoted else []
        # Twice the time that the move may take: then it is gone, whatever became of this controller.
        words += ["--lifetime", f"PT{int(2 * self.mover.timeout)}S"]
        if goal.to or len(self.hosts) == 2:
            return _crm_resource("ha.move", "--move", *words, "--node", self._called(self._to(goal)))
        return _crm_resource("ha.move", "--ban", *words, "--node", self._called(goal.away))

    def _deed(self, name: str, command: Command, because: str, view: Cluster, *, hurts: bool) -> Deed:
        # Any member with quorum will do; the cluster itself hands it on.
        at = next(host for host in self.hosts if self.views.get(host) == view)
        return Deed(name=name, on={at: (command,)}, because=because, hurts=hurts)

    def _wait(self, goal: Goal, because: str, hint: str) -> Step:
        if goal.seconds > self.mover.timeout:
            why = f": {goal.problem}" if goal.problem else ""
            return Stuck(because=f"{because}, for {self.mover.timeout:g} s now{why}", hint=hint)
        return Wait(seconds=_LOOK_AGAIN, because=because)

    def _to(self, goal: Goal) -> str:
        return goal.to or next(host for host in self.hosts if host != goal.away)

    def _called(self, host: str) -> str:
        return self.mover.names.get(host, host)

    def _no_view(self) -> Result:
        seen = [one for one in self.views.values() if isinstance(one, Cluster)]
        if len({one.leader for one in seen if one.has_quorum}) > 1:
            because = "the members are in two clusters, each with quorum of its own"
            return _result("quorum", FAIL, because, "nothing may be moved before they are one again")
        if seen:
            return _result(
                "quorum", FAIL, "the cluster has no quorum", "a cluster without quorum moves nothing"
            )
        said = "; ".join(f"{host}: {self.views.get(host, 'it was not asked')}" for host in self.hosts)
        hint = f"does pacemaker run there, and is {_PACKAGE} installed?"
        return _result("quorum", UNKNOWN, f"no member says what the cluster does: {said}", hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacemaker:
    """A cluster's own manager."""

    name: str = "pacemaker"

    def look(self, group: Group, *, whole: bool = True) -> Mapping[str, tuple[Command, ...]]:
        """Each member's view of the cluster, and the constraints."""
        return dict.fromkeys(group.hosts, LOOK)

    def glance(self, group: Group) -> Mapping[str, tuple[Command, ...]]:
        """The same: two programs that ask the local daemon."""
        return self.look(group)

    def read(self, group: Group, answers: Mapping[str, Sequence[Output]]) -> PacemakerStanding:
        """What each member said."""
        mover = _mover(group)
        views: dict[str, Cluster | str] = {}
        for host in group.hosts:
            mon, constraints = (*answers.get(host, ()), None, None)[:2]
            views[host] = read_cluster(mon, constraints, mover.resource, promoted=mover.promoted)
        return PacemakerStanding(mover=mover, hosts=group.hosts, views=views)

    def carriers(self, group: Group, answers: Mapping[str, Sequence[Output]]) -> frozenset[str] | None:
        """Where the whole resource runs."""
        return self.read(group, answers).carriers


LOOK = (
    Command(
        name="ha.cluster", argv=("crm_mon", "-1", "--output-as=xml"), root=True, limit=MOST, package=_PACKAGE
    ),
    Command(
        name="ha.constraints",
        argv=("cibadmin", "--query", "--scope", "constraints"),
        root=True,
        limit=MOST,
        package=_PACKAGE,
    ),
)


def deeds(mover: PacemakerMover, called: Sequence[str]) -> tuple[Command, ...]:
    """Every Command of this driver that changes something; `called` are the cluster's names of the hosts."""
    words = ["--resource", mover.resource, *(["--promoted"] if mover.promoted else [])]
    words += ["--lifetime", f"PT{int(2 * mover.timeout)}S"]
    moves = tuple(
        _crm_resource("ha.move", how, *words, "--node", name)
        for how in ("--move", "--ban")
        for name in called
    )
    return (*moves, _crm_resource("ha.clear", "--clear", "--resource", mover.resource))


def _crm_resource(name: str, *words: str) -> Command:
    return Command(
        name=name, argv=("crm_resource", *words), safe=False, root=True, timeout=60.0, package=_PACKAGE
    )


def _told(view: Cluster | str) -> Any:
    if isinstance(view, str):
        return view
    return {
        "dc": view.leader,
        "quorum": view.has_quorum,
        "maintenance": view.is_kept,
        "peers": {name: peer.trouble or "online" for name, peer in view.peers.items()},
        "parts": {part.name: sorted(part.on) for part in view.parts},
        "failures": [f"{operation} on {where}" for operation, where in view.failures[:10]],
        "constraints": [location.id for location in view.locations],
    }


def _result(check: str, outcome: Outcome, because: str, hint: str = "") -> Result:
    return Result(
        check=f"pacemaker.{check}", outcome=outcome, because=because, hint="" if outcome is PASS else hint
    )


def _mover(group: Group) -> PacemakerMover:
    assert isinstance(group.mover, PacemakerMover)
    return group.mover
