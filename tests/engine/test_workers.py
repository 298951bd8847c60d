"""Several workers on one real Postgres: killed at random, with the database away, nothing is lost and nothing done twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from seatrial.engine.rehearsal import CANDIDATE, GOOD
from seatrial.model.trial import State

from .many import Many, Outcome, controller_ended

BAD = ("h003", "h010")


@pytest.fixture
def many(tmp_path: Path) -> Iterator[Many]:
    made = Many(folder=tmp_path, hosts=24, bad=BAD)
    try:
        yield made
    finally:
        made.close()


def holds(done: Outcome) -> None:
    """Each host has ended once, on the kernel that its trial says, after as many reboots as that takes."""
    assert done.audit.broken == []
    assert done.state.outcome == "blessed", done.state.because
    assert set(done.audit.ended) == set(done.hosts)
    for host, (running, default, boots) in done.hosts.items():
        if host in BAD:
            assert (done.state.trials[host].state, running, default, boots) == (State.REVERTED, GOOD, GOOD, 3)
        else:
            assert (done.state.trials[host].state, running, default) == (State.BLESSED, CANDIDATE, CANDIDATE)
            assert boots == 2, f"{host} was rebooted {boots - 1} times"


def test_workers_that_are_killed_at_random_lose_nothing_and_do_nothing_twice(many: Many) -> None:
    done = many.run(6, seed=1)
    assert done.killed > 2
    assert done.audit.most_at_once > 1
    holds(done)


def test_a_database_that_goes_away_in_the_middle_is_waited_for(many: Many) -> None:
    many.start()
    many.until(lambda: len(many.journal.read("r1")) > 100)
    many.postgres.stop()
    many.postgres.start()
    many.until(lambda: controller_ended(many.journal))
    holds(many.outcome(0, 0.0))
