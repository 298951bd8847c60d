"""Commands over SSH through asyncssh: one exec carries a bundle.

What is in: the exec, its time limits, and what a broken one means. What is not: how the connection came to be
(lines.py). These two are the only modules that import asyncssh.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import asyncssh

from seatrial.model.command import Command, Output
from seatrial.vantage import endings
from seatrial.vantage.bundle import Answer, Ending
from seatrial.vantage.lines import Line, NoWay, Switchboard
from seatrial.vantage.piped import FREE_SURPLUS, PAUSE

# sshd's MaxSessions is 10; others may have sessions on the connection that they share with us.
SESSIONS = 8
# What a host may send before it has to wait for us to read: small, so that endless output is soon held up.
WINDOW = 256 * 1024


class _Hearing(asyncssh.SSHClientSession[bytes]):
    """One exec: hands what comes to the Answer at once, without streams between, which would cost CPU."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.deadline = asyncio.get_running_loop().time() + answer.patience
        self._channel: asyncssh.SSHClientChannel[bytes] | None = None
        self.news = asyncio.Event()
        self.ended = False
        self.flooded = False

    @property
    def over(self) -> bool:
        """Whether nothing more is to come."""
        return self.ended or self._answer.complete

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        self._channel = chan

    def data_received(self, data: bytes, datatype: int | None) -> None:
        answer = self._answer
        stream = answer.err if datatype == asyncssh.EXTENDED_DATA_STDERR else answer.out
        if stream.feed(data):
            self.deadline = asyncio.get_running_loop().time() + answer.patience
            if answer.complete:
                self.news.set()
        elif stream.surplus > FREE_SURPLUS and self._channel is not None:
            self._channel.pause_reading()
            self.flooded = True
            self.news.set()

    def eof_received(self) -> bool:
        # Without this asyncssh closes the channel before the other stream has been read.
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = True
        self.news.set()


class SshVantage:
    """Runs Commands over SSH, with one connection that is kept."""

    def __init__(self, name: str, *, alias: str, ssh_config: str | None, board: Switchboard) -> None:
        self._name = name
        self._alias = alias
        self._ssh_config = ssh_config
        self._board = board
        self._sessions = asyncio.Semaphore(SESSIONS)

    @property
    def name(self) -> str:
        """The name in the fleet file."""
        return self._name

    async def run(self, commands: Sequence[Command]) -> list[Output]:
        """Run `commands` one after the other in one exec; one Output each, in order."""
        if not commands:
            return []
        answer = Answer(commands)
        async with self._sessions:
            try:
                ending = await self._ask(answer)
            except NoWay as error:
                ending = error.ending
        return answer.outputs(ending)

    async def fresh(self) -> None:
        """Drop the connection, so that the next Command has to make a new one."""
        self._board.drop(self._alias, self._ssh_config)

    async def close(self) -> None:
        """Drop the connection."""
        self._board.drop(self._alias, self._ssh_config)

    async def _ask(self, answer: Answer) -> Ending:
        line, kept = await self._board.line(self._alias, self._ssh_config)
        try:
            return await self._exec(line, answer)
        except (OSError, asyncssh.Error) as error:
            # No exec was granted, so nothing was run: a connection that was kept may have been dead for long.
            if not kept and not line.keeper.lost:
                return endings.no_shell(self._name, str(error))
            self._board.drop(self._alias, self._ssh_config)
        line, _ = await self._board.line(self._alias, self._ssh_config)
        try:
            return await self._exec(line, answer)
        except (OSError, asyncssh.Error) as error:
            return endings.lost(self._name, str(error))

    async def _exec(self, line: Line, answer: Answer) -> Ending:
        hearing = _Hearing(answer)
        channel: asyncssh.SSHClientChannel[bytes] | None = None
        overdue = False
        try:
            async with asyncio.timeout_at(hearing.deadline):
                channel, _ = await line.connection.create_session(
                    lambda: hearing,
                    # Not "exec sh": wrappers run "exec $SSH_ORIGINAL_COMMAND".
                    "sh",
                    encoding=None,
                    window=WINDOW,
                    env=None,
                    send_env=None,
                    request_pty=False,
                )
            try:
                channel.write(answer.script)
                channel.write_eof()
            except BrokenPipeError:
                # What runs there in place of a shell has ended before it was asked anything, and what it said tells why.
                if line.keeper.lost:
                    raise
            overdue = not await self._follow(hearing, channel)
        except TimeoutError:
            overdue = True
        finally:
            if channel is not None:
                _leave(channel, answer.complete)
        return self._ending(line, answer, overdue)

    async def _follow(self, hearing: _Hearing, channel: asyncssh.SSHClientChannel[bytes]) -> bool:
        """Wait until nothing more is to come; says whether the time limits were kept."""
        while not hearing.over:
            # Every frame moves the deadline; the timer is set anew only when it went off.
            deadline = hearing.deadline
            try:
                async with asyncio.timeout_at(deadline):
                    await hearing.news.wait()
            except TimeoutError:
                if deadline == hearing.deadline:
                    return False
            hearing.news.clear()
            if hearing.flooded:
                hearing.flooded = False
                await self._board.clock.sleep(PAUSE)
                channel.resume_reading()
        return True

    def _ending(self, line: Line, answer: Answer, overdue: bool) -> Ending:
        if overdue:
            return endings.overdue(self._name, answer)
        if answer.out.broken or answer.err.broken:
            return endings.nonsense(self._name)
        if answer.answered < 0 and not line.keeper.lost:
            return endings.no_shell(self._name, answer.noise)
        return endings.lost(self._name, "" if line.keeper.lost else "its shell was ended")


def _leave(channel: asyncssh.SSHClientChannel[bytes], complete: bool) -> None:
    if not complete and not channel.is_closing():
        # The script's trap ends the command that runs; sshd older than 8 does not pass signals on.
        channel.terminate()
    channel.close()
