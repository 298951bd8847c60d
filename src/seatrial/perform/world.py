"""The world as a controller can reach it: the declared fleet, its vantages, a clock. Values and handles, no rules."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seatrial.clock import Clock
from seatrial.model.command import Command, Output, Trouble, Vantage
from seatrial.model.fleet import Fleet


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """`places` has a Vantage for every vantage and every host of the fleet, by name."""

    fleet: Fleet
    places: Mapping[str, Vantage]
    clock: Clock

    async def ask(self, place: str, *commands: Command) -> list[Output]:
        """Run Commands on one place; a time limit beyond all of theirs keeps a dead one from holding anybody up."""
        limit = sum(command.timeout for command in commands) + 60
        try:
            async with asyncio.timeout(limit):
                return await self.places[place].run(commands)
        except TimeoutError:
            return [
                Output(
                    command=command,
                    status=None,
                    trouble=Trouble.TIMEOUT,
                    problem=f"{place} did not answer in {limit:.0f} s",
                )
                for command in commands
            ]

    async def ask_all(self, questions: Mapping[str, Sequence[Command]]) -> dict[str, list[Output]]:
        """Run Commands on many places at once; one that is slow or dead delays only its own answer."""
        places = [place for place, commands in questions.items() if commands]
        answers = await asyncio.gather(*(self.ask(place, *questions[place]) for place in places))
        return dict(zip(places, answers, strict=True))

    async def close(self) -> None:
        """Drop all connections."""
        await asyncio.gather(*(place.close() for place in self.places.values()), return_exceptions=True)
