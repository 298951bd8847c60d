"""A rollout of the rehearsed platform whose monitoring is real: blockers and silences are asked from this machine, in real time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from seatrial.engine import controller, light
from seatrial.engine.rehearsal import CANDIDATE, GOOD, SCENARIOS, rehearsal_fleet, rehearsal_world
from seatrial.engine.turns import Turns
from seatrial.fleetfile import parse
from seatrial.journal.store import Journal
from seatrial.model.event import Event, Kind
from seatrial.model.fold import RolloutState
from seatrial.vantage.local import LocalVantage
from seatrial.vantage.simulation import Simulation

from .monitored import PATIENCE, eventually


class Held:
    """A rollout of the rehearsed platform whose blockers are asked from this machine, in real time."""

    def __init__(
        self,
        folder: Path,
        blockers: dict[str, dict[str, Any]],
        *,
        silences: dict[str, dict[str, Any]] | None = None,
        scenario: str = "good",
    ) -> None:
        declared = yaml.safe_load(rehearsal_fleet())
        declared["silences"] = {name: {"from": "here", **one} for name, one in (silences or {}).items()}
        declared["vantages"]["here"] = {"local": True}
        declared["rollout"] = {
            "blockers": {name: {"from": "here", "timeout": "60s", **one} for name, one in blockers.items()}
        }
        text = yaml.safe_dump(declared)
        self.fleet = parse(text, filename="fleet.yaml")
        simulation = Simulation.create(
            None, self.fleet, good=GOOD, candidate=CANDIDATE, faults=SCENARIOS[scenario]
        )
        world = rehearsal_world(self.fleet, simulation)
        here = LocalVantage("here", places=asyncio.Semaphore(4))
        self.world = replace(world, places={**world.places, "here": here})
        self.journal = Journal(f"sqlite:///{folder / 'journal.db'}")
        controller.start(
            self.journal,
            self.fleet,
            fleet_text=text,
            candidate=CANDIDATE,
            hosts=tuple(self.fleet.hosts),
            by="test",
            why="",
        )

    def state(self) -> RolloutState:
        return controller.state_of(self.journal, "r1")

    def events(self, kind: Kind) -> list[Event]:
        return self.journal.read("r1", kinds=(kind,))

    async def run(self, meanwhile: Callable[[], None]) -> RolloutState:
        """Carry it out; what a test does meanwhile runs in a thread."""
        running = asyncio.create_task(light.run(Turns(self.world, self.journal, "r1", idle_poll=0.5)))
        try:
            acting = asyncio.create_task(asyncio.to_thread(meanwhile))
            await asyncio.wait_for(acting, PATIENCE)
            await asyncio.wait_for(running, PATIENCE)
        finally:
            running.cancel()
            await self.world.close()
        return self.state()

    def waits_for(self, *names: str) -> None:
        eventually(lambda: set(self.state().blockers) == set(names), f"{names} to be told")
