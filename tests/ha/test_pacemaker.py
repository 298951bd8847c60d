"""Pacemaker's driver on what real clusters said (golden/, 2.1.5 on two machines, over-drbd in the lab's NFS pair), and on paper with a kill at every event."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seatrial.ha.cluster import Cluster, Location, Part, Peer
from seatrial.ha.driver import Deed, Done, Goal, Stuck, Wait
from seatrial.ha.drivers import driver_of
from seatrial.ha.pacemaker import PacemakerStanding
from seatrial.model.command import Output, Trouble
from seatrial.model.failover import Ending
from seatrial.model.fleet import Fleet, Group
from seatrial.model.managed import PacemakerMover
from seatrial.model.result import Outcome

from .paper import Paper

PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN
GOLDEN = Path(__file__).parent / "golden"
TO_SECOND = Goal(to="db-2", away="db-1", origin="db-1")


def group_of(**mover: Any) -> Group:
    host = {"stage": "s", "roles": ["db"], "reach": {"simulated": True}}
    fleet = {
        "version": 1,
        "name": "f",
        "stages": [{"name": "s"}],
        "hosts": {"db-1": host, "db-2": host},
        "groups": {
            "db": {"hosts": ["db-1", "db-2"], "mover": {"driver": "pacemaker", "resource": "nfs", **mover}}
        },
    }
    return Fleet.model_validate_json(json.dumps(fleet)).groups["db"]


def golden(name: str) -> tuple[str, str, int]:
    head, _, rest = (GOLDEN / f"pacemaker-{name}.txt").read_text().partition("--- stdout\n")
    stdout, _, stderr = rest.rpartition("--- stderr\n")
    return stdout, stderr, int(head.removeprefix("status: "))


def standing(by_host: Mapping[str, str | None], **mover: Any) -> PacemakerStanding:
    """What the driver makes of captured answers: each host said what that file has; None: it did not answer."""
    group = group_of(**mover)
    answers: dict[str, list[Output]] = {}
    for host, commands in driver_of(group).look(group).items():
        name = by_host.get(host)
        for command, part in zip(commands, ("mon", "constraints"), strict=True):
            if name is None:
                lost = Output(command=command, status=None, trouble=Trouble.UNREACHABLE, problem="no route")
                answers.setdefault(host, []).append(lost)
                continue
            stdout, stderr, status = golden(f"{name}-{part}")
            output = Output(command=command, status=status, stdout=stdout, stderr=stderr)
            answers.setdefault(host, []).append(output)
    read = driver_of(group).read(group, answers)
    assert isinstance(read, PacemakerStanding)
    assert json.dumps(dict(read.told())).isprintable()
    return read


def both(name: str, **mover: Any) -> PacemakerStanding:
    return standing({"db-1": name, "db-2": name}, **mover)


@pytest.mark.parametrize(
    ("name", "carriers", "refused"),
    [
        ("on-first", {"db-1"}, {}),
        ("on-second", {"db-2"}, {}),
        (
            "maintenance",
            {"db-2"},
            {"managed": "the cluster is in maintenance mode", "resource": "ip is not managed"},
        ),
        ("standby", {"db-2"}, {}),
        ("unmanaged", {"db-2"}, {"resource": "ip is not managed"}),
        ("stopped", set(), {"resource": "ip is to be stopped (target-role)"}),
        ("failed-action", {"db-1"}, {}),
        ("left-over-ban", {"db-2"}, {"constraints": "an earlier move has left cli-ban-nfs-on-db-1"}),
        (
            "moved-with-constraint",
            {"db-2"},
            {"constraints": "an earlier move has left cli-prefer-nfs"},
        ),
        ("peer-offline", {"db-1"}, {"peer": "db-2 is offline"}),
        ("no-quorum", None, {"quorum": "the cluster has no quorum"}),
        (
            "not-running",
            None,
            {
                "quorum": "no member says what the cluster does: db-1: crm_mon: error: Could not connect to launcher"
            },
        ),
    ],
)
def test_what_a_cluster_says_is_read_and_what_is_not_safe_is_refused(
    name: str, carriers: set[str] | None, refused: dict[str, str]
) -> None:
    seen = both(name)
    assert (None if seen.carriers is None else set(seen.carriers)) == carriers
    found = {
        result.check.removeprefix("pacemaker."): result
        for result in seen.refusals(TO_SECOND)
        if result.outcome is not PASS
    }
    assert set(found) == set(refused)
    for check, because in refused.items():
        assert because in found[check].because
        assert found[check].hint


@pytest.mark.parametrize(
    ("name", "goal", "because"),
    [
        ("standby", Goal(to="db-1", away="db-2"), "db-1 is in standby"),
        ("failed-action", Goal(to="db-1", away="db-2"), "srv_asyncmon_0 failed on db-1 before"),
    ],
)
def test_nothing_is_moved_to_where_it_is_not_wanted_or_has_failed(
    name: str, goal: Goal, because: str
) -> None:
    assert because in [one.because for one in both(name).refusals(goal) if one.outcome is FAIL]


def test_the_promoted_instance_is_what_moves_of_a_promotable_clone() -> None:
    assert both("promotable", resource="db-clone", promoted=True).carriers == frozenset({"db-1"})
    assert both("promotable", resource="db-clone").carriers == frozenset({"db-1", "db-2"})
    step = both("promotable", resource="db-clone", promoted=True).decide(TO_SECOND)
    assert isinstance(step, Deed)
    ((command,),) = step.on.values()
    assert "--promoted" in command.argv


def test_a_group_on_a_promoted_disk_is_waited_for_while_its_parts_move() -> None:
    names = {"db-1": "nfs-1", "db-2": "nfs-2"}
    back = Goal(to="db-1", away="db-2", origin="db-2")
    before = both("over-drbd", resource="service", names=names)
    assert before.carriers == frozenset({"db-2"})
    assert {one.outcome for one in before.refusals(back)} == {PASS}
    step = before.decide(back)
    assert isinstance(step, Deed)
    ((command,),) = step.on.values()
    assert command.argv[-2:] == ("--node", "nfs-1")
    # The address is gone already, and the server still runs: that is nobody's, and nothing is asked for a second time.
    middle = both("over-drbd-in-the-middle", resource="service", names=names)
    assert middle.carriers is None
    assert isinstance(middle.decide(replace(back, seconds=20.0)), Wait)
    assert isinstance(middle.decide(replace(back, seconds=181.0)), Stuck)


def test_a_move_is_asked_for_once_with_an_end_and_taken_back_when_it_is_done() -> None:
    step = both("on-first").decide(TO_SECOND)
    assert isinstance(step, Deed)
    ((command,),) = step.on.values()
    assert command.argv == (
        "crm_resource", "--move", "--resource", "nfs", "--lifetime", "PT360S", "--node", "db-2"
    )  # fmt: skip
    assert (command.safe, command.root) == (False, True)
    step = both("moved-with-constraint").decide(TO_SECOND)
    assert isinstance(step, Deed)
    ((command,),) = step.on.values()
    assert command.argv == ("crm_resource", "--clear", "--resource", "nfs")
    assert isinstance(both("on-second").decide(TO_SECOND), Done)
    assert {one.outcome for one in both("on-second").proof(TO_SECOND)} == {PASS}
    assert {one.outcome for one in both("left-over-ban").proof(TO_SECOND)} == {PASS, FAIL}


def test_a_member_that_is_away_leaves_the_word_to_the_one_with_quorum() -> None:
    seen = standing({"db-1": "peer-offline", "db-2": None})
    assert seen.carriers == frozenset({"db-1"})
    assert standing({"db-1": None, "db-2": None}).carriers is None
    # One that is cut off sees no quorum, and is not asked.
    cut = standing({"db-1": "on-first", "db-2": "no-quorum"})
    assert cut.carriers == frozenset({"db-1"})
    step = cut.decide(TO_SECOND)
    assert isinstance(step, Deed) and list(step.on) == ["db-1"]


@pytest.mark.parametrize(
    "stdout",
    [
        "",
        "<pacemaker-result/>",
        "<a" * 5000,
        '<!DOCTYPE x [<!ENTITY a "aaaa">]><pacemaker-result>&a;</pacemaker-result>',
        "\x1b[2J<b/>",
        "<constraints/>",
    ],
)
def test_hostile_answers_are_unknown_and_move_nothing(stdout: str) -> None:
    group = group_of()
    answers = {
        host: [Output(command=command, status=0, stdout=stdout, stderr=stdout) for command in commands]
        for host, commands in driver_of(group).look(group).items()
    }
    seen = driver_of(group).read(group, answers)
    assert seen.carriers is None
    assert not isinstance(seen.decide(TO_SECOND), Deed)
    assert all(one.outcome is not PASS and one.because.isprintable() for one in seen.refusals(TO_SECOND))
    assert driver_of(group).carriers(group, {}) is None


class PaperCluster:
    """A cluster that moves its resource two seconds after it is told to, and has what a test breaks."""

    def __init__(self, *, stickiness: bool = True, sticks: bool = False, refuses: int = 0) -> None:
        self.at = "db-1"
        self.locations: tuple[Location, ...] = ()
        self.due = 0.0
        self.stickiness, self.sticks, self.refuses = stickiness, sticks, refuses

    def look(self) -> PacemakerStanding:
        mover = group_of().mover
        assert isinstance(mover, PacemakerMover)
        part = Part(name="srv", on=frozenset({self.at}), managed=True, blocked=False, failed=False)
        view = Cluster(
            leader="db-1",
            has_quorum=True,
            is_kept=False,
            is_stopped=False,
            peers={"db-1": Peer(online=True), "db-2": Peer(online=True)},
            parts=(part,),
            locations=self.locations,
        )
        return PacemakerStanding(mover=mover, hosts=("db-1", "db-2"), views={"db-1": view, "db-2": view})

    def do(self, deed: Deed) -> str:
        ((command,),) = deed.on.values()
        if "--clear" in command.argv:
            self.locations = ()
            self.at = self.at if self.stickiness else "db-1"
            return ""
        if self.refuses:
            self.refuses -= 1
            return "Requested item already exists"
        self.locations = (Location(id="cli-prefer-nfs", on=command.argv[-1]),)
        self.due = 2.0
        return ""

    def wait(self, seconds: float) -> None:
        self.due -= seconds
        if self.locations and not self.sticks and self.due <= 0:
            self.at = self.locations[0].on


@pytest.mark.parametrize("when", ["after the event", "after the deed"])
def test_a_controller_that_dies_anywhere_is_followed_by_one_that_ends_the_same(when: str) -> None:
    whole = Paper(PaperCluster(), to="db-2", away="db-1", origin="db-1")
    assert whole.run().outcome == Ending.MOVED
    assert whole.deeds == ["move", "clear"]
    for at in range(2, len(whole.events) + 1):
        cluster = PaperCluster()
        state = Paper(cluster, to="db-2", away="db-1", origin="db-1").run_killed_once(at, when)
        assert (state.outcome, cluster.at, cluster.locations) == (Ending.MOVED, "db-2", ()), (at, when)


def test_a_cluster_that_does_not_move_it_is_turned_round_and_keeps_no_constraint() -> None:
    cluster = PaperCluster(sticks=True)
    state = Paper(cluster, to="db-2", away="db-1", origin="db-1").run()
    assert (state.outcome, cluster.at, cluster.locations) == (Ending.BACK, "db-1", ())
    assert "for 180 s now" in state.because


def test_a_resource_that_goes_back_by_itself_is_told_of_and_not_moved_again() -> None:
    cluster = PaperCluster(stickiness=False)
    paper = Paper(cluster, to="db-2", away="db-1", origin="db-1")
    state = paper.run()
    assert (state.outcome, cluster.locations) == (Ending.BACK, ())
    assert "went back to db-1 when the constraint" in state.because
    assert paper.deeds.count("move") == 1


def test_a_move_that_is_refused_is_tried_again_and_then_told_with_what_was_said() -> None:
    paper = Paper(PaperCluster(refuses=2), to="db-2", away="db-1", origin="db-1")
    assert paper.run().outcome == Ending.MOVED
    paper = Paper(PaperCluster(refuses=99), to="db-2", away="db-1", origin="db-1")
    state = paper.run()
    assert state.outcome == Ending.BACK
    assert "did not take the move of nfs: Requested item already exists" in state.because


def test_two_clusters_with_quorum_each_are_one_too_many() -> None:
    seen = both("on-first")
    view = seen.views["db-1"]
    assert isinstance(view, Cluster)
    split = replace(
        seen, views={"db-1": view, "db-2": replace(view, leader="db-2" if view.leader == "db-1" else "db-1")}
    )
    assert split.carriers is None
    assert [one.outcome for one in split.refusals(TO_SECOND)] == [FAIL]
    assert not isinstance(split.decide(TO_SECOND), Deed)


def test_a_machine_that_has_just_booted_is_waited_for_by_a_trial_and_refused_to_a_person() -> None:
    seen = both("peer-offline")
    trial = replace(TO_SECOND, trial="r1")
    assert "db-2 is offline" in [one.because for one in seen.refusals(TO_SECOND) if one.outcome is FAIL]
    assert {one.outcome for one in seen.refusals(trial)} == {PASS}
    assert isinstance(seen.decide(trial), Wait)
    assert isinstance(seen.decide(replace(trial, seconds=181.0)), Stuck)
    # Standby is somebody's word, whoever asks.
    assert {one.outcome for one in both("standby").refusals(Goal(to="db-1", trial="r1"))} == {PASS, FAIL}
