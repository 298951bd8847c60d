"""The world as a controller can reach it: the declared fleet, its vantages, a clock. Values and handles, no rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seatrial.clock import Clock, SystemClock
from seatrial.model.command import Bundle, Command, Output, Vantage
from seatrial.model.fleet import Fleet
from seatrial.vantage.open import ask, open_vantage
from seatrial.vantage.pool import Pool


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """`places` has a Vantage for every vantage and every host of the fleet, by name.

    `time_passes` is False for a rehearsal whose time passes by what is done only, and not while somebody waits.
    """

    fleet: Fleet
    places: Mapping[str, Vantage]
    clock: Clock
    pool: Pool | None = None
    time_passes: bool = True

    async def ask(self, place: str, *commands: Command) -> list[Output]:
        """Run Commands on one place, in one exec."""
        return await self.places[place].run(commands)

    async def ask_all(self, questions: Mapping[str, Sequence[Command]]) -> dict[str, list[Output]]:
        """Run Commands on many places at once; one that is slow or dead delays only its own answer."""
        bundles = [Bundle(vantage=place, commands=tuple(some)) for place, some in questions.items() if some]
        return await ask(self.places, bundles)

    async def close(self) -> None:
        """Drop all connections."""
        for place in self.places.values():
            await place.close()
        if self.pool is not None:
            await self.pool.close()


def open_world(fleet: Fleet) -> World:
    """The declared fleet, each place by its own way; nothing is connected yet.

    Raises InputError for a fleet with simulated places, which only a rehearsal has.
    """
    pool = Pool()
    reaches = {**fleet.vantages, **{name: host.reach for name, host in fleet.hosts.items()}}
    places = {name: open_vantage(name, reach, pool) for name, reach in reaches.items()}
    return World(fleet=fleet, places=places, clock=SystemClock(), pool=pool)
