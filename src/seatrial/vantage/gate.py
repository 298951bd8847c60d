"""Commands for a login that sudo lets do only what is listed: scripts go through a gate that knows them by their hash.

sudo sees the words of a command and not what it reads, so `sudo sh -s` would be everything. The gate (onhost/gate.sh, which
an administrator puts on the host) is told the SHA-256 of what must come in, and sudo's own list says which of these it may
be told. What is in: what a Command becomes. What is not: the list, which `seatrial sudoers` makes of the same functions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from seatrial.model.command import Command, Output, Vantage

GATE = "/usr/local/sbin/seatrial-gate"
# Commands whose input is data and not part of what is run; of all others the whole input is known by its hash.
DATA = frozenset({"exports.absent", "exports.write"})


def gated(command: Command) -> Command:
    """The Command as it goes through the gate; one that needs no root or reads no script goes as it is."""
    if not command.root:
        return command
    program, *words = command.argv
    if program == "sh" and words[:1] in (["-c"], ["-ec"]):
        # The text goes in front of the input: no rule of sudo's could hold its lines.
        flags, text, *rest = words
        known = text.encode()
        how = "head" if command.name in DATA else "whole"
        sum_of = known if how == "head" else known + command.stdin
        argv = (GATE, how, str(len(known)), _sum(sum_of), flags, *(rest or ["sh"]))
        return replace(command, argv=argv, stdin=known + command.stdin)
    if command.stdin:
        return replace(command, argv=(GATE, "whole", "0", _sum(command.stdin), *command.argv))
    return command


def _sum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class GatedVantage:
    """Another vantage, asked through the gate."""

    def __init__(self, inner: Vantage) -> None:
        self._inner = inner

    @property
    def name(self) -> str:
        """The name in the fleet file."""
        return self._inner.name

    async def run(self, commands: Sequence[Command]) -> list[Output]:
        """Run `commands` one after the other; one Output each, in order, of the Command that was asked."""
        outputs = await self._inner.run([gated(command) for command in commands])
        return [replace(output, command=command) for output, command in zip(outputs, commands, strict=True)]

    async def fresh(self) -> None:
        """Drop any connection that is kept."""
        await self._inner.fresh()

    async def close(self) -> None:
        """Let go of what was held."""
        await self._inner.close()
