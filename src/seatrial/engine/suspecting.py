"""Suspects where hosts are at hand: before a rollout, for what a fleet uses, and after one, for what failed.

What is not in: the ranking (kernels room). Whatever is missing here is no failure of a rollout: then nothing is said.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seatrial.boot.describe import describe, read_description
from seatrial.errors import SeatrialError
from seatrial.kernels.areas import Query
from seatrial.kernels.asked import asked_of, of_fleet
from seatrial.kernels.changelog import Changelog, read_changelog
from seatrial.kernels.ranking import Ranking, rank, span
from seatrial.kernels.versions import arch_of, resolve
from seatrial.model.fold import RolloutState, TrialState
from seatrial.perform import changelogs
from seatrial.perform.changelogs import Found
from seatrial.perform.world import World

# How many are written into the journal: the first, and those that a person looks at next.
KEPT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Patches of a candidate before anybody has tried it; `newest` is the last version that the changelog knows."""

    ranking: Ranking
    where: str
    newest: str

    def document(self) -> dict[str, Any]:
        """As JSON: what is known to have been taken back, and touches what the fleet uses."""
        known = [one.document() for one in self.ranking.suspects if one.reverted_in and one.score > 0.5]
        return {
            "examined": self.ranking.examined,
            "old": self.ranking.old,
            "new": self.ranking.new,
            "changelog": self.where,
            "newest": self.newest,
            "taken_back": known,
        }


async def expect(world: World, kernel: str, given: Found | None) -> Expected | None:
    """The patches between what the first host runs and a candidate, by what the fleet uses; None without a changelog.

    `given` is the changelog that a person gave. Raises InputError when it does not have both kernels.
    """
    first = next(iter(world.fleet.hosts))
    try:
        text = (
            given
            or await changelogs.installed(kernel)
            or await changelogs.on_host(world.places[first], kernel)
        )
        if text is None:
            return None
        asked = await asyncio.gather(*(world.ask(host, describe()) for host in world.fleet.hosts))
    finally:
        await world.close()
    described = [one for outputs in asked if (one := read_description(outputs[0])) is not None]
    if not described:
        return None
    releases = {**described[0]["packages"], **text.releases}
    query = of_fleet(world.fleet, arch=arch_of(kernel), described=described)
    log = read_changelog(text.text)
    ranking = await _ranked(log, str(described[0]["running"]), kernel, releases, query)
    return Expected(ranking=ranking, where=text.where, newest=log.versions[0])


async def suspects_of(world: World, state: RolloutState, trial: TrialState) -> dict[str, Any] | None:
    """What to look at first after a trial has failed, for the journal; None when it cannot be said."""
    try:
        place = world.places[trial.host]
        text = await changelogs.installed(state.candidate) or await changelogs.on_host(place, state.candidate)
        if text is None:
            return None
        releases = {**trial.described.get("packages", {}), **text.releases}
        good = str(trial.facts.get("good", ""))
        query = asked_of(trial, world.fleet, candidate=state.candidate)
        ranking = await _ranked(read_changelog(text.text), good, state.candidate, releases, query)
    except SeatrialError:
        # A changelog without these kernels, or none that can be read: the rollout has ended all the same.
        return None
    return {**ranking.document(KEPT), "changelog": text.where}


async def _ranked(log: Changelog, old: str, new: str, releases: Mapping[str, str], query: Query) -> Ranking:
    names = []
    for name in (old, new):
        known = releases.get(name) or (name if resolve(name, log.versions, log.abis) else "")
        names.append(known or await changelogs.version_of(name) or name)
    return rank(span(log, *names), query)
