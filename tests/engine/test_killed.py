"""A controller killed with SIGKILL behind every journaled event, and behind every command that changed a host.

The next one must come to the same end, and no host may have been rebooted once more than without the kill.
"""

from __future__ import annotations

import signal
from functools import partial
from pathlib import Path

import pytest

from seatrial.engine.rehearsal import CANDIDATE, GOOD
from seatrial.vantage.simulation import ControllerFault
from tests.engine.children import side_by_side
from tests.engine.rehearsed import controlled, ending, events, simulation, state

OUTCOMES = {"gateway-2021": "reverted", "good": "blessed", "dead-network": "reverted", "panic": "reverted"}


@pytest.mark.parametrize(("scenario", "outcome"), OUTCOMES.items())
def test_each_story_ends_as_it_is_told(tmp_path: Path, scenario: str, outcome: str) -> None:
    assert controlled(tmp_path, scenario) == 0
    assert state(tmp_path).outcome == outcome
    hosts = simulation(tmp_path).hosts
    if outcome == "blessed":
        assert {(h.running, h.default) for h in hosts.values()} == {(CANDIDATE, CANDIDATE)}
    else:
        assert {(h.running, h.default) for h in hosts.values()} == {(GOOD, GOOD)}
        assert all(hosts[host].boots == 1 for host in ("gw-p1", "gw-p2")), "production was touched"


def kill_everywhere(folder: Path, scenario: str, points: list[ControllerFault]) -> None:
    whole = folder / "whole"
    assert controlled(whole, scenario) == 0
    expected = ending(whole)

    def cut_off(number: int, fault: ControllerFault) -> None:
        cut = folder / f"cut-{number}"
        assert controlled(cut, scenario, fault) == -signal.SIGKILL, fault
        assert controlled(cut, scenario) == 0, fault
        assert ending(cut) == expected, fault

    side_by_side([partial(cut_off, number, fault) for number, fault in enumerate(points)])


def test_killed_behind_every_event_of_a_reverted_rollout(tmp_path: Path) -> None:
    assert controlled(tmp_path / "count", "gateway-2021") == 0
    # The last event ends the rollout: there is nothing left to be cut off, and resuming finds it over.
    points = [ControllerFault(after_event=n) for n in range(2, len(events(tmp_path / "count")) + 1)]
    assert len(points) > 20
    kill_everywhere(tmp_path, "gateway-2021", points)


def test_killed_behind_every_event_of_a_blessed_rollout(tmp_path: Path) -> None:
    assert controlled(tmp_path / "count", "good") == 0
    points = [ControllerFault(after_event=n) for n in range(2, len(events(tmp_path / "count")) + 1)]
    assert len(points) > 40
    kill_everywhere(tmp_path, "good", points)


@pytest.mark.parametrize("scenario", OUTCOMES)
def test_killed_behind_every_change_of_a_host(tmp_path: Path, scenario: str) -> None:
    assert controlled(tmp_path / "count", scenario) == 0
    changes = simulation(tmp_path / "count").changes
    assert changes >= 3
    kill_everywhere(tmp_path, scenario, [ControllerFault(after_change=n) for n in range(1, changes + 1)])
