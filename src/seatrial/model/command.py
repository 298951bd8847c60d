"""Command and Output: what is asked of a Vantage, and what it said. Running one is the vantage room's work."""

from __future__ import annotations

import enum
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

DEFAULT_TIMEOUT = 20.0
DEFAULT_OUTPUT = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One program to run on a Vantage.

    `name` says what is asked, in dotted words ("boot.facts"): journals and simulated hosts go by it. `safe` means
    that it only reads. `root` means that it needs to be root and is run through `sudo -n` where the login is not.
    `timeout` is in seconds and holds on the far side too; `limit` is in bytes for each of stdout and stderr.
    `package` is the Debian package that has the program, for the sentence that says what to install.
    """

    name: str
    argv: tuple[str, ...]
    stdin: bytes = b""
    safe: bool = True
    root: bool = False
    timeout: float = DEFAULT_TIMEOUT
    limit: int = DEFAULT_OUTPUT
    package: str | None = None

    @property
    def paste(self) -> str:
        """The command as a person would paste it into a shell."""
        return shlex.join(self.argv)


class Trouble(enum.StrEnum):
    """Why there is no answer; every one of them reads as UNKNOWN, never as a failure of what was asked about."""

    UNREACHABLE = "unreachable"
    HOST_KEY = "host-key"
    LOGIN = "login"
    LOST = "lost"
    TIMEOUT = "timeout"
    NO_PROGRAM = "no-program"
    NO_PRIVILEGE = "no-privilege"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What a Command said. `status` is its exit status, or None when there is no answer; then `trouble` says why.

    Text is decoded as UTF-8 with replacement characters: what comes from a host is hostile text. `seconds` is how
    long it took as seen from here (for a bundle: measured on the far side where it can be).
    """

    command: Command
    status: int | None
    stdout: str = ""
    stderr: str = ""
    seconds: float = 0.0
    truncated: bool = False
    trouble: Trouble | None = None
    problem: str = ""
    hint: str = ""

    @property
    def answered(self) -> bool:
        """Whether the program ran to its end, however it ended."""
        return self.status is not None

    @property
    def ok(self) -> bool:
        """Whether the program ran to its end and said so with status 0."""
        return self.status == 0


class Vantage(Protocol):
    """A place a Command can be run from."""

    @property
    def name(self) -> str:
        """The name in the fleet file."""
        ...

    async def run(self, commands: Sequence[Command]) -> list[Output]:
        """Run `commands` one after the other in as few round trips as possible; one Output each, in order.

        It never raises for what the outside world does: a dead host, a wrong key, a time limit are Outputs with a
        `trouble`.
        """
        ...

    async def fresh(self) -> None:
        """Drop any connection that is kept, so that the next Command has to make a new one."""
        ...

    async def close(self) -> None:
        """Drop connections and let go of what was held."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Commands for one vantage, sent together."""

    vantage: str
    commands: tuple[Command, ...] = field(default=())
