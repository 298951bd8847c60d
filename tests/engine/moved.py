"""A failover of a simulated pair in a process of its own, which may be killed: what the engine's tests are made of."""

from __future__ import annotations

import asyncio
from pathlib import Path

from seatrial.engine import failover
from seatrial.engine.rehearsal import CANDIDATE, GOOD, killer, rehearsal_world
from seatrial.fleetfile import parse
from seatrial.journal.store import Journal
from seatrial.lab.nfspair import GROUP, nfs_pair_fleet
from seatrial.model.event import Event
from seatrial.model.failover import FailoverState
from seatrial.vantage.simulation import ControllerFault, Fault, Simulation
from tests.engine.children import begun, ended

TEXT = nfs_pair_fleet(lambda _: {"simulated": True})
FLEET = parse(TEXT, filename="the pair")


def platform(folder: Path, *faults: Fault) -> Simulation:
    """The pair as it was left, or a healthy one with these faults."""
    path = folder / "simulation.json"
    if path.exists():
        kept = Simulation.load(path, FLEET)
        kept.faults = faults or kept.faults
        return kept
    return Simulation.create(path, FLEET, good=GOOD, candidate=CANDIDATE, faults=faults)


def journal(folder: Path) -> Journal:
    """The journal of that folder."""
    return Journal(f"sqlite:///{folder / 'journal.db'}")


def control(
    folder: Path,
    faults: tuple[Fault, ...] = (),
    fault: ControllerFault | None = None,
    force: str = "",
    to: str = "",
) -> None:
    """Begin a failover, or go on with one that is open, in this process."""
    fault = fault or ControllerFault()
    sim = platform(folder, *faults)
    sim.kill_after_change = fault.after_change
    store = Journal(
        f"sqlite:///{folder / 'journal.db'}", after_append=killer(fault) if fault.after_event else None
    )
    store.set_clock(sim)
    world = rehearsal_world(FLEET, sim)

    async def go() -> None:
        open_ = failover.unfinished(store, GROUP)
        name = open_.id if open_ else await failover.begin(store, world, GROUP, by="test", force=force, to=to)
        await failover.run(store, world, name)

    asyncio.run(go())


def controlled(folder: Path, *faults: Fault, fault: ControllerFault | None = None) -> int:
    """Do that in a child; its exit status, negative for a signal."""
    folder.mkdir(exist_ok=True)
    return ended(begun(lambda: control(folder, faults, fault)))


def events(folder: Path, name: str = "f1") -> list[Event]:
    """What the journal has of a failover."""
    return journal(folder).read(name)


def state(folder: Path, name: str = "f1") -> FailoverState:
    """Where a failover stands."""
    return failover.state_of(journal(folder), name)


def serving(folder: Path) -> list[str]:
    """The hosts that have all of the service."""
    pair = platform(folder).pairs[GROUP]
    return [
        name
        for name, one in zip(FLEET.groups[GROUP].hosts, pair.hosts, strict=True)
        if one.up and one.primary and one.mounted and one.served and one.address
    ]
