"""The one door to other programs on this machine. What is in: starting, feeding, bounding and ending a process.

What is not: what the programs mean. A program is an argv list, never shell text; its output is bounded while it
is read, so that a program that writes without end costs no memory; it gets a process group of its own, so that
ending it ends its children as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from seatrial.clock import monotonic

PIPE = subprocess.PIPE
DEVNULL = subprocess.DEVNULL
STDOUT = subprocess.STDOUT
DEFAULT_LIMIT = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """How a program ended. `status` is None when it did not end by itself within the time limit (seconds)."""

    argv: tuple[str, ...]
    status: int | None
    stdout: bytes
    stderr: bytes
    truncated: bool
    seconds: float

    @property
    def paste(self) -> str:
        """The command as a person would paste it into a shell."""
        return shlex.join(self.argv)


async def run(
    argv: Sequence[str],
    *,
    stdin: bytes | int = b"",
    timeout: float = 60.0,
    limit: int = DEFAULT_LIMIT,
    env: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
) -> Finished:
    """Run `argv` to its end, or end it after `timeout` seconds; keep at most `limit` bytes of each stream.

    `stdin` is what it reads, or the descriptor of an open file with that.

    Raises FileNotFoundError or PermissionError when the program cannot be started at all.
    """
    began = monotonic()
    source = stdin if isinstance(stdin, int) else PIPE
    process = await start(argv, stdin=source, stdout=PIPE, stderr=PIPE, env=env, pass_fds=pass_fds)
    assert process.stdout and process.stderr
    out, err = _Sink(limit), _Sink(limit)
    status: int | None = None
    try:
        async with asyncio.timeout(timeout):
            # The streams end when the last holder of the pipe does, which may be a child left in the background.
            await asyncio.gather(
                _feed(process.stdin, stdin), out.drink(process.stdout), err.drink(process.stderr)
            )
            status = await process.wait()
    except TimeoutError:
        status = None
    finally:
        end_group(process.pid, signal.SIGKILL)
        await process.wait()
    return Finished(
        argv=tuple(argv),
        status=status,
        stdout=bytes(out.kept),
        stderr=bytes(err.kept),
        truncated=out.cut or err.cut,
        seconds=monotonic() - began,
    )


async def start(
    argv: Sequence[str],
    *,
    stdin: int | None = DEVNULL,
    stdout: int | None = None,
    stderr: int | None = None,
    env: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
) -> asyncio.subprocess.Process:
    """Start `argv` in a session of its own and return the running process; the caller ends it.

    `stdin`, `stdout`, `stderr` are file descriptors or PIPE, DEVNULL, STDOUT of this module.
    """
    return await asyncio.create_subprocess_exec(
        *argv,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        env=None if env is None else dict(env),
        pass_fds=tuple(pass_fds),
        start_new_session=True,
    )


def end_group(pid: int, sig: int = signal.SIGTERM) -> None:
    """Signal the process group that `start` made for `pid`; a group that is gone already is fine."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, sig)


async def _feed(writer: asyncio.StreamWriter | None, data: bytes | int) -> None:
    if writer is None or isinstance(data, int):
        return  # the program reads an open file by itself
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        if data:
            writer.write(data)
            await writer.drain()
    writer.close()


class _Sink:
    """What was read so far, kept even when the time limit ends the reading."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.kept = bytearray()
        self.cut = False

    async def drink(self, reader: asyncio.StreamReader) -> None:
        while chunk := await reader.read(65536):
            room = self.limit - len(self.kept)
            self.kept += chunk[:room]
            self.cut = self.cut or len(chunk) > room


def become(argv: Sequence[str]) -> NoReturn:
    """Replace this program by another one, which then has the terminal. Raises FileNotFoundError."""
    os.execvp(argv[0], list(argv))  # noqa: S606
