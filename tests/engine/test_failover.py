"""Failovers of a simulated pair through the real engine, journal and readers: faults, refusals, and a controller killed anywhere."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from seatrial.engine import controller, failover
from seatrial.engine.rehearsal import CANDIDATE, PAIR_TEXT, open_simulation, rehearsal_world
from seatrial.errors import InputError, Refused
from seatrial.fleetfile import parse
from seatrial.journal.leases import Fence, Holder
from seatrial.model.command import Command, Output, Vantage
from seatrial.model.event import Kind
from seatrial.model.failover import Ending
from seatrial.model.trial import State
from seatrial.vantage.simulation import ControllerFault, Fault
from tests.engine.moved import FLEET, control, controlled, events, journal, platform, serving, state


def test_it_moves_there_and_back_and_says_so(tmp_path: Path) -> None:
    for name, host in (("f1", "nfs-2"), ("f2", "nfs-1")):
        control(tmp_path)
        assert (state(tmp_path, name).outcome, serving(tmp_path)) == (Ending.MOVED, [host])
    kinds = [event.kind for event in events(tmp_path)]
    assert kinds == [
        Kind.FAILOVER_STARTED,
        Kind.RESULTS,
        Kind.FAILOVER_INTENT,
        Kind.FAILOVER_ACTED,
        Kind.RESULTS,
        Kind.FAILOVER_ENDED,
    ]


def test_every_step_of_a_batch_is_in_the_journal(tmp_path: Path) -> None:
    control(tmp_path)
    acted = next(event for event in events(tmp_path) if event.kind == Kind.FAILOVER_ACTED)
    steps = {place: [step["name"] for step in some] for place, some in acted.data["steps"].items()}
    assert steps == {
        "nfs-1": ["nfsd", "address", "unmount", "secondary"],
        "nfs-2": ["word", "primary", "mount", "nfsd", "address"],
    }


# The fault, how it ends, who serves then, and a word of why.
FAULTS = [
    (Fault(host="nfs-1", kind="busy-volume"), Ending.BACK, ["nfs-1"], "is busy"),
    (Fault(host="nfs-1", kind="nfsd-stuck"), Ending.BACK, ["nfs-1"], "nfsd does not stop"),
    (Fault(host="nfs-2", kind="no-mount"), Ending.BACK, ["nfs-1"], "mount"),
    (Fault(host="nfs-1", kind="cut-link"), Ending.REFUSED, ["nfs-1"], "not connected"),
    (Fault(host="nfs-2", kind="unreachable"), Ending.REFUSED, ["nfs-1"], "does not say how it stands"),
]


@pytest.mark.parametrize(("fault", "outcome", "where", "because"), FAULTS)
def test_a_fault_ends_where_somebody_serves(
    tmp_path: Path, fault: Fault, outcome: Ending, where: list[str], because: str
) -> None:
    control(tmp_path, (fault,))
    ended = state(tmp_path)
    assert (ended.outcome, serving(tmp_path)) == (outcome, where)
    assert because in ended.because


def test_killed_behind_every_event_it_comes_to_the_same_end(tmp_path: Path) -> None:
    assert controlled(tmp_path / "whole") == 0
    count = len(events(tmp_path / "whole"))
    for number in range(1, count):
        cut = tmp_path / f"cut-{number}"
        assert controlled(cut, fault=ControllerFault(after_event=number)) == -signal.SIGKILL
        assert controlled(cut) == 0
        assert (state(cut).outcome, serving(cut)) == (Ending.MOVED, ["nfs-2"]), number


@pytest.mark.parametrize(
    "faults", [(), (Fault(host="nfs-2", kind="no-mount"),), (Fault(host="nfs-1", kind="busy-volume"),)]
)
def test_killed_behind_every_step_on_a_host_it_comes_to_the_same_end(
    tmp_path: Path, faults: tuple[Fault, ...]
) -> None:
    assert controlled(tmp_path / "whole", *faults) == 0
    whole = state(tmp_path / "whole")
    changes = platform(tmp_path / "whole").changes
    assert changes >= 9
    for number in range(1, changes + 1):
        cut = tmp_path / f"cut-{number}"
        assert controlled(cut, *faults, fault=ControllerFault(after_change=number)) == -signal.SIGKILL
        assert controlled(cut, *faults) == 0
        assert (state(cut).outcome, serving(cut)) == (whole.outcome, serving(tmp_path / "whole")), number


def test_a_second_failover_waits_for_the_first_one(tmp_path: Path) -> None:
    assert controlled(tmp_path, fault=ControllerFault(after_event=3)) == -signal.SIGKILL
    with pytest.raises(Refused, match="failover f1 of nfs is not over"):
        refused_begin(tmp_path)


def test_a_dead_peer_takes_a_persons_word(tmp_path: Path) -> None:
    dead = (Fault(host="nfs-1", kind="unreachable"),)
    with pytest.raises(InputError, match="which host of nfs carries it now"):
        control(tmp_path, dead)
    control(tmp_path, dead, to="nfs-2")
    assert state(tmp_path).outcome == Ending.REFUSED
    sim = platform(tmp_path)
    sim.reboot("nfs-1")
    sim.save()
    control(tmp_path, dead, force="its power is off", to="nfs-2")
    assert (state(tmp_path, "f2").outcome, serving(tmp_path)) == (Ending.MOVED, ["nfs-2"])


def test_groups_and_hosts_that_are_none_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no group 'nfz'"):
        refused_begin(tmp_path, group="nfz")
    with pytest.raises(InputError, match="nfs-c1 is not in group nfs"):
        refused_begin(tmp_path, to="nfs-c1")


def test_a_host_that_turns_out_bad_gives_the_service_back_before_it_reboots(tmp_path: Path) -> None:
    declared = parse(PAIR_TEXT, filename="the pair")
    sim = open_simulation(tmp_path / "simulation.json", declared, "nfs-2017")
    store = journal(tmp_path)
    store.set_clock(sim)
    rollout = controller.start(
        store,
        declared,
        fleet_text=PAIR_TEXT,
        candidate=CANDIDATE,
        hosts=tuple(declared.hosts),
        by="test",
        why="",
    )
    ended = asyncio.run(controller.run(store, rehearsal_world(declared, sim), rollout))
    assert (ended.outcome, ended.trials["nfs-1"].state) == ("reverted", State.PLANNED)
    acts = [event for event in store.read(rollout) if event.kind == Kind.TRIAL_ACTED]
    by_act = {event.data["act"]: event for event in acts}
    assert (by_act["attract"].data["failover"], by_act["drain"].data["failover"]) == ("f1", "f2")
    given_back = next(event for event in store.read("f2") if event.kind == Kind.FAILOVER_ENDED)
    assert given_back.data["carriers"] == ["nfs-1"]
    assert given_back.seq < by_act["revert"].seq
    assert sim.pairs["nfs"].hosts[0].served


def refused_begin(folder: Path, group: str = "nfs", to: str = "") -> None:
    """Begin a failover that must not begin."""
    world = rehearsal_world(FLEET, platform(folder))
    asyncio.run(failover.begin(journal(folder), world, group, to=to, by="test"))


class Stolen:
    """A place at which a deed takes so long that all leases of whoever does it go to somebody else meanwhile."""

    def __init__(self, place: Vantage, folder: Path, gone: list[str]) -> None:
        self.name, self._place, self._folder, self._gone = place.name, place, folder, gone

    async def run(self, commands: Sequence[Command]) -> list[Output]:
        answers = await self._place.run(commands)
        if not self._gone and any(not command.safe for command in commands):
            self._gone.append(commands[0].name)
            with sqlite3.connect(self._folder / "journal.db") as database:
                database.execute("UPDATE leases SET beat = '2020-01-01T00:00:00+00:00'")
            other = replace(Holder.here(), holder="another", machine="elsewhere boot")
            names = [row[0] for row in database.execute("SELECT name FROM leases")]
            for name in names:
                journal(self._folder).take_lease(name, other)
        return answers

    async def fresh(self) -> None:
        await self._place.fresh()

    async def close(self) -> None:
        await self._place.close()


def test_who_slept_in_a_move_while_another_took_over_writes_nothing_more_of_it(tmp_path: Path) -> None:
    gone: list[str] = []
    sim, store = platform(tmp_path), journal(tmp_path)
    store.set_clock(sim)
    world = rehearsal_world(FLEET, sim)
    slow = {name: Stolen(place, tmp_path, gone) for name, place in world.places.items()}
    name = asyncio.run(failover.begin(store, world, "nfs", by="test"))
    with pytest.raises(Refused, match="has gone to another controller"):
        asyncio.run(failover.run(store, replace(world, places=slow), name))
    assert gone, "nothing was done, so nothing was proven"
    assert [event.kind for event in events(tmp_path)][-1] == Kind.FAILOVER_INTENT
    # What was done meanwhile is seen by whoever goes on, who looks before anything is done again.
    with sqlite3.connect(tmp_path / "journal.db") as database:
        database.execute("UPDATE leases SET beat = '2020-01-01T00:00:00+00:00'")
    control(tmp_path)
    assert (state(tmp_path).outcome, serving(tmp_path)) == (Ending.MOVED, ["nfs-2"])


def test_a_trial_that_went_to_another_worker_begins_and_moves_nothing(tmp_path: Path) -> None:
    """The lease of the group is free, as between two moves; that of the trial is not this worker's any more."""
    sim, store = platform(tmp_path), journal(tmp_path)
    store.set_clock(sim)
    world = rehearsal_world(FLEET, sim)
    other = replace(Holder.here(), holder="another", machine="elsewhere boot")
    fence = Fence(holder=Holder.here(), leases=("r1.nfs-1",))
    store.take_lease("r1.nfs-1", other)
    with pytest.raises(Refused, match=r"the lease of r1\.nfs-1 has gone"):
        asyncio.run(failover.begin(store, world, "nfs", fence, by="test"))
    assert store.failovers() == ["f1"] and store.read("f1") == []
    name = asyncio.run(failover.begin(store, world, "nfs", by="test"))
    with pytest.raises(Refused, match=r"the lease of r1\.nfs-1 has gone"):
        asyncio.run(failover.run(store, world, name, fence=fence))
    assert [event.kind for event in store.read(name)] == [Kind.FAILOVER_STARTED]
    assert (sim.changes, serving(tmp_path)) == (0, ["nfs-1"])
