"""What else changes around a trial: snapshots of its host and peers before it, and what differs when it is over.

A trial never waits for a snapshot that fails and never fails by one: what could not be read is written down as not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from seatrial.drift.snapshot import Snapshot, besides_the_kernel, differences, read_document
from seatrial.errors import InputError
from seatrial.model.event import Kind
from seatrial.model.fold import TrialState
from seatrial.perform.drifting import snapshots
from seatrial.perform.world import World
from seatrial.rollout.decide import Terms

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
    """What differs from the snapshots that the trial began with; nothing when that was told already, or there are none."""
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


def _read(said: Mapping[str, Any]) -> Snapshot | None:
    try:
        return read_document(dict(said))
    except InputError:
        # A later version may have written it in another shape.
        return None
