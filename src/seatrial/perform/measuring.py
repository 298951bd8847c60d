"""One stretch of a soak: the sampler on the host and on the clients, the loads that are made meanwhile, all at once.

What is in: who is measured when, and the stretch as plain JSON for the journal. What is not: what it means (soak room).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seatrial.checks.onhost import script as text_of
from seatrial.checks.reading import clean, why_not
from seatrial.model.command import Command, Output
from seatrial.model.measure import CommandLoad, Measure
from seatrial.model.observation import FlowCount
from seatrial.perform.world import World
from seatrial.soak.loads import read_load
from seatrial.soak.readings import Reading, rates, read, samples

STRETCH = 15.0  # seconds; a verdict is looked for after each
SLACK = 20.0  # seconds that a login and a busy host may add
MOST = 8 * 1024 * 1024


@dataclass(slots=True, kw_only=True)
class Stretch:
    """What one stretch showed. `problems` are sentences about what could not be measured."""

    boot_id: str = ""
    kernel: str = ""
    seconds: float = 0.0
    loaded: float = 0.0
    series: dict[str, list[tuple[float, ...]]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

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
        }


async def stretch(world: World, place: str, measure: Measure, *, driven: bool = True) -> Stretch:
    """Measure `place` and the policy's clients for STRETCH seconds, under the policy's loads if `driven`."""
    found = Stretch(seconds=STRETCH)
    at = world.clock.now().timestamp()
    places = (place, *measure.clients)
    asked: list[tuple[str, Command]] = [(one, _sample(measure)) for one in places]
    loads = measure.drive if driven else ()
    asked += [(world.fleet.loads[name].source_vantage, _load(world, name, STRETCH)) for name in loads]
    answers = await asyncio.gather(*(world.ask(where, command) for where, command in asked))
    outputs = [output for (output,) in answers]
    for where, output in zip(places, outputs, strict=False):
        reading = _reading(where, output)
        if isinstance(reading, str):
            found.problems.append(reading)
            continue
        prefix = "" if where == place else f"{where}:"
        if where == place:
            found.boot_id, found.kernel = reading.boot_id, reading.kernel
            found.loaded = _loaded(reading, measure)
        shift = at - (reading.t[0] if reading.t else 0.0)
        wanted = [*measure.series, "blocked"]
        for name, rows in samples(reading, wanted, every=measure.every).items():
            found.series[prefix + name] = [(round(row[0] + shift, 3), *row[1:]) for row in rows]
    for name, output in zip(loads, outputs[len(places) :], strict=True):
        rows_of, problem = read_load(name, output.stdout, at=at)
        found.series.update(rows_of)
        why = why_not(output, world.fleet.loads[name].source_vantage)
        if problem or why is not None:
            found.problems.append(f"the load {name}: {clean(problem) or (why or ('', ''))[0]}")
    return found


async def drive(world: World, name: str, seconds: float) -> tuple[dict[str, list[tuple[float, ...]]], str]:
    """Make the load `name` for so long: what it saw of its own work as series, and what went wrong ("" if nothing).

    Raises KeyError for a load that the fleet does not have.
    """
    place = world.fleet.loads[name].source_vantage
    at = world.clock.now().timestamp()
    (output,) = await world.ask(place, _load(world, name, seconds))
    series, problem = read_load(name, output.stdout, at=at)
    why = why_not(output, place)
    return series, clean(problem) or (why[0] if why else "")


def flow_series(counts: Sequence[FlowCount], at: float) -> dict[str, list[tuple[float, ...]]]:
    """The probes of a round as counts: how many were lost of those that were sent, by flow."""
    return {
        f"flow.{one.flow}": [(at, float(one.sent - min(one.answered, one.sent)), float(one.sent))]
        for one in counts
        if one.sent
    }


def _loaded(reading: Reading, measure: Measure) -> float:
    """Seconds of the stretch that count: all of it, or none soon after a boot or with less load than is asked for."""
    if not reading.t or reading.t[0] < measure.settle:
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


def _sample(measure: Measure) -> Command:
    spec = {"seconds": STRETCH, "every": measure.every}
    return _script("soak.sample", "sampler", spec, safe=True, seconds=STRETCH)


def _load(world: World, name: str, seconds: float) -> Command:
    load = world.fleet.loads[name]
    spec: Mapping[str, Any] = {
        **load.model_dump(include={"kind", "rate", "path", "size", "threads"}),
        **({"argv": list(load.argv)} if isinstance(load, CommandLoad) else {}),
        "seconds": seconds,
    }
    return _script("soak.load", "load", spec, safe=False, seconds=seconds)


def _script(name: str, script: str, spec: Mapping[str, Any], *, safe: bool, seconds: float) -> Command:
    return Command(
        name=name,
        argv=("python3", "-", json.dumps(spec, separators=(",", ":"))),
        stdin=text_of(script),
        safe=safe,
        timeout=seconds + SLACK,
        limit=MOST,
        package="python3",
    )
