"""Rollouts that measure: a slow candidate goes back although every flow passes, a good one is blessed, no load decides nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.model.event import Kind
from seatrial.model.trial import State
from seatrial.vantage.simulation import ControllerFault

from .rehearsed import controlled, ending, events, state


def test_a_candidate_that_is_slow_under_load_goes_back_although_every_flow_passes(tmp_path: Path) -> None:
    assert controlled(tmp_path, "load", measured=True) == 0
    trial = state(tmp_path).trials["gw-s1"]
    assert (trial.state, trial.facts["cause"]) == (State.REVERTED, "failed")
    assert "x the good kernel's" in trial.cause
    worse = {one["series"]: one["effect"] for one in trial.verdict["series"] if one["outcome"] == "fail"}
    assert worse and set(worse) <= {"disk.vda.latency", "load.1"}
    assert all(2 < effect < 4 for effect in worse.values())
    assert {one.data["outcome"] for one in events(tmp_path) if one.kind == Kind.VERDICT} <= {
        "unknown",
        "fail",
    }
    flows = trial.rounds["soak"]
    assert {result["outcome"] for result in flows.results} == {"pass"}
    assert trial.loaded("good") >= 240


def test_a_candidate_as_good_as_the_old_one_is_blessed_when_that_is_shown(tmp_path: Path) -> None:
    assert controlled(tmp_path, "good", measured=True) == 0
    ended = state(tmp_path)
    assert ended.outcome == "blessed"
    for trial in ended.trials.values():
        assert trial.verdict["outcome"] == "pass"
        assert trial.verdict["loaded"]["candidate"] >= 120
        assert trial.verdict["boot_id"] == trial.facts["trial_boot_id"]


def test_without_load_there_is_nothing_to_compare_and_nothing_is_touched(tmp_path: Path) -> None:
    assert controlled(tmp_path, "no-load", measured=True) == 0
    trial = state(tmp_path).trials["gw-s1"]
    assert trial.state is State.REFUSED
    assert "had enough load (disk.vda.ops of 20/s)" in trial.because
    assert ending(tmp_path).hosts[0][4] == 1, "it was rebooted"


@pytest.mark.parametrize("scenario", ["load", "good"])
def test_a_controller_that_is_killed_behind_a_measurement_changes_nothing(
    tmp_path: Path, scenario: str
) -> None:
    assert controlled(tmp_path / "whole", scenario, measured=True) == 0
    wanted = ending(tmp_path / "whole")
    kinds = [one.kind for one in events(tmp_path / "whole")]
    places = [number for number, kind in enumerate(kinds, start=1) if kind in (Kind.SAMPLES, Kind.VERDICT)]
    for place in (places[0], places[len(places) // 2], places[-1]):
        folder = tmp_path / f"at{place}"
        assert controlled(folder, scenario, ControllerFault(after_event=place), measured=True) == -9
        assert controlled(folder, scenario, measured=True) == 0
        again = ending(folder)
        assert (again.outcome, again.trials) == (wanted.outcome, wanted.trials)
