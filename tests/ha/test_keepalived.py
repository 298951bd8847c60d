"""Keepalived's driver on paper: two families, a hand-over of connections, and a kill at every event."""

from __future__ import annotations

import json
from typing import Any

import pytest

from seatrial.ha.driver import Deed, Goal
from seatrial.ha.drivers import driver_of
from seatrial.ha.keepalived import KeepalivedStanding, Member
from seatrial.model.command import Output
from seatrial.model.failover import Ending
from seatrial.model.fleet import Fleet, Group
from seatrial.model.mover import KeepalivedMover
from seatrial.model.result import Outcome

from .paper import Paper

V4, V6 = "192.0.2.10", "2001:db8::10"
# Real outputs: `ip -o addr show to` of one that has the address, and `conntrackd -s` of 1.4.7.
HAS = "2: lan0    inet 192.0.2.10/24 scope global secondary lan0\\       valid_lft forever preferred_lft forever\n"
STATS = """cache internal:
current active connections:	           6
connections created:		           6	failed:	           0

cache external:
current active connections:	           5
"""


def group_of(**mover: Any) -> Group:
    host = {"stage": "s", "roles": ["gateway"], "reach": {"simulated": True}}
    fleet = {
        "version": 1,
        "name": "f",
        "stages": [{"name": "s"}],
        "hosts": {"gw-1": host, "gw-2": host},
        "groups": {"gw": {"hosts": ["gw-1", "gw-2"], "mover": {"address": V4, "further": [V6], **mover}}},
    }
    return Fleet.model_validate_json(json.dumps(fleet)).groups["gw"]


def seen(*said: tuple[str, ...], **mover: Any) -> KeepalivedStanding:
    """What the driver makes of what each host said to each of its Commands."""
    group = group_of(**mover)
    answers = {
        host: [
            Output(command=command, status=0, stdout=text)
            for command, text in zip(commands, texts, strict=True)
        ]
        for (host, commands), texts in zip(driver_of(group).look(group).items(), said, strict=True)
    }
    read = driver_of(group).read(group, answers)
    assert isinstance(read, KeepalivedStanding)
    return read


@pytest.mark.parametrize(
    ("first", "second", "carriers"),
    [
        ((HAS, HAS, "0"), ("", "", "0"), frozenset({"gw-1"})),
        (("", "", "0"), (HAS, HAS, "0"), frozenset({"gw-2"})),
        (("", "", "0"), ("", "", "0"), frozenset()),
        # One family here and the other one there, or one of them nowhere: nobody carries the traffic.
        ((HAS, "", "0"), ("", HAS, "0"), None),
        ((HAS, "", "0"), ("", "", "0"), None),
        ((HAS, HAS, "0"), (HAS, HAS, "0"), None),
    ],
)
def test_who_has_all_addresses_carries_the_traffic_and_half_of_them_is_unknown(
    first: tuple[str, ...], second: tuple[str, ...], carriers: frozenset[str] | None
) -> None:
    assert seen(first, second).carriers == carriers


def test_what_conntrackd_says_is_read_and_anything_else_is_unknown() -> None:
    standing = seen(
        (HAS, HAS, "0", f"taken\n{STATS}"), ("", "", "0", "open\nERROR: can't connect"), conntrackd=True
    )
    assert (standing.members["gw-1"].connections, standing.members["gw-1"].taken) == (6, True)
    assert (standing.members["gw-2"].connections, standing.members["gw-2"].taken) == (None, None)
    refused = [one for one in standing.refusals(Goal(to="gw-2")) if one.outcome is not Outcome.PASS]
    assert [one.because for one in refused] == ["conntrackd on gw-2 does not answer"]


class PaperPair:
    """Two that move their addresses a second after one of them yields, and conntrackd that may refuse."""

    def __init__(self, *, commits: bool = True) -> None:
        self.owner, self.commits = "gw-1", commits
        self.yields = {"gw-1": False, "gw-2": False}
        # A mark of an earlier time, which must count for nothing.
        self.taken = {"gw-1": True, "gw-2": True}
        self.handed = 0

    def look(self) -> KeepalivedStanding:
        mover = group_of(conntrackd=True).mover
        assert isinstance(mover, KeepalivedMover)
        members = {
            host: Member(
                owns=self.owner == host, yields=self.yields[host], connections=6, taken=self.taken[host]
            )
            for host in self.yields
        }
        return KeepalivedStanding(mover=mover, members=members)

    def do(self, deed: Deed) -> str:
        for host, commands in deed.on.items():
            for command in commands:
                match command.name:
                    case "ha.yield":
                        self.yields[host] = command.argv[-1] == "1"
                    case "ha.forget":
                        self.taken[host] = False
                    case "ha.hand-over":
                        assert self.owner == host, "connections are taken over by the owner only"
                        if not self.commits:
                            return "the kernel has 0 of 5 connections that the peer told of"
                        self.handed += 1
                        self.taken[host] = True
        return ""

    def wait(self, seconds: float) -> None:
        if self.yields[self.owner]:
            self.owner = next(host for host in self.yields if host != self.owner)


def test_the_connections_are_handed_over_once_the_addresses_are_there() -> None:
    pair = PaperPair()
    paper = Paper(pair, to="gw-2", origin="gw-1")
    assert paper.run().outcome == Ending.MOVED
    assert paper.deeds == ["forget", "yield", "hand-over", "stand-by"]
    assert (pair.owner, pair.handed) == ("gw-2", 1)


@pytest.mark.parametrize("when", ["after the event", "after the deed"])
def test_a_controller_that_dies_anywhere_is_followed_by_one_that_hands_over_all_the_same(when: str) -> None:
    whole = Paper(PaperPair(), to="gw-2", origin="gw-1")
    whole.run()
    for at in range(2, len(whole.events) + 1):
        pair = PaperPair()
        state = Paper(pair, to="gw-2", origin="gw-1").run_killed_once(at, when)
        assert (state.outcome, pair.owner) == (Ending.MOVED, "gw-2"), (at, when)
        assert pair.handed >= 1 and not any(pair.yields.values()), (at, when)


def test_connections_that_the_kernel_did_not_take_are_no_proof_and_nothing_is_moved_back_for_them() -> None:
    pair = PaperPair(commits=False)
    state = Paper(pair, to="gw-2", origin="gw-1").run()
    assert (state.outcome, pair.owner) == (Ending.STUCK, "gw-2")
    assert "gw-2 has not taken the connections over" in state.because
