"""Slots for hosts that reboot by themselves: asked for, given in one transaction, and released when checks prove the host.

What is in: who asks, the look at the journal and at the fleet, and the Event that says what came of it. What is not: HTTP
(web/fleetlock.py) and the rules (rollout/reboots.py). Any number of servers may run on one database: a grant is written
only when nothing that matters has come since it was decided, and one of them at a time asks the checks.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from dataclasses import dataclass

from seatrial.clock import SystemClock
from seatrial.engine.lease import under_lease
from seatrial.errors import CouldNotAct, InputError, Refused
from seatrial.journal.leases import Holder
from seatrial.journal.store import Journal, Unless
from seatrial.model.command import Command
from seatrial.model.event import Event, Kind
from seatrial.model.fleet import Fleet
from seatrial.model.fleetlock import FleetLock
from seatrial.model.result import Outcome
from seatrial.model.slots import KINDS, SLOT_KINDS, Away, Slot, fold_away
from seatrial.perform.look import SURVEYED_AT_ONCE
from seatrial.perform.probe import probe
from seatrial.perform.world import World
from seatrial.rollout.reboots import No, asked_of, by_journal, by_survey, has_slot

# How often a host that is back is asked again whether it is proven, in seconds.
PROVING = 5.0
# How often a grant is decided anew because something came meanwhile, before the client is told to ask again.
MOST_ROUNDS = 20
PROVER = "fleetlock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What a client says of itself, and where it asks from."""

    id: str
    group: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What it is told: `kind` is "" when it has what it asked for; `who` marks a no to somebody who is not known."""

    kind: str = ""
    value: str = ""
    who: bool = False


class Reboots:
    """The slots of one fleet. Raises InputError for a fleet file without `fleetlock`."""

    def __init__(self, journal: Journal, world: World) -> None:
        if world.fleet.fleetlock is None:
            raise InputError("the fleet file has no `fleetlock`", hint="docs/fleetlock.md says what it is")
        self.fleet: Fleet = world.fleet
        self.lock: FleetLock = world.fleet.fleetlock
        self._journal = journal
        self._world = world
        self._away = Away()
        # One decision at a time: whoever waits finds out more from the one before.
        self._deciding = asyncio.Lock()
        self._reading = asyncio.Lock()
        self._networks = tuple(ipaddress.ip_network(network) for network in self.lock.networks)

    def may_ask(self, address: str) -> bool:
        """Whether anybody at this address may ask at all."""
        here = _address(address)
        if here is None:
            return False
        if not self._networks:
            return here.is_loopback
        return any(here in network for network in self._networks if network.version == here.version)

    def _host_of(self, asking: Asking) -> str | Answer:
        group = self.lock.groups.get(asking.group)
        if group is None:
            return Answer(kind="unknown_group", value="the fleet file has no such reboot group", who=True)
        for name, host in group.hosts.items():
            if host.id != asking.id:
                continue
            if host.address is not None and _address(host.address) != _address(asking.address):
                return Answer(kind="unknown_address", value=f"{name} asks from another address", who=True)
            return name
        return Answer(kind="unknown_client", value="no host of that group has this id", who=True)

    async def pre_reboot(self, asking: Asking) -> Answer:
        """A host wants to reboot: it gets a slot, or the reason why not. Raises CouldNotAct without the journal."""
        host = self._host_of(asking)
        if isinstance(host, Answer):
            return host
        async with self._deciding:
            for _ in range(MOST_ROUNDS):
                away = await self._catch_up()
                if has_slot(away, host):
                    return Answer(value=f"{host} has its slot")
                no = by_journal(self.fleet, self.lock, away, host, self._world.clock.now())
                if no is None:
                    silent = await self._silent(asked_of(self.fleet, self.lock, host))
                    no = by_survey(self.fleet, self.lock, away, host, silent)
                if no is None:
                    data = {"group": asking.group, "because": "no peer is away, unproven or on trial"}
                    if await self._append(away, Kind.SLOT_GRANTED, host, asking.address, data):
                        return Answer(value=f"{host} may reboot")
                elif await self._refused(away, host, asking, no):
                    return Answer(kind=no.kind, value=no.because)
        return Answer(kind="failed_lock_busy", value="others ask at the same time; ask again")

    async def steady_state(self, asking: Asking) -> Answer:
        """A host is back: written down, and its slot is released when its checks pass. Raises CouldNotAct."""
        host = self._host_of(asking)
        if isinstance(host, Answer):
            return host
        async with self._deciding:
            for _ in range(MOST_ROUNDS):
                away = await self._catch_up()
                slot = away.slots.get(host)
                if slot is None:
                    return Answer(value=f"{host} has no slot")
                if slot.wished is not None:
                    return Answer(value=f"{host} is not proven yet: {slot.because or 'its checks are asked'}")
                data = {"group": slot.group}
                if await self._append(away, Kind.SLOT_WISHED, host, asking.address, data):
                    return Answer(value=f"{host}'s slot is released when its checks pass")
        return Answer(kind="failed_unlock_busy", value="others ask at the same time; ask again")

    async def _refused(self, away: Away, host: str, asking: Asking, no: No) -> bool:
        """Write a no down when it is another one than the last: clients ask every few minutes. False when overtaken."""
        if away.refused.get(host) == no.because:
            return True
        data = {"group": asking.group, "reason": no.kind, "because": no.because, "hint": no.hint}
        return await self._append(away, Kind.SLOT_REFUSED, host, asking.address, data)

    async def _catch_up(self) -> Away:
        def read() -> list[Event]:
            return self._journal.read(after=self._away.last, kinds=KINDS)

        async with self._reading:
            self._away = fold_away(await asyncio.to_thread(read), self._away)
            return self._away

    async def _append(self, away: Away, kind: Kind, host: str, by: str, data: dict[str, str]) -> bool:
        """Write it down unless something that it was decided by has changed since."""
        unless = Unless(kinds=KINDS, after=away.last)

        def append() -> Event | None:
            return self._journal.append_unless(unless, kind, rollout="", host=host, by=by, data=data)

        return await asyncio.to_thread(append) is not None

    async def _silent(self, hosts: tuple[str, ...]) -> frozenset[str]:
        """Those of the hosts that do not say that they are up, whatever the reason."""
        up = Command(name="host.up", argv=("true",))
        silent: set[str] = set()
        for first in range(0, len(hosts), SURVEYED_AT_ONCE):
            batch = hosts[first : first + SURVEYED_AT_ONCE]
            answers = await self._world.ask_all({host: [up] for host in batch})
            silent.update(host for host in batch if not answers[host][0].ok)
        return frozenset(silent)

    async def keep_proving(self) -> None:
        """Ask the checks of hosts that are back, again and again, until this is cancelled."""
        me = Holder.here()
        while True:
            # A database that is away, or a server that is quicker, is no reason to end: it is tried again.
            with contextlib.suppress(CouldNotAct, Refused):
                if self._wished(await self._catch_up()):
                    await asyncio.to_thread(self._journal.take_lease, PROVER, me)
                    try:
                        await under_lease(self._journal, PROVER, me, self.prove())
                    finally:
                        await asyncio.to_thread(self._journal.drop_lease, PROVER, me)
            await SystemClock().sleep(PROVING)

    async def prove(self) -> None:
        """Ask the checks of every host that is back, and release the slots of those that pass all of them."""
        for slot in self._wished(await self._catch_up()):
            because, hint = await self._lacking(slot.host)
            await self._proven(slot, because, hint)

    def _wished(self, away: Away) -> list[Slot]:
        known = self.lock.slots_of()
        return [slot for slot in away.slots.values() if slot.wished is not None and slot.host in known]

    async def _lacking(self, host: str) -> tuple[str, str]:
        """What is missing to call a host proven, and what to do about it; "" when nothing is."""
        fleet, policy = self.fleet, self.fleet.policy_of(host)
        if await self._silent((host,)):
            return f"{host} does not answer", "does it run, and may this server log in there?"
        probed = await probe(
            self._world,
            flows=fleet.flows_of(host),
            checks=fleet.checks_of(fleet.hosts[host].stage),
            probes=policy.probes,
            rate=policy.rate,
            max_loss=policy.max_loss,
        )
        if not probed.results:
            return "nothing was asked, and nothing proves nothing", "give its stage a check, or it a flow"
        if probed.outcome is Outcome.PASS:
            return "", ""
        wrong = [one for one in probed.results if one.outcome in (Outcome.FAIL, Outcome.UNKNOWN)]
        if not wrong:
            return "all checks were skipped", "give its stage a check, or it a flow"
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        return f"{wrong[0].check}: {wrong[0].because}{more}", wrong[0].hint

    async def _proven(self, slot: Slot, because: str, hint: str) -> None:
        for _ in range(MOST_ROUNDS):
            away = await self._catch_up()
            now = away.slots.get(slot.host)
            if now is None or now.wished != slot.wished or (because and now.because == because):
                return
            data = {"group": now.group, "because": because or "its checks pass", "hint": hint}
            kind = Kind.SLOT_UNPROVEN if because else Kind.SLOT_RELEASED
            if await self._append(away, kind, slot.host, "seatrial", data):
                return


def away_of(journal: Journal) -> Away:
    """Who has a slot, and what else keeps hosts away, by the journal. Raises CouldNotAct."""
    return fold_away(journal.read(kinds=KINDS))


def release(journal: Journal, host: str, *, by: str, why: str, ticket: str) -> Event:
    """A person has seen to a host: its slot is free, and its peers may go on. Raises Refused when it has none."""
    for _ in range(MOST_ROUNDS):
        away = away_of(journal)
        slot = away.slots.get(host)
        if slot is None and host not in away.stuck:
            raise Refused(f"{host} has no slot and waits for nobody", hint="seatrial fleetlock status")
        data = {"group": slot.group if slot else "", "because": "a person has seen to it", "why": why, "ticket": ticket}  # fmt: skip
        event = journal.append_unless(
            Unless(kinds=SLOT_KINDS, after=away.last), Kind.SLOT_RELEASED, rollout="", host=host, by=by, data=data
        )  # fmt: skip
        if event is not None:
            return event
    raise CouldNotAct("slots change all the time", hint="try again")


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    # A socket for both families says IPv4 in the clothes of IPv6.
    mapped = getattr(found, "ipv4_mapped", None)
    return mapped or found
