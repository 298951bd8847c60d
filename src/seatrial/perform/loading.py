"""Work that is made on purpose for a soak: a load's Commands, and the far ends that loads along flows need.

What is in: making one load for a while. What is not: what it means (soak room), and who asks for it when.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from seatrial.checks.onhost import script as text_of
from seatrial.checks.reading import Listening, clean, understood, why_not
from seatrial.model.command import Command, Output
from seatrial.model.measure import CommandLoad, FlowLoad, NfsLoad, ShareLoad
from seatrial.perform.world import World
from seatrial.soak.loads import read_load

SLACK = 20.0  # seconds that a login and a busy host may add
MARGIN = 15.0  # seconds that a far end outlives a load whose controller is gone
MOST = 8 * 1024 * 1024

Series = dict[str, list[tuple[float, ...]]]


async def drive(world: World, name: str, seconds: float) -> tuple[Series, str]:
    """Make the load `name` for so long: what it saw of its own work as series, and what went wrong ("" if nothing).

    Raises KeyError for a load that the fleet does not have.
    """
    load = world.fleet.loads[name]
    if isinstance(load, FlowLoad):
        return await _along(world, name, load, seconds)
    at = world.clock.now().timestamp()
    (output,) = await world.ask(load.source_vantage, _work(load, seconds))
    return _said(name, load.source_vantage, output, at)


async def _along(world: World, name: str, load: FlowLoad, seconds: float) -> tuple[Series, str]:
    """Beacons listen at the far ends first, and are ended when the last answer is in."""
    run = secrets.token_hex(6)
    flows = {flow: world.fleet.flows[flow] for flow in load.along}
    index = {flow: number for number, flow in enumerate(flows)}
    marks = {
        flow: {"flow": flow, "index": index[flow], "protocol": one.protocol, "address": one.address, "port": load.port}
        for flow, one in flows.items()
    }  # fmt: skip
    far = {place: [marks[flow] for flow, one in flows.items() if one.to == place] for place in
           dict.fromkeys(one.to for one in flows.values())}  # fmt: skip
    lifetime = seconds + MARGIN
    answers = await asyncio.gather(*(world.ask(to, _listen(run, mine, lifetime)) for to, mine in far.items()))
    for place, (output,) in zip(far, answers, strict=True):
        if why := _not_listening(output, place):
            await _end(world, run, far)
            return {}, why
    spec = {
        "run": run, "flows": list(marks.values()), "rate": load.rate, "size": load.size, "hold": load.hold,
        "seconds": seconds,
    }  # fmt: skip
    at = world.clock.now().timestamp()
    try:
        command = _script("soak.flows", "flowload", spec, seconds=seconds, verb="send")
        (output,) = await world.ask(load.source_vantage, command)
    finally:
        await _end(world, run, far)
    return _said(name, load.source_vantage, output, at)


def _not_listening(output: Output, place: str) -> str:
    if why := why_not(output, place):
        return why[0]
    said = understood(Listening, output, place)
    if isinstance(said, str):
        return said
    return next((f"{place}: {one.problem}" for one in said.flows.values() if one.problem), "")


async def _end(world: World, run: str, far: Mapping[str, Sequence[Any]]) -> None:
    end = _script("flow.collect", "beacon", {"run": run}, seconds=0.0, verb="collect")
    await asyncio.gather(*(world.ask(place, end) for place in far))


def _said(name: str, place: str, output: Output, at: float) -> tuple[Series, str]:
    series, problem = read_load(name, output.stdout, at=at)
    why = why_not(output, place)
    return series, clean(problem) or (why[0] if why else "")


def _listen(run: str, flows: Sequence[Mapping[str, Any]], lifetime: float) -> Command:
    spec = {"run": run, "lifetime": lifetime, "flows": list(flows)}
    return _script("flow.listen", "beacon", spec, seconds=0.0, verb="listen")


def _work(load: ShareLoad | NfsLoad | CommandLoad, seconds: float) -> Command:
    spec = {**load.model_dump(mode="json", exclude={"source_vantage"}), "seconds": seconds}
    command = _script("soak.load", "load", spec, seconds=seconds)
    if not isinstance(load, NfsLoad):
        return command
    # The NFS client is a library of this program, and its vantage is on this machine.
    return replace(command, argv=(sys.executable, *command.argv[1:]))


def _script(name: str, script: str, spec: Mapping[str, Any], *, seconds: float, verb: str = "") -> Command:
    words = (verb,) if verb else ()
    return Command(
        name=name,
        argv=("python3", "-", *words, json.dumps(spec, separators=(",", ":"))),
        stdin=text_of(script),
        safe=False,
        timeout=seconds + SLACK,
        limit=MOST,
        package="python3",
    )
