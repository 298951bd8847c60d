"""Slots in the journal: folded alike by everybody, given only when nothing has come meanwhile, seen by rollouts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seatrial.clock import Clock
from seatrial.engine import controller
from seatrial.engine.rehearsal import CANDIDATE, open_simulation, rehearsal_world
from seatrial.fleetfile import parse
from seatrial.journal.memory import MemoryJournal
from seatrial.journal.store import Journal, Unless
from seatrial.model.event import Event, Kind
from seatrial.model.slots import KINDS, fold_away
from tests.engine.rehearsed import TEXT

LOCKED = TEXT + "\nfleetlock:\n  groups:\n    gw: {hosts: {gw-p1: {id: a}, gw-p2: {id: b}, gw-s1: {id: c}}}\n"


@pytest.fixture(params=["sqlite", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    made = Journal(f"sqlite:///{tmp_path / 'journal.db'}")
    clock: Clock = made._clock
    yield made if request.param == "sqlite" else MemoryJournal(clock)
    made.close()


def test_an_event_is_not_written_when_one_that_matters_has_come_since_it_was_decided(store: Journal) -> None:
    first = store.append(Kind.NOTE, rollout="r1", data={"text": "before"})
    unless = Unless(kinds=(Kind.SLOT_GRANTED,), after=first.seq)
    store.append(Kind.NOTE, rollout="r1", data={"text": "of no matter"})
    granted = store.append_unless(unless, Kind.SLOT_GRANTED, rollout="", host="h1", data={"group": "g"})
    assert granted is not None and granted.data == {"group": "g"}
    assert store.append_unless(unless, Kind.SLOT_GRANTED, rollout="", host="h2") is None
    later = Unless(kinds=(Kind.SLOT_GRANTED,), after=granted.seq)
    assert store.append_unless(later, Kind.SLOT_RELEASED, rollout="", host="h1") is not None
    kinds = [event.kind for event in store.read()]
    assert kinds == [Kind.NOTE, Kind.NOTE, Kind.SLOT_GRANTED, Kind.SLOT_RELEASED]
    assert store.read("")[0].host == "h1"


def test_who_is_away_is_the_same_however_the_journal_is_cut_into_readings(store: Journal) -> None:
    for kind, rollout, host, data in (
        (Kind.SLOT_GRANTED, "", "h1", {"group": "g"}),
        (Kind.TRIAL_BEGUN, "r1", "h2", {}),
        (Kind.SLOT_WISHED, "", "h1", {"group": "g"}),
        (Kind.TRIAL_MOVED, "r1", "h2", {"to": "preflight"}),
        (Kind.SLOT_UNPROVEN, "", "h1", {"group": "g", "because": "no"}),
        (Kind.TRIAL_MOVED, "r1", "h3", {"to": "stuck"}),
        (Kind.SLOT_WISHED, "", "h9", {"group": "g"}),
        (Kind.FAILOVER_STARTED, "f1", "", {"group": "pair"}),
        (Kind.ROLLOUT_ENDED, "r1", "", {"outcome": "stuck"}),
    ):
        store.append(kind, rollout=rollout, host=host, data=data)
    events = store.read(kinds=KINDS)
    whole = fold_away(events)
    assert set(whole.slots) == {"h1"} and whole.slots["h1"].because == "no"
    assert (set(whole.on_trial), set(whole.stuck), set(whole.moving)) == (set(), {"h3"}, {"pair"})
    for cut in range(len(events)):
        assert fold_away(events[cut:], fold_away(events[:cut])) == whole


def test_a_rollout_waits_for_a_host_that_reboots_by_itself_and_goes_on_when_it_is_proven(
    tmp_path: Path,
) -> None:
    declared = parse(LOCKED, filename="rehearsal")
    simulation = open_simulation(tmp_path / "simulation.json", declared, "good")
    held: list[Event] = []
    free: list[Callable[[], Event]] = []

    def heard(event: Event) -> None:
        if event.kind == Kind.ROLLOUT_HELD and "reboots by itself" in str(event.data["because"]):
            held.append(event)
            free.pop()()

    store = Journal(f"sqlite:///{tmp_path / 'journal.db'}", after_append=heard)
    store.set_clock(simulation)
    store.append(Kind.SLOT_GRANTED, rollout="", host="gw-p2", data={"group": "gw"})
    free.append(lambda: store.append(Kind.SLOT_RELEASED, rollout="", host="gw-p2", data={"group": "gw"}))
    hosts = tuple(declared.hosts)
    controller.start(store, declared, fleet_text=LOCKED, candidate=CANDIDATE, hosts=hosts, by="a", why="b")
    state = asyncio.run(controller.run(store, rehearsal_world(declared, simulation), "r1"))
    assert state.outcome == "blessed", state.because
    assert len(held) == 1
    begun = [event for event in store.read("r1", kinds=(Kind.TRIAL_BEGUN,)) if event.host != "gw-s1"]
    assert all(event.seq > held[0].seq for event in begun) and len(begun) == 2
