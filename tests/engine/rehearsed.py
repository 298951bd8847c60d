"""A rehearsed rollout in a process of its own, which may be killed: what the engine's tests are made of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from seatrial.engine import controller, durable
from seatrial.engine.rehearsal import CANDIDATE, killer, open_simulation, rehearsal_fleet, rehearsal_world
from seatrial.fleetfile import parse
from seatrial.journal.store import Journal
from seatrial.model.event import Event
from seatrial.model.fleet import Fleet
from seatrial.model.fold import RolloutState, fold
from seatrial.vantage.simulation import ControllerFault, Simulation
from tests.engine.children import begun, ended

# The engine is loaded before any process is forked: loading it takes longer than a rollout.
assert durable.ENGINE_VERSION
TEXT = rehearsal_fleet()
MEASURED_TEXT = rehearsal_fleet(measured=True)


def text_of(measured: bool | str) -> str:
    """The fleet file; a word in place of True is what is measured against."""
    if isinstance(measured, str):
        return rehearsal_fleet(measured=True, against=measured)
    return MEASURED_TEXT if measured else TEXT


def fleet(*, measured: bool | str = False) -> Fleet:
    return parse(text_of(measured), filename="rehearsal")


def journal(folder: Path, after: Callable[[Event], None] | None = None) -> Journal:
    return Journal(f"sqlite:///{folder / 'journal.db'}", after_append=after)


def control(
    folder: Path,
    scenario: str,
    fault: ControllerFault,
    *,
    measured: bool | str = False,
    room: Path | None = None,
    after: Callable[[Event], None] | None = None,
) -> None:
    """Begin the rollout r1, or go on with it, in this process; the journal is in `room` where that is given."""
    declared = fleet(measured=measured)
    simulation = open_simulation(folder / "simulation.json", declared, scenario)
    simulation.kill_after_change = fault.after_change
    store = journal(room or folder, killer(fault) if fault.after_event else after)
    store.set_clock(simulation)
    if not store.rollouts():
        controller.start(
            store,
            declared,
            fleet_text=text_of(measured),
            candidate=CANDIDATE,
            hosts=tuple(declared.hosts),
            by="test",
            why="test",
        )
    asyncio.run(controller.run(store, rehearsal_world(declared, simulation), "r1"))


def controlled(
    folder: Path, scenario: str, fault: ControllerFault | None = None, *, measured: bool | str = False
) -> int:
    """Do that in a child; its exit status, negative for a signal."""
    folder.mkdir(exist_ok=True)
    return ended(begun(lambda: control(folder, scenario, fault or ControllerFault(), measured=measured)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """All that must not depend on where a controller died."""

    outcome: str
    trials: tuple[tuple[str, str, str], ...]
    hosts: tuple[tuple[str, str, str, str, int, str], ...]
    # Of which hosts each trial tells what else has changed, and of which it could not be told.
    besides: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]


def events(folder: Path) -> list[Event]:
    return journal(folder).read("r1")


def state(folder: Path) -> RolloutState:
    return fold(events(folder), rollout="r1")


def simulation(folder: Path) -> Simulation:
    return Simulation.load(folder / "simulation.json", fleet())


def ending(folder: Path) -> Ending:
    rollout, sim = state(folder), simulation(folder)
    return Ending(
        outcome=rollout.outcome,
        trials=tuple((t.host, str(t.state), str(t.facts.get("cause", ""))) for t in rollout.trials.values()),
        hosts=tuple(
            (name, host.running, host.default, host.next, host.boots, host.guard.phase)
            for name, host in sim.hosts.items()
        ),
        besides=tuple(
            (
                trial.host,
                tuple(sorted(trial.changed)),
                tuple(sorted(place for place, said in trial.changed.items() if said["unread"])),
            )
            for trial in rollout.trials.values()
        ),
    )
