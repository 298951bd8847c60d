"""This machine, and network namespaces of this machine, as Vantages; the bundle is the same as over SSH.

What is in: sh, and sh through nsenter. What is not: making namespaces, which is the lab's work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from seatrial.model.command import Command, Output
from seatrial.vantage import endings
from seatrial.vantage.bundle import Answer, Ending
from seatrial.vantage.piped import Fate, converse, plain_environment


class LocalVantage:
    """Runs Commands on this machine, as the user that Seatrial runs as."""

    def __init__(self, name: str, *, places: asyncio.Semaphore) -> None:
        self._name = name
        self._places = places

    @property
    def name(self) -> str:
        """The name in the fleet file."""
        return self._name

    @property
    def argv(self) -> tuple[str, ...]:
        """What leads to the sh that reads the script."""
        return ("sh",)

    async def run(self, commands: Sequence[Command]) -> list[Output]:
        """Run `commands` one after the other; one Output each, in order."""
        if not commands:
            return []
        answer = Answer(commands)
        async with self._places:
            try:
                fate = await converse(self.argv, answer, env=plain_environment())
            except OSError as error:
                where, program = self._name, self.argv[0]
                return answer.outputs(
                    endings.cannot_start(where, program, error.strerror or str(error), "util-linux dash")
                )
        return answer.outputs(self._ending(answer, fate))

    def _ending(self, answer: Answer, fate: Fate) -> Ending:
        if fate.overdue:
            return endings.overdue(self._name, answer)
        if answer.out.broken or answer.err.broken:
            return endings.nonsense(self._name)
        if answer.answered < 0:
            return self._no_way(answer.noise)
        return endings.lost(self._name, "its shell was ended")

    def _no_way(self, said: str) -> Ending:
        return endings.no_shell(self._name, said)

    async def fresh(self) -> None:
        """There is no connection to drop."""

    async def close(self) -> None:
        """There is nothing to let go of."""
