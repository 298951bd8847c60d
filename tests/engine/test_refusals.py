"""What must be refused is refused with one sentence and what to do, and no host has been changed."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from seatrial.clock import SystemClock
from seatrial.engine import controller
from seatrial.engine.rehearsal import CANDIDATE, GOOD, rehearsal_fleet, rehearsal_world
from seatrial.errors import InputError, Refused
from seatrial.fleetfile import parse
from seatrial.journal.store import Journal
from seatrial.model.fold import RolloutState
from seatrial.model.trial import State
from seatrial.vantage.simulation import Fault, Simulation
from tests.engine.rehearsed import TEXT, controlled, fleet, journal


def begin(
    store: Journal, *, text: str = TEXT, hosts: tuple[str, ...] = (), candidate: str = CANDIDATE, **more: str
) -> str:
    declared = parse(text, filename="fleet")
    return controller.start(
        store,
        declared,
        fleet_text=text,
        candidate=candidate,
        hosts=hosts or tuple(declared.hosts),
        by="test",
        why="test",
        **more,
    )


def rehearse(folder: Path, *faults: Fault, candidate: str = CANDIDATE) -> tuple[RolloutState, Simulation]:
    declared = fleet()
    simulation = Simulation.create(
        folder / "sim.json", declared, good=GOOD, candidate=CANDIDATE, faults=faults
    )
    store = journal(folder)
    store.set_clock(simulation)
    name = begin(store, candidate=candidate)
    return asyncio.run(controller.run(store, rehearsal_world(declared, simulation), name)), simulation


@pytest.mark.parametrize(
    ("fault", "says", "hint"),
    [
        ("disk-full", "/", "free"),
        ("grubenv-unwritable", "grubenv cannot be written", ""),
        ("no-good-kernel", f"{GOOD} is not complete", ""),
        ("unreachable", "gw-s1", ""),
    ],
)
def test_a_host_without_a_way_back_is_refused_and_nothing_is_changed(
    tmp_path: Path, fault: str, says: str, hint: str
) -> None:
    state, simulation = rehearse(tmp_path, Fault(host="gw-s1", kind=fault))  # type: ignore[arg-type]
    trial = state.trials["gw-s1"]
    assert (state.outcome, trial.state) == ("refused", State.REFUSED)
    assert says in trial.because
    assert trial.hint
    assert hint in trial.hint
    assert simulation.changes == 0


def test_a_candidate_that_is_not_installed_is_refused_with_its_name(tmp_path: Path) -> None:
    state, simulation = rehearse(tmp_path, candidate="6.1.0-99-cloud-amd64")
    assert state.outcome == "refused"
    assert "6.1.0-99-cloud-amd64" in state.because
    assert state.trials["gw-s1"].hint
    assert simulation.changes == 0


def test_a_platform_that_fails_before_the_trial_is_not_held_against_the_kernel(tmp_path: Path) -> None:
    state, simulation = rehearse(tmp_path, Fault(host="gw-s1", kind="replies-lost"))
    assert state.outcome == "refused"
    assert "before anything was changed" in state.because
    assert simulation.changes == 0


def test_a_kernel_that_was_bad_is_refused_for_that_role_until_a_person_overrides(tmp_path: Path) -> None:
    state, _ = rehearse(tmp_path, Fault(host="gw-s1", kind="replies-lost", kernel=CANDIDATE))
    assert state.outcome == "reverted"
    again = journal(tmp_path)
    with pytest.raises(Refused) as refused:
        begin(again)
    assert "remembered as bad for role gateway" in refused.value.message
    assert "seatrial report r1" in refused.value.hint
    assert again.rollouts() == ["r1"]
    assert begin(again, override="the rule was at fault") == "r2"


def test_a_host_that_is_in_a_rollout_is_not_taken_into_another_one(tmp_path: Path) -> None:
    store = journal(tmp_path)
    begin(store, hosts=("gw-s1",))
    with pytest.raises(Refused) as refused:
        begin(store)
    assert "gw-s1 is in rollout r1" in refused.value.message
    assert begin(store, hosts=("gw-p1",)) == "r2"


def test_a_second_controller_is_refused_while_the_first_one_lives(tmp_path: Path) -> None:
    text = rehearsal_fleet(approval=True)
    declared = parse(text, filename="fleet")
    simulation = Simulation.create(tmp_path / "sim.json", declared, good=GOOD, candidate=CANDIDATE)
    store = journal(tmp_path)
    store.set_clock(simulation)
    begin(store, text=text)
    first = os.fork()
    if first == 0:
        try:
            asyncio.run(controller.run(journal(tmp_path), rehearsal_world(declared, simulation), "r1"))
        finally:
            os._exit(0)
    try:
        asyncio.run(_until(lambda: store.lease_holder("r1") is not None))
        before = len(store.read("r1"))
        with pytest.raises(Refused) as refused:
            asyncio.run(controller.run(store, rehearsal_world(declared, simulation), "r1"))
        assert str(first) in refused.value.message
        assert refused.value.hint
        ours = [event for event in store.read("r1")[before:] if event.data.get("pid") == os.getpid()]
        assert ours == []
    finally:
        os.kill(first, signal.SIGKILL)
        os.waitpid(first, 0)


async def _until(true: object) -> None:
    while not true():  # type: ignore[operator]
        await SystemClock().sleep(0.05)


def test_production_waits_for_a_person_and_goes_on_when_one_approves(tmp_path: Path) -> None:
    text = rehearsal_fleet(approval=True)
    declared = parse(text, filename="fleet")
    simulation = Simulation.create(tmp_path / "sim.json", declared, good=GOOD, candidate=CANDIDATE)
    store = journal(tmp_path)
    store.set_clock(simulation)
    begin(store, text=text)

    async def story() -> RolloutState:
        running = asyncio.create_task(controller.run(store, rehearsal_world(declared, simulation), "r1"))
        await _until(lambda: controller.state_of(store, "r1").trials["gw-s1"].over)
        assert controller.state_of(store, "r1").trials["gw-p1"].state is State.PLANNED
        controller.pause(store, "r1", by="ann", why="lunch")
        controller.approve(store, "r1", stage="production", by="ann", why="staging is fine", ticket="T1")
        with pytest.raises(Refused):
            controller.approve(store, "r1", stage="production", by="bob", why="", ticket="")
        assert not controller.state_of(store, "r1").ended
        controller.resume(store, "r1", by="ann", why="back")
        return await running

    assert asyncio.run(story()).outcome == "blessed"


def test_abort_sends_back_what_is_on_trial_and_begins_nothing_else(tmp_path: Path) -> None:
    assert controlled(tmp_path, "good") == 0
    folder = tmp_path / "second"
    folder.mkdir()
    declared = fleet()
    simulation = Simulation.create(folder / "sim.json", declared, good=GOOD, candidate=CANDIDATE)
    store = Journal(
        f"sqlite:///{folder / 'journal.db'}", after_append=lambda event: wish(event.data.get("to"))
    )
    store.set_clock(simulation)

    def wish(to: object) -> None:
        if to == State.ON_TRIAL and not controller.state_of(store, "r1").is_aborted:
            controller.abort(journal(folder), "r1", by="ann", why="another incident")

    begin(store)
    state = asyncio.run(controller.run(store, rehearsal_world(declared, simulation), "r1"))
    assert state.outcome == "aborted"
    assert state.trials["gw-s1"].state is State.REVERTED
    assert {h.running for h in simulation.hosts.values()} == {GOOD}
    assert state.trials["gw-p1"].state is State.PLANNED
    # A person's stop says nothing about the kernel.
    assert begin(journal(folder)) == "r2"


def test_a_rollout_that_is_not_there_or_over_is_said_to_be_so(tmp_path: Path) -> None:
    store = journal(tmp_path)
    with pytest.raises(InputError):
        controller.state_of(store, "r7")
    assert controlled(tmp_path, "good") == 0
    with pytest.raises(Refused) as refused:
        controller.abort(store, "r1", by="ann", why="")
    assert "blessed" in refused.value.message
