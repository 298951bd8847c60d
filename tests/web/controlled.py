"""`python -m tests.web.controlled FOLDER`: the controller of a rehearsed rollout whose second stage waits for a person."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from seatrial.engine import controller
from seatrial.engine.rehearsal import CANDIDATE, open_simulation, rehearsal_fleet, rehearsal_world
from seatrial.fleetfile import parse
from seatrial.journal.store import Journal


def main(folder: Path) -> None:
    text = rehearsal_fleet(approval=True)
    declared = parse(text, filename="rehearsal")
    simulation = open_simulation(folder / "simulation.json", declared, "good")
    store = Journal(f"sqlite:///{folder / 'journal.db'}")
    store.set_clock(simulation)
    hosts = tuple(declared.hosts)
    name = controller.start(
        store, declared, fleet_text=text, candidate=CANDIDATE, hosts=hosts, by="test", why="live"
    )
    asyncio.run(controller.run(store, rehearsal_world(declared, simulation), name))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
