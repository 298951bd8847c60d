"""A simulated platform that several processes share: a server on a socket has it, and its time runs fast for all of them."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from seatrial.engine.rehearsal import CANDIDATE, GOOD
from seatrial.fleetfile import parse_bytes
from seatrial.model.command import Command, Output, Trouble
from seatrial.model.fleet import Fleet
from seatrial.perform.world import World
from seatrial.vantage.simulated import SimulatedVantage
from seatrial.vantage.simulation import Fault, Simulation

START = datetime(2026, 1, 5, 9, tzinfo=UTC)


class ScaledClock:
    """Time that runs `speed` times as fast, the same for all processes of this machine."""

    def __init__(self, began: float, speed: float) -> None:
        self._began, self._speed = began, speed

    def now(self) -> datetime:
        return START + timedelta(seconds=(time.monotonic() - self._began) * self._speed)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._speed)


class FarVantage:
    """A place of the shared platform."""

    def __init__(self, name: str, socket: str) -> None:
        self.name, self._socket = name, socket

    async def run(self, commands: Sequence[Command]) -> list[Output]:
        asked = {"place": self.name, "commands": [{"name": c.name, "argv": c.argv} for c in commands]}
        reader, writer = await asyncio.open_unix_connection(self._socket, limit=2**24)
        try:
            writer.write(json.dumps(asked).encode() + b"\n")
            answers = json.loads(await reader.readline())
        finally:
            writer.close()
        return [
            Output(
                command=command,
                status=one["status"],
                stdout=one["stdout"],
                trouble=Trouble(one["trouble"]) if one["trouble"] else None,
                problem=one["problem"],
                hint=one["hint"],
                seconds=0.01,
            )
            for command, one in zip(commands, answers, strict=True)
        ]

    async def fresh(self) -> None:
        pass

    async def close(self) -> None:
        pass


def far_world(fleet: Fleet, socket: str, clock: ScaledClock) -> World:
    names = [*fleet.hosts, *fleet.vantages]
    return World(fleet=fleet, places={name: FarVantage(name, socket) for name in names}, clock=clock)


async def serve(fleet: Fleet, socket: str, clock: ScaledClock, faults: tuple[Fault, ...]) -> None:
    simulation = Simulation.create(
        None, fleet, good=GOOD, candidate=CANDIDATE, faults=faults, start=START, clock=clock
    )
    places = {name: SimulatedVantage(name, simulation) for name in (*fleet.hosts, *fleet.vantages)}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked = json.loads(await reader.readline() or b"null")
            if asked is None:
                return
            if asked.get("place") is None:
                told: Any = {name: [h.running, h.default, h.boots] for name, h in simulation.hosts.items()}
            else:
                commands = [Command(name=one["name"], argv=tuple(one["argv"])) for one in asked["commands"]]
                told = [
                    {
                        "status": one.status,
                        "stdout": one.stdout,
                        "trouble": str(one.trouble) if one.trouble else "",
                        "problem": one.problem,
                        "hint": one.hint,
                    }
                    for one in await places[asked["place"]].run(commands)
                ]
            writer.write(json.dumps(told).encode() + b"\n")
            await writer.drain()
        except ConnectionError:
            # Whoever asked was killed; what it asked for has happened all the same, as on a real host.
            pass
        finally:
            writer.close()

    async with await asyncio.start_unix_server(answer, socket, limit=2**24, backlog=1000) as server:
        print("ready", flush=True)
        await server.serve_forever()


async def hosts_of(socket: str) -> dict[str, list[Any]]:
    reader, writer = await asyncio.open_unix_connection(socket, limit=2**24)
    writer.write(b'{"place": null}\n')
    told: dict[str, list[Any]] = json.loads(await reader.readline())
    writer.close()
    return told


if __name__ == "__main__":
    file, where, began, speed, broken = sys.argv[1:]
    declared = parse_bytes(Path(file).read_bytes(), filename=file)
    wrong = tuple(
        Fault(host=host, kind="answers-lost", kernel=CANDIDATE) for host in broken.split(",") if host
    )
    asyncio.run(serve(declared, where, ScaledClock(float(began), float(speed)), wrong))
