"""Running a checklist: here, or from a vantage, by the same runner, which is sent to python3 on its stdin.

What is in: the script, one local process or one exec, and its lines while they arrive. What is not: how a command is
run (onhost/checklist.py) and what its answer means (the checklist room).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from seatrial.checklist.definition import Checklist
from seatrial.checklist.judge import Said, judge, read_line
from seatrial.clock import monotonic
from seatrial.model.command import Command, Vantage
from seatrial.model.result import Result
from seatrial.vantage.process import PIPE, end_group, start

DEFAULT_TIMEOUT = 60.0
MOST_PARALLEL = 64
CHUNK = 64 * 1024
# What one command's line can have besides the outputs that it is compared with; JSON writes a character as six.
LINE = 64 * 1024
# Of all answers of a vantage, in bytes.
MOST_ANSWER = 128 * 1024 * 1024
# Seconds on top of what all commands may take together, for python3 to begin and to end.
MARGIN = 30.0
_NOISE = 4096

Heard = Callable[[Said], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A Result for each test; `seconds` is real time."""

    results: tuple[Result, ...]
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How a checklist is run: `timeout` in seconds for each command, `parallel` tests side by side."""

    timeout: float = DEFAULT_TIMEOUT
    parallel: int = 1


@cache
def _folder_text(room: str, name: str) -> str:
    return (resources.files("seatrial") / room / name).read_text(encoding="utf-8")


def script(checklist: Checklist, wish: Wish, environment: str | Mapping[str, str]) -> bytes:
    """What python3 reads: the runner, the rules, and the job.

    `environment` is what a command finds: "own" for that of the runner, "login" for that of the shell which a vantage's
    login begins with, or one that is given.
    """
    job = {
        "envvars": checklist.envvars,
        "tests": [
            [{"cmd": c.text, "retcode": c.retcode, "stdout": c.stdout, "stderr": c.stderr} for c in test.cmds]
            for test in checklist.tests
        ],
        "timeout": wish.timeout,
        "parallel": wish.parallel,
        "environment": environment if isinstance(environment, str) else dict(environment),
    }
    # JSON without anything beyond ASCII is inside of a Python literal what it is outside.
    text = f"{_folder_text('onhost', 'checklist.py')}\n{_folder_text('checklist', 'rules.py')}\n"
    return f"{text}\nmain(json.loads({json.dumps(job)!r}), globals())\n".encode()


async def run_here(checklist: Checklist, wish: Wish, heard: Heard = lambda _: None) -> Ran:
    """Run it on this machine, in this environment and working directory; `heard` is told each line as it comes."""
    began = monotonic()
    lines: list[Said] = []
    noise = b""

    def take(line: bytes) -> None:
        if (said := read_line(line)) is not None:
            lines.append(said)
            heard(said)

    process = await start((sys.executable, "-I", "-S", "-"), stdin=PIPE, stdout=PIPE, stderr=PIPE)
    assert process.stdin and process.stdout and process.stderr
    try:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            process.stdin.write(script(checklist, wish, "own"))
            await process.stdin.drain()
        process.stdin.close()
        async with asyncio.timeout(_most_seconds(checklist, wish)):
            noise, _ = await asyncio.gather(_drain(process.stderr), _lines(process.stdout, take))
    except TimeoutError:
        noise = b"it did not end in time and was ended"
    finally:
        # Nothing is left of it when it ended by itself; otherwise it ends what it runs.
        end_group(process.pid, signal.SIGKILL)
        await process.wait()
    said_why = noise.decode("utf-8", "replace").strip().rpartition("\n")[2]
    problem = "" if lines and lines[-1].word == "over" else said_why or "the runner was ended"
    results = judge(checklist, lines, timeout=wish.timeout, problem=problem)
    return Ran(results=results, seconds=monotonic() - began)


async def run_there(
    checklist: Checklist, wish: Wish, vantage: Vantage, environment: str | Mapping[str, str] = "login"
) -> Ran:
    """Run all of it on a vantage, in one exec."""
    began = monotonic()
    cmds = [cmd for test in checklist.tests for cmd in test.cmds]
    wanted = sum(len(text) for cmd in cmds for text in (cmd.stdout, cmd.stderr) if text is not None)
    command = Command(
        name="checklist.run",
        argv=("python3", "-I", "-S", "-"),
        stdin=script(checklist, wish, environment),
        safe=False,
        timeout=_most_seconds(checklist, wish),
        limit=min(MOST_ANSWER, LINE * (len(cmds) + len(checklist.tests) + 1) + 6 * wanted),
        package="python3",
    )
    (output,) = await vantage.run([command])
    lines = [said for line in output.stdout.splitlines() if (said := read_line(line)) is not None]
    problem = "its answers are more than is read of them" if output.truncated else output.problem
    if not problem and not (lines and lines[-1].word == "over"):
        problem = output.stderr.strip().rpartition("\n")[2] or "the runner was ended"
    results = judge(
        checklist, lines, timeout=wish.timeout, where=vantage.name, problem=problem, hint=output.hint
    )
    return Ran(results=results, seconds=monotonic() - began)


def _most_seconds(checklist: Checklist, wish: Wish) -> float:
    return wish.timeout * sum(len(test.cmds) for test in checklist.tests) + MARGIN


async def _lines(reader: asyncio.StreamReader, take: Callable[[bytes], Any]) -> None:
    rest = b""
    while data := await reader.read(CHUNK):
        *whole, rest = (rest + data).split(b"\n")
        for line in whole:
            take(line)


async def _drain(reader: asyncio.StreamReader) -> bytes:
    kept = b""
    while data := await reader.read(CHUNK):
        kept = (kept + data)[-_NOISE:]
    return kept
