"""The remote control of one virtual machine: its power, its reset button and its cables, over QEMU's QMP socket.

What is in: a few commands and the events. What is not: starting QEMU (warden.py), and anything inside the guest.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from seatrial.errors import LabError

_WAIT = 20.0


class Qmp:
    """One connection. QEMU serves one client of a socket at a time, so it is made, used and closed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Qmp:
        try:
            async with asyncio.timeout(_WAIT):
                self._reader, self._writer = await asyncio.open_unix_connection(self._path)
                await self._reader.readline()
                await self.ask("qmp_capabilities")
        except (OSError, TimeoutError) as problem:
            raise LabError(
                f"the virtual machine behind {self._path} does not answer: {problem or 'no answer'}",
                hint="seatrial lab status says whether it still runs",
            ) from None
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._writer:
            self._writer.close()

    async def ask(self, execute: str, **arguments: Any) -> Any:
        """One command and its answer. Raises LabError when QEMU says no."""
        assert self._reader and self._writer
        self._writer.write(json.dumps({"execute": execute, "arguments": arguments}).encode() + b"\n")
        await self._writer.drain()
        async with asyncio.timeout(_WAIT):
            while line := await self._reader.readline():
                answer = json.loads(line)
                if "return" in answer:
                    return answer["return"]
                if "error" in answer:
                    said = answer["error"].get("desc", "no reason")
                    raise LabError(f"QEMU refused {execute}: {said}", hint="is the host powered on?")
        raise LabError(f"QEMU closed the connection during {execute}", hint="seatrial lab status")

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """What happens to the machine, until it ends."""
        assert self._reader
        while line := await self._reader.readline():
            said = json.loads(line)
            if "event" in said:
                yield said


async def status(path: Path) -> str:
    """QEMU's own word: running, paused, shutdown, ..."""
    async with Qmp(path) as qmp:
        return str((await qmp.ask("query-status"))["status"])


async def reset(path: Path) -> None:
    """Press the reset button; a machine that was powered off starts."""
    async with Qmp(path) as qmp:
        await qmp.ask("system_reset")


async def power_off(path: Path) -> None:
    """Stop the machine at once, as if its plug was pulled; `reset` starts it again."""
    async with Qmp(path) as qmp:
        await qmp.ask("stop")


async def set_link(path: Path, nic: str, *, up: bool) -> None:
    """Pull or plug the cable of a network card (mgmt0, lan0, wan0)."""
    async with Qmp(path) as qmp:
        await qmp.ask("set_link", name=nic, up=up)


async def forwarded_port(path: Path) -> int:
    """The port on 127.0.0.1 that leads to the guest's SSH: QEMU took a free one."""
    async with Qmp(path) as qmp:
        table = str(await qmp.ask("human-monitor-command", **{"command-line": "info usernet"}))
    for line in table.splitlines():
        words = line.split()
        if words and words[0].startswith("TCP[HOST_FORWARD]"):
            return int(words[3])
    raise LabError("QEMU did not say which port leads to the guest's SSH", hint=table.strip()[-200:])
