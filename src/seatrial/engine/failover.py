"""A failover from its first look to its end: a turn looks, folds the journal, asks the pure course and does one thing.

What is in: the order of those, and what a person or a trial may ask for. What is not: any rule of a move. It is no
workflow of the durable engine: a failover lasts seconds, and its journal alone says how to go on.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from seatrial.engine.lease import under_lease
from seatrial.errors import CouldNotAct, InputError, Refused, SeatrialError
from seatrial.ha.course import Ask, End, Turn, next_in, wants_all
from seatrial.ha.driver import Deed, Goal, Standing, Wait
from seatrial.journal.leases import FAILOVER_LEASE, Fence, Holder
from seatrial.journal.store import Journal
from seatrial.model.event import Event, Kind
from seatrial.model.failover import FailoverState, advance_failover, fold_failover
from seatrial.model.fleet import Fleet
from seatrial.model.result import Outcome
from seatrial.perform.look import carriers_of, standing_of
from seatrial.perform.moving import Moved, carry_out
from seatrial.perform.world import World

PROOF_AGAIN = 1.0
READY_SECONDS, READY_AGAIN = 120.0, 3.0


class FailoverTurns:
    """Turns of one failover."""

    def __init__(
        self,
        world: World,
        journal: Journal,
        failover: str,
        tell: Callable[[Event], None] | None = None,
        *,
        fence: Fence | None = None,
    ) -> None:
        self.world = world
        self.journal = journal
        self.failover = failover
        self._tell = tell or (lambda _: None)
        self._fence = fence
        self._state = FailoverState(id=failover)

    def state(self) -> FailoverState:
        """Where the failover stands, by the journal; only what came since the last reading is read."""
        for event in self.journal.read(self.failover, after=self._state.last):
            self._state = advance_failover(self._state, event)
            self._tell(event)
        return self._state

    async def turn(self) -> bool:
        """One turn; True when the failover is over."""
        if self.state().ended:
            return True
        group = self.world.fleet.groups[self.state().group]
        now = self.world.clock.now()
        whole = wants_all(self.state(), None, now)
        standing = await standing_of(self.world, group, whole=whole)
        if not whole and wants_all(self.state(), standing, now):
            standing = await standing_of(self.world, group)
        while True:
            # Writing down what was answered or decided changes nothing in the world: what was seen still holds.
            state = self.state()
            if state.ended:
                return True
            match next_in(state, standing, self.world.clock.now()):
                case Wait() as wait:
                    await self.world.clock.sleep(wait.seconds)
                    return False
                case Deed() as deed:
                    await self._do(deed, standing)
                    return False
                case Ask() as ask:
                    results = [_plain(asdict(result)) for result in ask.results]
                    self._append(Kind.RESULTS, {"purpose": ask.purpose, "results": results})
                    proof = self.state().proof
                    if ask.purpose == "proof" and proof is not None and proof.outcome is not Outcome.PASS:
                        await self.world.clock.sleep(PROOF_AGAIN)
                        return False
                case Turn() as turn:
                    data = {"to": turn.to, "because": turn.because, "hint": turn.hint, **_seen(standing)}
                    self._append(Kind.FAILOVER_TURNED, data)
                case End() as end:
                    carriers = standing.carriers
                    data = {
                        "outcome": str(end.outcome),
                        "because": end.because,
                        "hint": end.hint,
                        "carriers": None if carriers is None else sorted(carriers),
                        **_seen(standing),
                    }
                    self._append(Kind.FAILOVER_ENDED, data)

    async def _do(self, deed: Deed, standing: Standing) -> None:
        intent = {
            "deed": deed.name,
            "on": sorted(deed.on),
            "because": deed.because,
            "hurts": deed.hurts,
            **_seen(standing),
        }
        self._append(Kind.FAILOVER_INTENT, intent)
        try:
            moved = await carry_out(self.world, deed)
        except SeatrialError as error:
            moved = Moved(problem=error.message, hint=error.hint)
        told = {"deed": deed.name, "seconds": moved.seconds, "steps": moved.steps}
        if moved.problem:
            self._append(Kind.FAILOVER_FAILED, {**told, "problem": moved.problem, "hint": moved.hint})
        else:
            self._append(Kind.FAILOVER_ACTED, told)

    def _append(self, kind: Kind, data: Mapping[str, Any]) -> None:
        self.journal.append(kind, rollout=self.failover, by="seatrial", data=_plain(data), under=self._fence)


async def begin(
    journal: Journal,
    world: World,
    group: str,
    fence: Fence | None = None,
    /,
    *,
    to: str = "",
    away: str = "",
    by: str,
    why: str = "",
    force: str = "",
    trial: str = "",
    fleet_text: str = "",
) -> str:
    """Write down that a failover of a group begins, and return its name. Nothing is moved yet.

    Without `to` and `away` it goes away from where it is now. `fence` is what a trial must hold that begins it. Raises InputError for a group or host that is none, and
    Refused while another failover of the group is not over.
    """
    declared = _group(world.fleet, group)
    for host in (to, away):
        if host and host not in declared.hosts:
            raise InputError(
                f"{host} is not in group {group}", hint=f"its hosts: {', '.join(declared.hosts)}"
            )
    carriers = await carriers_of(world, declared)
    origin = min(carriers) if carriers else ""
    if carriers is None and not to and not away:
        raise InputError(
            f"it cannot be told which host of {group} carries it now, so not what the other one is",
            hint=f"say where it shall go: --to {' or --to '.join(declared.hosts)}",
        )
    if not to and not away:
        away = origin
    if not to and len(declared.hosts) == 2:
        to = next(host for host in declared.hosts if host != away)
    data = {
        "group": group,
        "driver": declared.mover.driver,
        "to": to,
        "away": away,
        "origin": origin,
        "why": why,
        "force": force,
        "trial": trial,
        "fleet": fleet_text,
    }
    return _written(journal, group, by, data, fence)


def _written(journal: Journal, group: str, by: str, data: Mapping[str, Any], fence: Fence | None) -> str:
    """The failover in the journal, unless one of the group is not over; of two that ask at once, one is refused."""
    me, lease = Holder.here(), FAILOVER_LEASE + group
    journal.take_lease(lease, me)
    try:
        if (open_ := unfinished(journal, group)) is not None:
            raise Refused(
                f"failover {open_.id} of {group} is not over",
                hint=f"go on with it: seatrial failover {group} --resume",
            )
        failover = journal.new_failover()
        under = _under(fence, lease, me)
        journal.append(Kind.FAILOVER_STARTED, rollout=failover, by=by, data=data, under=under)
        return failover
    finally:
        journal.drop_lease(lease, me)


async def await_ready(world: World, group: str, *, to: str, limit: float = READY_SECONDS) -> None:
    """Wait until nothing refuses a move to `to`, or for `limit` seconds: a host that has just booted is still connecting."""
    declared = world.fleet.groups[group]
    until = world.clock.now() + timedelta(seconds=limit)
    while world.clock.now() < until:
        standing = await standing_of(world, declared)
        if all(result.outcome is Outcome.PASS for result in standing.refusals(Goal(to=to))):
            return
        await world.clock.sleep(READY_AGAIN)


async def run(
    journal: Journal,
    world: World,
    failover: str,
    *,
    tell: Callable[[Event], None] | None = None,
    fence: Fence | None = None,
) -> FailoverState:
    """Be the controller of a failover until it is over, and return how it ended.

    Raises Refused while another one lives, and CouldNotAct when another one has taken it over.

    `tell` is called with each of its Events, once it is in the journal. Each is written under the lease of the group, and
    under `fence`: what a trial must hold that the failover is a part of.
    """
    me = Holder.here()
    lease = FAILOVER_LEASE + state_of(journal, failover).group
    turns = FailoverTurns(world, journal, failover, tell, fence=_under(fence, lease, me))
    journal.take_lease(lease, me)

    async def work() -> None:
        while not await turns.turn():
            pass

    try:
        await under_lease(journal, lease, me, work())
        return turns.state()
    finally:
        with contextlib.suppress(CouldNotAct):
            journal.drop_lease(lease, me)


def _under(fence: Fence | None, lease: str, me: Holder) -> Fence:
    return Fence(holder=me, leases=(lease,)) if fence is None else fence.and_of(lease)


def unfinished(journal: Journal, group: str) -> FailoverState | None:
    """The failover of a group that has begun and is not over; None when there is none."""
    for failover in reversed(journal.failovers()):
        state = state_of(journal, failover)
        if state.group == group:
            return None if state.ended else state
    return None


def state_of(journal: Journal, failover: str) -> FailoverState:
    """Where a failover stands."""
    return fold_failover(journal.read(failover), failover=failover)


def events_of(journal: Journal, failover: str) -> list[Event]:
    """All that the journal has of a failover."""
    return journal.read(failover)


def _group(fleet: Fleet, name: str) -> Any:
    if name not in fleet.groups:
        known = ", ".join(fleet.groups)
        raise InputError(
            f"there is no group {name!r} in the fleet",
            hint=f"its groups: {known}" if known else "declare one under `groups`",
        )
    return fleet.groups[name]


def _seen(standing: Standing) -> Mapping[str, Any]:
    return {"seen": standing.told()}


def _plain(data: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(data, default=str))
    return plain
