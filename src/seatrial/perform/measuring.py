"""One stretch of a soak: the sampler on the host and on the clients, loads and queries meanwhile, all at once.

What is in: who is measured when, and the stretch as plain JSON for the journal. What is not: what it means (soak room),
making load (loading.py), and asking a Prometheus (queried.py).
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from seatrial.checks.onhost import script as text_of
from seatrial.checks.reading import clean, why_not
from seatrial.model.command import Command, Output
from seatrial.model.measure import Measure
from seatrial.model.observation import FlowCount
from seatrial.perform.loading import MOST, SLACK, drive
from seatrial.perform.queried import query
from seatrial.perform.world import World
from seatrial.soak.readings import Reading, rates, read, samples

STRETCH = 15.0  # seconds; a verdict is looked for after each
# The probes of a round become so many samples of the round trip, which is as long as a stretch has seconds.
TRIPS = 15


@dataclass(slots=True, kw_only=True)
class Stretch:
    """What one stretch showed. `problems` are sentences about what could not be measured; `new` lines of the kernel's log."""

    boot_id: str = ""
    kernel: str = ""
    seconds: float = 0.0
    loaded: float = 0.0
    series: dict[str, list[tuple[float, ...]]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)

    def told(self, arm: str, place: str, at: float) -> dict[str, Any]:
        """The stretch as the journal keeps it."""
        return {
            "arm": arm,
            "place": place,
            "at": at,
            "boot_id": self.boot_id,
            "kernel": self.kernel,
            "seconds": self.seconds,
            "loaded": self.loaded,
            "series": {name: [list(row) for row in rows] for name, rows in self.series.items()},
            "missing": self.problems,
            "new": self.new,
        }


async def stretch(world: World, place: str, measure: Measure, *, beside: bool = False) -> Stretch:
    """Measure `place` for STRETCH seconds, with the policy's clients, under the policy's loads.

    `beside` is for a peer that is measured beside the candidate: clients and loads are the candidate's then.
    """
    found = Stretch(seconds=STRETCH)
    at = world.clock.now().timestamp()
    places = (place,) if beside else (place, *measure.clients)
    loads = () if beside else measure.drive
    outputs, driven, queried = await asyncio.gather(
        asyncio.gather(
            *(world.ask(where, sample_command(measure, root=where in world.fleet.hosts)) for where in places)
        ),
        asyncio.gather(*(drive(world, name, STRETCH) for name in loads)),
        asyncio.gather(
            *(
                query(world, name, one, place, began=at, seconds=STRETCH)
                for name, one in measure.promql.items()
            )
        ),
    )
    for where, (output,) in zip(places, outputs, strict=True):
        _take(found, where, output, measure, at=at, is_host=where == place)
    for name, (series, problem) in zip(loads, driven, strict=True):
        found.series.update(series)
        if problem:
            found.problems.append(f"the load {name}: {problem}")
    for series, problem in queried:
        found.series.update(series)
        if problem:
            found.problems.append(problem)
    return found


def _take(found: Stretch, where: str, output: Output, measure: Measure, *, at: float, is_host: bool) -> None:
    """Put what one sampler said into the stretch."""
    reading = _reading(where, output)
    if isinstance(reading, str):
        found.problems.append(reading)
        return
    if not reading.whole:
        found.problems.append(f"{where}: the sampler was cut off after {len(reading.t)} samples")
    if is_host:
        found.boot_id, found.kernel = reading.boot_id, reading.kernel
        found.loaded = _loaded(reading, measure)
        found.new = [clean(line, 200) for line in reading.new]
    shift = at - (reading.t[0] if reading.t else 0.0)
    prefix = "" if is_host else f"{where}:"
    # Patterns may name the place; without one they are about every place that is measured.
    wanted = [one.removeprefix(f"{where}:") for one in measure.series]
    for name, rows in samples(reading, [*wanted, "blocked", "looked"], every=measure.every).items():
        found.series[prefix + name] = [(round(row[0] + shift, 3), *row[1:]) for row in rows]


def flow_series(
    counts: Sequence[FlowCount], at: float, measure: Measure
) -> dict[str, list[tuple[float, ...]]]:
    """The probes of a round: how many were lost of those that were sent, and how long they took in ms, by flow.

    A round trip is a sample for each TRIPS-th part of the round, in the order in which they were answered for.
    """
    found: dict[str, list[tuple[float, ...]]] = {
        f"flow.{one.flow}": [(at, float(one.sent - min(one.answered, one.sent)), float(one.sent))]
        for one in counts
        if one.sent
    }
    for one in counts:
        trips = one.rtt_ms
        parts = min(TRIPS, len(trips))
        edges = [round(number * len(trips) / parts) for number in range(parts + 1)] if parts else []
        rows = [
            (at + number * measure.every, sum(trips[begin:end]) / (end - begin))
            for number, (begin, end) in enumerate(itertools.pairwise(edges))
        ]
        if rows:
            found[f"rtt.{one.flow}"] = [tuple(row) for row in rows]
    return found


def _loaded(reading: Reading, measure: Measure) -> float:
    """Seconds of the stretch that count: all of it, or none soon after a boot or with less load than is asked for."""
    if not reading.t or reading.t[0] < measure.settle or not reading.whole:
        return 0.0
    if measure.load is None:
        return STRETCH
    rows = rates(reading, measure.load.of, every=measure.every)
    mean = sum(row[1] for row in rows) / len(rows) if rows else 0.0
    return STRETCH if mean >= measure.load.least else 0.0


def _reading(place: str, output: Output) -> Reading | str:
    if why := why_not(output, place):
        return why[0]
    reading = read(output.stdout)
    return f"{place}: {reading}" if isinstance(reading, str) else reading


def sample_command(measure: Measure, *, root: bool) -> Command:
    """One stretch of samples.

    What the NFS server knows of its clients, and the kernel's log, are root's. A host on trial has that login anyway;
    elsewhere it is measured as whoever is let in.
    """
    spec = {"seconds": STRETCH, "every": measure.every, "ports": list(measure.ports)}
    return Command(
        name="soak.sample",
        argv=("python3", "-", json.dumps(spec, separators=(",", ":"))),
        stdin=text_of("sampler"),
        root=root,
        timeout=STRETCH + SLACK,
        limit=MOST,
        package="python3",
    )
