"""One worker of a rollout in a process of its own, which may be killed at any moment."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from seatrial.engine.workers import Worker
from seatrial.fleetfile import parse_bytes
from seatrial.journal.store import Journal
from tests.engine.shared import ScaledClock, far_world

if __name__ == "__main__":
    file, socket, began, speed, url, room = sys.argv[1:]
    fleet = parse_bytes(Path(file).read_bytes(), filename=file)
    clock = ScaledClock(float(began), float(speed))
    journal = Journal(url)
    journal.set_clock(clock)
    print("working", flush=True)
    asyncio.run(Worker(far_world(fleet, socket, clock), journal, "r1", room=int(room)).work())
