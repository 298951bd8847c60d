"""People who wish at once, in processes of their own, on SQLite and on a real Postgres: one order, and nothing twice."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from seatrial.engine import controller
from seatrial.engine.rehearsal import CANDIDATE, rehearsal_fleet
from seatrial.errors import Refused
from seatrial.fleetfile import parse
from seatrial.journal.store import Journal
from seatrial.model.event import Kind
from tests.engine.postgres import Postgres

TEXT = rehearsal_fleet(approval=True)
FLEET = parse(TEXT, filename="rehearsal")
ROUNDS = 12
PEOPLE = ("ada", "bob", "cyd", "dan")


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'journal.db'}"
        return
    postgres = Postgres(tmp_path)
    try:
        yield postgres.url
    finally:
        postgres.stop()


def wish(url: str, who: str, together: Barrier) -> None:
    """Two of them approve, two abort, all of them in the same moment, of one rollout after the other."""
    journal, refused = Journal(url), 0
    for number in range(1, ROUNDS + 1):
        together.wait(300)
        try:
            if who in ("ada", "bob"):
                controller.approve(
                    journal, f"r{number}", stage="production", by=who, why="seen", ticket="T-1"
                )
            else:
                controller.abort(journal, f"r{number}", by=who, why="seen")
        except Refused:
            refused += 1
    journal.close()
    os._exit(refused)


def test_of_two_who_approve_and_two_who_abort_at_once_one_each_is_written(url: str) -> None:
    journal = Journal(url)
    for number in range(1, ROUNDS + 1):
        given = {"candidate": CANDIDATE, "hosts": list(FLEET.hosts), "fleet": TEXT}
        journal.append(Kind.ROLLOUT_STARTED, rollout=f"r{number}", by="test", data=given)
    context = get_context("spawn")
    together = context.Barrier(len(PEOPLE))
    running = [context.Process(target=wish, args=(url, who, together)) for who in PEOPLE]
    for one in running:
        one.start()
    for one in running:
        one.join(600)
    refused = [one.exitcode for one in running]
    assert None not in refused
    for number in range(1, ROUNDS + 1):
        kinds = Counter(event.kind for event in journal.read(f"r{number}"))
        assert kinds == {Kind.ROLLOUT_STARTED: 1, Kind.STAGE_APPROVED: 1, Kind.ROLLOUT_ABORTED: 1}
        state = controller.state_of(journal, f"r{number}")
        assert state.is_aborted and state.approved == frozenset({"production"})
    # Who came second was told so, and by nothing else.
    assert (refused[0] or 0) + (refused[1] or 0) == (refused[2] or 0) + (refused[3] or 0) == ROUNDS
    places = [event.seq for event in journal.read()]
    assert places == sorted(set(places))
    journal.close()
