"""A bundle through a process on this machine whose three streams lead to a sh: local, netns and openssh.

What is in: feeding the script, reading both streams at once, keeping the time limits, ending the process. What is
not: which process it is and what its own troubles mean, which the callers know.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from seatrial.clock import Clock, SystemClock
from seatrial.vantage.bundle import Answer, Stream
from seatrial.vantage.process import PIPE, end_group, start

# What a command may write beyond its limit before it is slowed down, and how: a program that writes without end
# must not keep this process busy until its time limit ends it.
FREE_SURPLUS = 4 * 1024 * 1024
CHUNK = 64 * 1024
PAUSE = 0.05
# Seconds that a process may take to go: after its last word, and after it was asked to.
LAST_WORD = 0.25
FAREWELL = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """How the process ended: `status` is None when it had to be ended; `overdue` when a time limit was not kept."""

    status: int | None
    overdue: bool = False


async def converse(
    argv: Sequence[str],
    answer: Answer,
    *,
    clock: Clock | None = None,
    env: Mapping[str, str] | None = None,
    patience: float = 0.0,
) -> Fate:
    """Feed the script to `argv` and its streams to `answer`, until all is answered, it ends, or a limit passes.

    `patience` is what the way there may take, in seconds, before the first frame. Raises FileNotFoundError or
    PermissionError when the program cannot be started.
    """
    reading = _Reading(answer, clock or SystemClock())
    async with _read_end() as (out, out_fd), _read_end() as (err, err_fd):
        with contextlib.ExitStack() as ours:
            ours.callback(os.close, out_fd)
            ours.callback(os.close, err_fd)
            process = await start(argv, stdin=PIPE, stdout=out_fd, stderr=err_fd, env=env)
        assert process.stdin
        feeding = asyncio.ensure_future(_feed(process.stdin, answer.script))
        overdue = False
        try:
            async with asyncio.timeout(answer.patience + patience) as reading.guard:
                await asyncio.gather(reading.drink(out, answer.out), reading.drink(err, answer.err))
                if not answer.complete:
                    await process.wait()
        except TimeoutError:
            overdue = True
        finally:
            feeding.cancel()
            status = await _end(process, answer.complete or process.returncode is not None)
    return Fate(status=status, overdue=overdue)


@contextlib.asynccontextmanager
async def _read_end() -> AsyncIterator[tuple[asyncio.StreamReader, int]]:
    """A pipe: its reader, and the end for the process.

    asyncio's own pipes are not used, because its `wait` then waits for them as well, and a child that was left in
    the background may hold them for ever.
    """
    ours, theirs = os.pipe()
    reader = asyncio.StreamReader(limit=CHUNK)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ours, "rb", buffering=0)
    )
    try:
        yield reader, theirs
    finally:
        transport.close()


class _Reading:
    """Both streams of one process, under one time limit that every frame sets anew."""

    guard: asyncio.Timeout

    def __init__(self, answer: Answer, clock: Clock) -> None:
        self._answer = answer
        self._clock = clock

    async def drink(self, reader: asyncio.StreamReader, stream: Stream) -> None:
        # The end of the last frame is waited for, not the end of the stream: a child that was left in the
        # background may hold that open for ever.
        while not stream.complete and (data := await reader.read(CHUNK)):
            if stream.feed(data):
                self.guard.reschedule(asyncio.get_running_loop().time() + self._answer.patience)
            if stream.surplus > FREE_SURPLUS:
                await self._clock.sleep(PAUSE)


async def _feed(writer: asyncio.StreamWriter, script: bytes) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        writer.write(script)
        await writer.drain()
    writer.close()


async def _end(process: asyncio.subprocess.Process, leaving: bool) -> int | None:
    """Wait for a process that is on its way out; ask one that is not, and then end it."""
    # TERM lets the script's trap end the command, which has a process group of its own. After the last word ssh
    # may still wait for a child that was left in the background over there.
    steps = ((None, LAST_WORD),) if leaving else ()
    for sig, seconds in (*steps, (signal.SIGTERM, FAREWELL), (signal.SIGKILL, FAREWELL)):
        if sig is not None:
            end_group(process.pid, sig)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                return await process.wait()
    return process.returncode


def plain_environment() -> dict[str, str]:
    """The environment with messages in English, which is how the programs' own troubles are told apart."""
    return {**os.environ, "LC_ALL": "C"}
