"""Rollouts that measure: a slow candidate goes back although every flow passes, a good one is blessed, no load decides nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.engine.rehearsal import CANDIDATE, GOOD
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


def test_what_is_compared_with_ran_the_good_kernel_also_for_the_last_of_a_group(tmp_path: Path) -> None:
    assert controlled(tmp_path, "good", measured=True) == 0
    for host, trial in state(tmp_path).trials.items():
        kernels = {one["arm"]: one["kernel"] for one in trial.samples}
        assert kernels == {"good": GOOD, "candidate": CANDIDATE}, host


def test_against_both_each_comparison_has_its_own_series_and_both_must_pass(tmp_path: Path) -> None:
    assert controlled(tmp_path, "good", measured="both") == 0
    ended = state(tmp_path)
    assert ended.outcome == "blessed"
    first, last = ended.trials["gw-p2"], ended.trials["gw-p1"]
    names = {one["series"] for one in first.verdict["series"]}
    assert names == {
        f"{name} (against {arm})" for name in ("disk.vda.latency", "load.1") for arm in ("before", "peer")
    }
    assert {one["outcome"] for one in first.verdict["series"]} == {"pass"}
    peer = [one for one in first.samples if one["arm"] == "peer"]
    assert {(one["place"], one["kernel"]) for one in peer} == {("gw-p1", GOOD)}
    # Of the last of a group no peer is left: it says so, and is compared with what was before.
    assert "no peer has the good kernel any more" in last.verdict["because"]
    assert {one["arm"] for one in last.samples} == {"good", "candidate"}


def test_against_a_peer_a_slow_candidate_fails_while_both_are_measured_at_the_same_time(
    tmp_path: Path,
) -> None:
    assert controlled(tmp_path, "load-production", measured="peer") == 0
    ended = state(tmp_path)
    assert ended.trials["gw-s1"].state is State.BLESSED
    trial = ended.trials["gw-p2"]
    assert (trial.state, trial.facts["cause"]) == (State.REVERTED, "failed")
    assert {one["arm"] for one in trial.samples} == {"peer", "candidate"}
    assert ended.trials["gw-p1"].state is State.PLANNED


def test_against_a_peer_the_last_of_a_group_is_refused_since_no_good_one_is_left(tmp_path: Path) -> None:
    assert controlled(tmp_path, "good", measured="peer") == 0
    trial = state(tmp_path).trials["gw-p1"]
    assert trial.state is State.REFUSED
    assert "none of its peers has the good kernel any more" in trial.because
    assert "against: before" in trial.hint


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
