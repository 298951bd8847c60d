"""A room of this machine that is a test's own: mounts, network, processes. It ends with the test, also when that is killed.

Its first process reads from a pipe that only the test holds: when the test is gone the pipe ends, the process ends, and
the kernel ends all others in the room and takes away its mounts and interfaces.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from seatrial.checks import registry
from seatrial.model.check import Check
from seatrial.model.command import Vantage
from seatrial.model.result import Result
from seatrial.vantage.local import LocalVantage
from tests.vantage.grounds import program

# What `make test` unpacks beside the environment because installing it would take something else's place.
UNPACKED = Path(sys.prefix) / "debian" / "usr"
os.environ["PATH"] += f":{UNPACKED / 'sbin'}:{UNPACKED / 'bin'}"


class Inside(LocalVantage):
    """A room as a vantage: the same as the one of a network namespace, and its mounts and processes as well."""

    def __init__(self, enter: list[str]) -> None:
        super().__init__("vm", places=asyncio.Semaphore(4))
        self._enter = enter

    @property
    def argv(self) -> tuple[str, ...]:
        """What leads to the sh that reads the script."""
        return (*self._enter, "sh")


class Room:
    """The room, and how something is done in it."""

    def __init__(self) -> None:
        self.holder = subprocess.Popen(
            [
                program("unshare"),
                "-Urnmpf",
                "--mount-proc",
                "--kill-child",
                "sh",
                "-c",
                "echo made; exec cat",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.holder.stdout is not None and self.holder.stdout.readline() == "made\n"
        inner = Path(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children").read_text().split()[0]
        enter = ["--preserve-credentials", "-t", inner, "-U", "-m", "-n", "-p", "--"]
        self.enter = [program("nsenter"), *enter]
        self.vantage: Vantage = Inside(self.enter)

    def shell(self, lines: str) -> str:
        """Run shell text in the room and return what it wrote."""
        argv = [*self.enter, "sh", "-ec", lines]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, lines: str, **options: Any) -> subprocess.Popen[str]:
        """Start shell text in the room and do not wait for it."""
        return subprocess.Popen([*self.enter, "sh", "-ec", lines], text=True, **options)

    async def ask(self, **declared: Any) -> Result:
        """The answer of the room to a check."""
        return await answer(self.vantage, declared)

    def end(self) -> None:
        """All that is in the room ends."""
        assert self.holder.stdin is not None and self.holder.stdout is not None
        self.holder.stdin.close()
        self.holder.wait(timeout=60)
        self.holder.stdout.close()


async def answer(vantage: Vantage, declared: dict[str, Any]) -> Result:
    """A check asked for real: declared as a fleet file does it, run on the vantage, judged."""
    check: Check = TypeAdapter(Check).validate_json(json.dumps({"from": "vm", "timeout": 60, **declared}))
    outputs = await vantage.run([command for _, command in registry.ask(check)])
    return registry.judge("asked", check, outputs)


@pytest.fixture
def room() -> Iterator[Room]:
    made = Room()
    try:
        yield made
    finally:
        made.end()
