"""Workers: one of several controllers of a rollout, on one database. Each trial is run by whoever has its lease.

One of them has the lease of the rollout and lets trials begin, so that budgets and waves are kept by one mind. All look for
trials that are under way and whose lease nobody alive has: new ones, and those of a worker that died. The journal says
how far each is; an Event is written only under the lease, so that a worker that slept too long finds itself replaced.
What is not in: the durable engine, whose queue would be a second memory of who does what (docs/decisions.md).
"""

from __future__ import annotations

import asyncio
import contextlib

from seatrial.clock import SystemClock
from seatrial.engine.telling import telling, telling_lease
from seatrial.engine.turns import Turns, lease_of
from seatrial.errors import CouldNotAct, Refused
from seatrial.journal.leases import LEASE_SECONDS, Fence, Holder
from seatrial.journal.store import Journal
from seatrial.model.event import Kind
from seatrial.model.fold import RolloutState
from seatrial.perform.world import World

# How often leases are renewed and looked through, in seconds.
BEAT = 1.0
# How many trials one worker runs side by side.
ROOM = 50
# How long the database may be away before a worker gives up: its leases are long gone by then.
DATABASE_AWAY = 20 * LEASE_SECONDS


class Worker:
    """One controller of several. `room` is how many trials it runs side by side, at most."""

    def __init__(self, world: World, journal: Journal, rollout: str, *, room: int = ROOM) -> None:
        self._me = Holder.here()
        self._journal = journal
        self._rollout = rollout
        self._room = room
        self._turns = Turns(world, journal, rollout, fence=self._fence)
        # By lease: the loop of a trial, or that of the rollout.
        self._loops: dict[str, asyncio.Task[None]] = {}

    async def work(self) -> RolloutState:
        """Go on until the rollout is over, and return how it ended. Raises CouldNotAct when the database stays away."""
        async with telling(self._journal, self._rollout, self._turns.world.fleet, self._me):
            return await self._work()

    async def _work(self) -> RolloutState:
        away = 0.0
        try:
            while True:
                try:
                    if await self._beat():
                        return self._turns.state()
                    away = 0.0
                except CouldNotAct:
                    # Nothing was done that the journal does not know of; whoever has the leases then goes on.
                    away += BEAT
                    if away > DATABASE_AWAY:
                        raise
                await SystemClock().sleep(BEAT)
        finally:
            for loop in self._loops.values():
                loop.cancel()
            await asyncio.gather(*self._loops.values(), return_exceptions=True)
            with contextlib.suppress(CouldNotAct):
                for name in self._journal.keep_leases(self._me):
                    # Who is told of the end goes on behind this.
                    if name != telling_lease(self._rollout):
                        self._journal.drop_lease(name, self._me)

    async def _beat(self) -> bool:
        """Keep what is mine, let go of what is not any more, take what nobody has; True when the rollout is over."""
        held = self._journal.keep_leases(self._me)
        for name, loop in list(self._loops.items()):
            if name not in held:
                loop.cancel()
            if loop.done() or name not in held:
                del self._loops[name]
                self._end_of(name, loop)
        state = self._turns.state()
        if state.ended:
            return True
        leased = self._journal.leased()
        lead = lease_of(self._rollout)
        if lead not in leased or (lead in held and lead not in self._loops):
            self._take(lead, "")
        for trial in state.trials.values():
            if len(self._loops) > self._room:
                break
            name = lease_of(self._rollout, trial.host)
            orphaned = name not in leased or (name in held and name not in self._loops)
            if trial.under_way and name not in self._loops and orphaned:
                self._take(name, trial.host)
        return False

    def _take(self, name: str, host: str) -> None:
        """Begin a loop, unless another worker was quicker."""
        with contextlib.suppress(Refused):
            self._journal.take_lease(name, self._me)
            if not host:
                data = {"pid": self._me.pid, "machine": self._me.machine.split()[0]}
                self._journal.append(
                    Kind.CONTROLLER_TOOK,
                    rollout=self._rollout,
                    by="seatrial",
                    data=data,
                    under=self._fence(""),
                )
            self._loops[name] = asyncio.create_task(self._trial(host) if host else self._lead())

    def _fence(self, host: str) -> Fence:
        return Fence(holder=self._me, leases=(lease_of(self._rollout, host),))

    def _end_of(self, name: str, loop: asyncio.Task[None]) -> None:
        """A loop that lost its lease or its database is taken up again by somebody; any other error is ours."""
        if loop.done() and not loop.cancelled():
            error = loop.exception()
            if error is not None and not isinstance(error, CouldNotAct | Refused):
                raise error
        self._journal.drop_lease(name, self._me)

    async def _lead(self) -> None:
        while not (await self._turns.rollout_turn()).get("over"):
            pass

    async def _trial(self, host: str) -> None:
        while not await self._turns.trial_turn(host):
            pass
