"""What else changes around a trial: snapshots of its host and peers before it, and what differs when it is over.

Other hosts of its stage are asked what was done on them meanwhile (packages and certificates), and each Alertmanager that
the fleet file names which alerts were silenced.
A trial never waits for a snapshot that fails and never fails by one: what could not be read is written down as not known.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from seatrial.checks.platform.hushed import read_silences, silences_command
from seatrial.drift.snapshot import MOST, Snapshot, besides_the_kernel, differences, read_document
from seatrial.errors import InputError
from seatrial.model.check.monitoring import AlertsCheck
from seatrial.model.event import Kind
from seatrial.model.fold import TrialState
from seatrial.model.silence import AlertmanagerSilence
from seatrial.perform.drifting import snapshots, windows
from seatrial.perform.silencing import AUTHOR
from seatrial.perform.world import World
from seatrial.rollout.decide import Terms

# In a stage of thousands a trial does not ask all of them.
MOST_OTHERS = 16

Events = tuple[tuple[Kind, Mapping[str, Any]], ...]


async def before(world: World, trial: TrialState, terms: Terms) -> Events:
    """The snapshots that a trial begins with, as far as it has none yet: a controller may have died among them."""
    places = [place for place in (terms.host, *terms.peers) if place not in trial.snapshots]
    if not places:
        return ()
    found = await snapshots(world, dict.fromkeys(places, 0.0))
    return tuple(
        (Kind.SNAPSHOT, {"place": place, **one.document()})
        for place, one in found.items()
        if isinstance(one, Snapshot)
    )


async def after(world: World, trial: TrialState, terms: Terms) -> Events:
    """What differs from what the trial began with, and what was done elsewhere; nothing of what was told already."""
    parts = await asyncio.gather(
        _differing(world, trial), _elsewhere(world, trial, terms), _silenced(world, trial, terms)
    )
    return tuple(event for part in parts for event in part)


async def _differing(world: World, trial: TrialState) -> Events:
    kept = {place: old for place, said in trial.snapshots.items() if (old := _read(said)) is not None}
    places = {place: old.at for place, old in kept.items() if place not in trial.changed}
    if not places:
        return ()
    found = await snapshots(world, places)
    events: list[tuple[Kind, Mapping[str, Any]]] = []
    for place, one in found.items():
        data: dict[str, Any] = {"place": place, "since": kept[place].at, "changes": [], "unread": ""}
        if isinstance(one, Snapshot):
            changes = besides_the_kernel(differences(kept[place], one))
            data["changes"] = [{**asdict(change), "sentence": change.sentence} for change in changes]
        else:
            data["unread"] = one.because
        events.append((Kind.CHANGED, data))
    return tuple(events)


async def _elsewhere(world: World, trial: TrialState, terms: Terms) -> Events:
    """What was done on other hosts of the stage since the trial began. Of hosts where nothing was done nothing is written."""
    if trial.begun is None:
        return ()
    known = {terms.host, *trial.snapshots, *trial.changed}
    places = [place for place in others(world, terms) if place not in known]
    seconds = (world.clock.now() - trial.begun).total_seconds()
    events: list[tuple[Kind, Mapping[str, Any]]] = []
    for place, said in (await windows(world, places, seconds)).items():
        data: dict[str, Any] = {"place": place, "since": trial.begun.timestamp(), "changes": [], "unread": ""}
        if isinstance(said, str):
            data["unread"] = said
        else:
            data["changes"] = [{**asdict(one), "sentence": one.sentence} for one in said[:MOST]]
        if data["changes"] or data["unread"]:
            events.append((Kind.CHANGED, data))
    return tuple(events)


async def _silenced(world: World, trial: TrialState, terms: Terms) -> Events:
    """Which alerts people silenced: a silence of ours is meant, and no news."""
    if trial.begun is None:
        return ()
    fleet = world.fleet
    stage = fleet.hosts[terms.host].stage
    declared = (
        *fleet.silences_of(terms.host).values(),
        *fleet.rollout.blockers_of(stage).values(),
        *fleet.checks_of(stage).values(),
    )
    # Several may name one server; the first of them says how it is reached.
    servers = {
        one.url: one for one in reversed(declared) if isinstance(one, AlertsCheck | AlertmanagerSilence)
    }
    seconds = (world.clock.now() - trial.begun).total_seconds()
    events: list[tuple[Kind, Mapping[str, Any]]] = []
    for url, server in servers.items():
        if url in trial.changed:
            continue
        (output,) = await world.ask(server.source_vantage, silences_command(server, seconds))
        said = read_silences(server, output)
        data: dict[str, Any] = {"place": url, "since": trial.begun.timestamp(), "changes": [], "unread": ""}
        if isinstance(said, str):
            data["unread"] = said
        else:
            data["changes"] = [
                {
                    "topic": "silences",
                    "key": " ".join(one.matchers),
                    "before": "",
                    "after": one.ends,
                    "sentence": one.sentence,
                }
                for one in said
                if one.by != AUTHOR
            ]
        if data["changes"] or data["unread"]:
            events.append((Kind.CHANGED, data))
    return tuple(events)


def others(world: World, terms: Terms) -> tuple[str, ...]:
    """Hosts of the trial's stage that are worth asking: those of other roles first, since its own are on trial themselves."""
    return world.fleet.others_of(terms.host, MOST_OTHERS)


def _read(said: Mapping[str, Any]) -> Snapshot | None:
    try:
        return read_document(dict(said))
    except InputError:
        # A later version may have written it in another shape.
        return None
