"""The driver of drbd-reactor on paper. Debian has no drbd-reactor: what is said here is written by hand after its sources."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seatrial.ha.driver import Deed, Goal, Stuck, Wait
from seatrial.ha.drivers import driver_of
from seatrial.ha.reactor import ReactorStanding
from seatrial.model.command import Output, Trouble
from seatrial.model.failover import Ending
from seatrial.model.fleet import Fleet, Group
from seatrial.model.result import Outcome

from .paper import Paper

PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN
GOLDEN = Path(__file__).parents[1] / "checks" / "storage" / "golden"
# In the format of `drbdsetup status --json` of 9, as the check of DRBD reads it.
CONNECTED = (
    (GOLDEN / "drbd9-format-connected.txt")
    .read_text()
    .partition("--- stdout\n")[2]
    .partition("--- stderr")[0]
)
FINE = "reactor active\nservices active\nenabled static\n"
IDLE = "reactor active\nservices inactive\nenabled static\n"


def status_of(role: str, *, disk: str = "UpToDate", connection: str = "Connected") -> str:
    one = next(each for each in json.loads(CONNECTED) if each["name"] == "tools")
    one["role"] = role
    one["connections"] = one["connections"][:1]
    one["connections"][0]["connection-state"] = connection
    one["devices"][0]["disk-state"] = disk
    return json.dumps([one])


def group_of(hosts: tuple[str, ...] = ("nfs-1", "nfs-2"), **mover: Any) -> Group:
    host = {"stage": "s", "roles": ["nfs"], "reach": {"simulated": True}}
    fleet = {
        "version": 1,
        "name": "f",
        "stages": [{"name": "s"}],
        "hosts": dict.fromkeys(hosts, host),
        "groups": {
            "nfs": {"hosts": list(hosts), "mover": {"driver": "drbd-reactor", "resource": "tools", **mover}}
        },
    }
    return Fleet.model_validate_json(json.dumps(fleet)).groups["nfs"]


def seen(*said: tuple[str, str] | None, hosts: tuple[str, ...] = ("nfs-1", "nfs-2")) -> ReactorStanding:
    group = group_of(hosts)
    answers: dict[str, list[Output]] = {}
    for (host, commands), texts in zip(driver_of(group).look(group).items(), said, strict=True):
        answers[host] = [
            Output(command=command, status=None, trouble=Trouble.UNREACHABLE, problem="no route")
            if texts is None
            else Output(command=command, status=0, stdout=texts[number])
            for number, command in enumerate(commands)
        ]
    read = driver_of(group).read(group, answers)
    assert isinstance(read, ReactorStanding)
    assert json.dumps(dict(read.told())).isprintable()
    return read


PRIMARY, SECONDARY = (status_of("Primary"), FINE), (status_of("Secondary"), IDLE)


@pytest.mark.parametrize(
    ("first", "second", "carriers", "because"),
    [
        (PRIMARY, SECONDARY, {"nfs-1"}, ""),
        (SECONDARY, SECONDARY, set(), "nobody has tools"),
        (PRIMARY, PRIMARY, None, "two hosts have tools"),
        (PRIMARY, None, {"nfs-1"}, "nobody can take it: nfs-2: drbdsetup: no route"),
        (None, SECONDARY, None, "it is not known who has tools: nfs-1: drbdsetup: no route"),
        (PRIMARY, (status_of("Secondary", disk="Inconsistent"), IDLE), {"nfs-1"}, "nfs-2: volume 0 is Inconsistent"),
        (PRIMARY, (status_of("Secondary", connection="StandAlone"), IDLE), {"nfs-1"}, "is not connected to"),
        (PRIMARY, (SECONDARY[0], IDLE.replace("static", "masked-runtime")), {"nfs-1"}, "nfs-2: its target is masked"),
        (PRIMARY, (SECONDARY[0], IDLE.replace("reactor active", "reactor failed")), {"nfs-1"}, "drbd-reactor does not run"),
        ((PRIMARY[0], FINE.replace("reactor active", "reactor inactive")), SECONDARY, {"nfs-1"}, "does not run on nfs-1"),
        (("[]", FINE), SECONDARY, set(), "nobody has tools"),
        (("\x1b[2J", FINE), SECONDARY, None, "not understood"),
        ((PRIMARY[0], "active\n"), SECONDARY, None, "not understood"),
    ],
)  # fmt: skip
def test_what_the_hosts_say_is_read_and_what_is_not_safe_is_refused(
    first: tuple[str, str] | None, second: tuple[str, str] | None, carriers: set[str] | None, because: str
) -> None:
    standing = seen(first, second)
    assert (None if standing.carriers is None else set(standing.carriers)) == carriers
    wrong = [one for one in standing.refusals(Goal(to="nfs-2", away="nfs-1")) if one.outcome is not PASS]
    assert because in " ".join(one.because for one in wrong)
    assert bool(wrong) == bool(because)


def test_with_more_than_two_it_cannot_be_said_who_takes_it() -> None:
    three = seen(PRIMARY, SECONDARY, SECONDARY, hosts=("nfs-1", "nfs-2", "nfs-3"))
    assert {one.outcome for one in three.refusals(Goal(away="nfs-1"))} == {PASS}
    (no,) = (one for one in three.refusals(Goal(to="nfs-3")) if one.outcome is FAIL)
    assert no.because == "drbd-reactor itself chooses which of nfs-2 and nfs-3 takes tools"


def test_the_promoter_is_asked_by_its_own_command() -> None:
    step = seen(PRIMARY, SECONDARY).decide(Goal(to="nfs-2", away="nfs-1"))
    assert isinstance(step, Deed)
    ((command,),) = step.on.values()
    assert (list(step.on), command.argv) == (
        ["nfs-1"],
        ("drbd-reactorctl", "evict", "--delay", "60", "tools"),
    )


class PaperReactor:
    """Two promoters: an evicted resource is taken by the other one, or started here again where that cannot."""

    def __init__(self, *, peer_takes: bool = True, interrupted: bool = False) -> None:
        self.at = "nfs-1"
        self.peer_takes, self.interrupted = peer_takes, interrupted
        self.masked: set[str] = set()

    def look(self) -> ReactorStanding:
        def said(host: str) -> tuple[str, str]:
            mask = "masked-runtime" if host in self.masked else "static"
            text = (FINE if host == self.at else IDLE).replace("static", mask)
            return status_of("Primary" if host == self.at else "Secondary"), text

        return seen(said("nfs-1"), said("nfs-2"))

    def do(self, deed: Deed) -> str:
        for host, (command,) in deed.on.items():
            if "--unmask" in command.argv:
                self.masked.discard(host)
            elif self.at == host:
                if self.peer_takes:
                    self.at = "nfs-2" if host == "nfs-1" else "nfs-1"
                if self.interrupted:
                    self.masked.add(host)
        return ""

    def wait(self, seconds: float) -> None:
        """Nothing happens by itself."""


@pytest.mark.parametrize("interrupted", [False, True])
@pytest.mark.parametrize("when", ["after the event", "after the deed"])
def test_a_controller_that_dies_anywhere_is_followed_by_one_that_leaves_no_mask(
    when: str, interrupted: bool
) -> None:
    whole = Paper(PaperReactor(interrupted=interrupted), to="nfs-2", away="nfs-1", origin="nfs-1")
    assert whole.run().outcome == Ending.MOVED
    for at in range(2, len(whole.events) + 1):
        world = PaperReactor(interrupted=interrupted)
        state = Paper(world, to="nfs-2", away="nfs-1", origin="nfs-1").run_killed_once(at, when)
        assert (state.outcome, world.at, world.masked) == (Ending.MOVED, "nfs-2", set()), (at, when)


def test_a_resource_that_nobody_took_stays_and_it_is_said_where_to_look() -> None:
    world = PaperReactor(peer_takes=False)
    paper = Paper(world, to="nfs-2", away="nfs-1", origin="nfs-1")
    state = paper.run()
    assert (state.outcome, world.at, paper.deeds) == (Ending.BACK, "nfs-1", ["evict", "evict"])
    assert "nobody took tools, so it is on nfs-1 again" in state.because


def test_a_peer_that_has_just_booted_is_waited_for_by_a_trial_and_refused_to_a_person() -> None:
    standing = seen(PRIMARY, (status_of("Secondary", disk="Inconsistent"), IDLE))
    goal = Goal(to="nfs-2", away="nfs-1", trial="r1")
    assert {one.outcome for one in standing.refusals(goal)} == {PASS}
    assert isinstance(standing.decide(goal), Wait)
    assert isinstance(standing.decide(replace(goal, seconds=121.0)), Stuck)
