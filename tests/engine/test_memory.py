"""A kernel that is known as bad is refused everywhere: in each stage, after a restart, from another controller."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from seatrial.clock import SystemClock
from seatrial.engine import controller, memory
from seatrial.engine.planning import PlannedHost, plan_rollout
from seatrial.engine.rehearsal import CANDIDATE, GOOD, rehearsal_fleet, rehearsal_world
from seatrial.errors import InputError, Refused
from seatrial.fleetfile import parse
from seatrial.journal.store import Journal
from seatrial.model.event import Kind
from seatrial.model.result import Outcome
from seatrial.model.trial import State
from seatrial.vantage.simulation import Fault, Simulation
from tests.checks.traffic.servers import postgres
from tests.engine.rehearsed import TEXT, fleet
from tests.vantage.grounds import free_port, program, until

ROOT = Path(__file__).parents[2]
WEEK = timedelta(days=7)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database that several controllers share."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'journal.db'}"
        return
    port = free_port()
    with postgres(tmp_path, None, port):
        # It listens a while before it answers.
        ready = [program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
        until(lambda: subprocess.run(ready, check=False).returncode == 0, "Postgres to answer")
        yield f"postgresql+psycopg://nobody@127.0.0.1:{port}/postgres"


def begin(url: str, *, hosts: tuple[str, ...] = (), candidate: str = CANDIDATE, override: str = "") -> str:
    """A controller of its own begins a rollout."""
    journal = Journal(url)
    try:
        return controller.start(
            journal,
            fleet(),
            fleet_text=TEXT,
            candidate=candidate,
            hosts=hosts or tuple(fleet().hosts),
            by="bob",
            why="test",
            override=override,
        )
    finally:
        journal.close()


def planned(journal: Journal, folder: Path) -> list[PlannedHost]:
    simulation = Simulation.create(folder / "plan.json", fleet(), good=GOOD, candidate=CANDIDATE, faults=())
    world = rehearsal_world(fleet(), simulation)
    return asyncio.run(plan_rollout(world, CANDIDATE, memory.verdicts_of(journal)))


def refused_by_plan(journal: Journal, folder: Path) -> list[str]:
    return [
        host.host
        for host in planned(journal, folder)
        if any(r.check == "kernel.remembered" and r.outcome is Outcome.FAIL for r in host.results)
    ]


def test_a_kernel_that_failed_is_refused_by_every_controller_on_the_database(
    url: str, tmp_path: Path
) -> None:
    first = Journal(url)
    simulation = Simulation.create(
        tmp_path / "sim.json",
        fleet(),
        good=GOOD,
        candidate=CANDIDATE,
        faults=(Fault(host="gw-s1", kind="replies-lost", kernel=CANDIDATE),),
    )
    begin(url)
    state = asyncio.run(controller.run(first, rehearsal_world(fleet(), simulation), "r1"))
    assert state.outcome == "reverted"
    first.close()
    for host in fleet().hosts:
        with pytest.raises(Refused) as refused:
            begin(url, hosts=(host,))
        assert "remembered as bad for role gateway (rollout r1, gw-s1)" in refused.value.message
    second = Journal(url)
    assert sorted(refused_by_plan(second, tmp_path)) == sorted(fleet().hosts)
    (verdict,) = memory.verdicts_of(second).values()
    assert verdict.record["hardware"]["product"] == "Seatrial simulated host"
    assert verdict.record["good"] == GOOD
    assert verdict.record["checks"][0]["outcome"] == "fail"
    assert verdict.record["evidence"]["probes_sent"] == 448
    second.close()


def test_another_process_is_refused_what_a_person_marked(url: str, tmp_path: Path) -> None:
    journal = Journal(url)
    memory.mark(journal, CANDIDATE, roles=["gateway"], good=False, by="ann", because="drops answers")
    (tmp_path / "fleet.yaml").write_text(TEXT)
    words = ["rollout", "start", CANDIDATE, "--fleet", str(tmp_path / "fleet.yaml"), "--database", url]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src"), "SEATRIAL_BY": "bob"}
    ended = subprocess.run(
        [sys.executable, "-m", "seatrial", *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 4
    assert "remembered as bad for role gateway (marked by ann): drops answers" in ended.stderr
    assert journal.rollouts() == []
    assert begin(url, candidate="6.1.0-57-cloud-amd64") == "r1"
    journal.close()


def test_an_override_lets_it_in_until_its_time_and_is_shown_by_the_plan(url: str, tmp_path: Path) -> None:
    journal, now = Journal(url), SystemClock().now()
    memory.mark(journal, CANDIDATE, roles=["gateway"], good=False, by="ann", because="drops answers")
    memory.override(journal, CANDIDATE, roles=["gateway"], by="bob", why="fixed", until=now + WEEK, now=now)
    assert begin(url, hosts=("gw-s1",)) == "r1"
    assert refused_by_plan(journal, tmp_path) == []
    shown = [r.because for host in planned(journal, tmp_path) for r in host.standing]
    assert len(shown) == 3
    assert all("bob lets it be tried until" in because for because in shown)
    memory.override(journal, CANDIDATE, roles=[], by="bob", why="it was not", until=None, now=now)
    with pytest.raises(Refused):
        begin(url, hosts=("gw-p1",))
    journal.close()


def test_production_is_not_begun_with_what_became_known_as_bad_meanwhile(tmp_path: Path) -> None:
    text = rehearsal_fleet(approval=True)
    declared = parse(text, filename="fleet")
    simulation = Simulation.create(tmp_path / "sim.json", declared, good=GOOD, candidate=CANDIDATE)
    url = f"sqlite:///{tmp_path / 'journal.db'}"
    store = Journal(url)
    store.set_clock(simulation)
    name = controller.start(
        store, declared, fleet_text=text, candidate=CANDIDATE, hosts=tuple(declared.hosts), by="a", why="b"
    )

    async def story() -> str:
        running = asyncio.create_task(controller.run(store, rehearsal_world(declared, simulation), name))
        while not controller.state_of(store, name).trials["gw-s1"].over:
            await SystemClock().sleep(0.05)
        other = Journal(url)
        other.set_clock(simulation)
        memory.mark(
            other, CANDIDATE, roles=["gateway"], good=False, by="ann", because="elsewhere it lost mail"
        )
        controller.approve(other, name, stage="production", by="ann", why="staging is fine", ticket="")
        return (await running).outcome

    assert asyncio.run(story()) == "refused"
    trials = controller.state_of(store, name).trials
    assert trials["gw-s1"].state is State.BLESSED
    assert sorted(str(trials[host].state) for host in ("gw-p1", "gw-p2")) == ["planned", "refused"]
    assert {simulation.hosts[host].running for host in ("gw-p1", "gw-p2")} == {GOOD}


def test_a_person_gives_a_reason_and_a_time_and_overrides_only_what_is_there(tmp_path: Path) -> None:
    journal, now = Journal(f"sqlite:///{tmp_path / 'journal.db'}"), SystemClock().now()
    with pytest.raises(InputError, match="reason"):
        memory.mark(journal, CANDIDATE, roles=["gateway"], good=False, by="ann", because=" ")
    with pytest.raises(InputError, match="not remembered as bad"):
        memory.override(journal, CANDIDATE, roles=[], by="ann", why="w", until=now + WEEK, now=now)
    memory.mark(journal, CANDIDATE, roles=["gateway"], good=False, by="ann", because="b")
    with pytest.raises(InputError, match="is over"):
        memory.override(journal, CANDIDATE, roles=[], by="ann", why="w", until=now - WEEK, now=now)
    with pytest.raises(InputError, match="for role nfs"):
        memory.override(journal, CANDIDATE, roles=["nfs"], by="ann", why="w", until=now + WEEK, now=now)
    assert [event.kind for event in journal.read()] == [Kind.KERNEL_MARKED]
