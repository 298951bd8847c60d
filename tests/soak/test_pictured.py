"""Judged series as panels: which, in which order, and that the picture says what the verdict says."""

from __future__ import annotations

import numpy as np
import pytest

from seatrial.model.result import Outcome
from seatrial.picture.values import Clock, Mark, Picture, What
from seatrial.soak import looks
from seatrial.soak.judge import APART, Judgement, judge
from seatrial.soak.pictured import pictured, worst_first
from seatrial.soak.samples import Arm, CountSeries, Series

from .made import counted, noise, series

ALPHA, LEAST = 0.01, 1.1


def shown(*recorded: Series | CountSeries, most: int = 6) -> Picture:
    judgements = judge(list(recorded), alpha=ALPHA, min_effect=LEAST)
    return pictured(recorded, judgements, title="t", most=most, alpha=ALPHA, min_effect=LEAST)


def at(t0: float, one: Series) -> Series:
    return Series(
        name=one.name,
        good=Arm(t=t0 + one.good.t, value=one.good.value),
        candidate=Arm(t=t0 + one.candidate.t, value=one.candidate.value),
    )


GOOD, WORSE = noise(400, seed=1, sigma=0.15), 2 * noise(400, seed=2, sigma=0.15)
FINE = noise(400, seed=3, sigma=0.15)


def test_the_worst_come_first_and_what_is_left_out_is_said() -> None:
    recorded = [
        series(GOOD, FINE, name="fine"),
        series(GOOD, WORSE, name="worse"),
        series(GOOD, 2 * WORSE, name="worst"),
        series(GOOD, np.empty(0), name="not known"),
    ]
    picture = shown(*recorded, most=3)
    assert [panel.name for panel in picture.panels] == ["worst", "worse", "not known"]
    assert picture.left_out == "1 more series not shown, which are less bad than these."
    assert picture.summary == "2 fail, 1 unknown, 1 pass of 4 series"
    assert shown(*recorded).left_out == ""


def test_a_panel_has_the_effect_its_bounds_since_when_and_how_sure() -> None:
    one = series(GOOD, WORSE)
    (judgement,) = judge([one], alpha=ALPHA, min_effect=LEAST)
    (panel,) = shown(one).panels
    assert judgement.effect is not None and judgement.interval is not None
    low, high = judgement.interval
    assert panel.short == f"{judgement.effect:.3g}x good ({low:.3g}x to {high:.3g}x)"
    assert panel.outcome == "fail"
    for said in (
        "99 % sure",
        f"worse since t = {judgement.since:.6g} s",
        f"after {judgement.samples} pairs",
        "p = ",
    ):
        assert said in panel.because
    assert {mark.what: mark.t for mark in panel.marks} == {
        What.SINCE: judgement.since,
        What.VERDICT: judgement.at,
    }


def test_what_passes_has_no_since_and_what_is_not_known_says_why() -> None:
    (fine,) = shown(series(GOOD, FINE)).panels
    assert [mark.text for mark in fine.marks] == ["pass"]
    assert "since" not in fine.because
    (thin,) = shown(series(GOOD, np.empty(0))).panels
    assert (thin.because, thin.short, thin.effect, thin.marks) == (
        "there is no sample of candidate",
        "",
        None,
        (),
    )


def test_the_bounds_over_time_end_as_the_verdict_s_and_close_in() -> None:
    """At the last look they are what judging so many samples without a verdict would have said."""
    one = series(GOOD[:60], 1.3 * noise(60, seed=4, phi=0.5))
    (judgement,) = judge([one], alpha=ALPHA, min_effect=1.3)
    assert judgement.outcome is Outcome.UNKNOWN and judgement.interval is not None
    found = looks.over_time(one, alpha=ALPHA, min_effect=1.3)
    assert found is not None
    assert (found.t[-1], found.ratio[-1]) == (judgement.at, judgement.effect)
    assert (found.low[-1], found.high[-1]) == pytest.approx(judgement.interval)
    assert (np.diff(found.t) > 0).all()
    assert len(found.t) <= looks.LOOKS
    assert (found.low <= found.ratio).all() and (found.ratio <= found.high).all()
    wide = np.log(found.high) - np.log(np.maximum(found.low, 1e-9))
    assert wide[-1] < wide[0]


def test_the_true_ratio_stays_within_the_bounds_at_all_looks() -> None:
    """60 runs at alpha 0.05 with two bounds: 6 are expected at most, and 15 happen once in a thousand."""
    outside = 0
    for seed in range(60):
        one = series(noise(80, seed=seed), 1.5 * noise(80, seed=1000 + seed))
        found = looks.over_time(one, alpha=0.05, min_effect=LEAST)
        assert found is not None
        outside += bool((found.low > 1.5).any() or (found.high < 1.5).any())
    assert outside < 15


def test_counts_are_shares_in_percent_with_bounds_of_their_own() -> None:
    one = counted([0] * 60, [1] * 60, sent=(10, 10))
    (panel,) = shown(one).panels
    assert (panel.unit, panel.candidate.value.max(), panel.candidate.counts) == ("% lost", 10.0, True)
    assert panel.effect is not None
    assert np.isinf(panel.effect.high[-1]) or panel.effect.high[-1] > panel.effect.ratio[-1]
    (judgement,) = judge([one])
    assert panel.because == judgement.because


def test_seconds_since_1970_are_a_time_of_day() -> None:
    assert shown(series(GOOD, FINE)).clock is Clock.SECONDS
    picture = shown(at(1.4987e9, series(GOOD, WORSE)))
    assert picture.clock is Clock.UTC
    assert "worse since 2017-06-29 " in picture.panels[0].because


def test_events_are_marked_in_the_order_of_time() -> None:
    recorded = [series(GOOD, FINE)]
    events = (Mark(t=50.0, text="b"), Mark(t=20.0, text="a"))
    picture = pictured(
        recorded, judge(recorded), title="t", events=events, most=1, alpha=ALPHA, min_effect=LEAST
    )
    assert [mark.text for mark in picture.events] == ["a", "b"]


def test_a_candidate_between_two_stretches_of_good_is_judged_against_the_first() -> None:
    t = 5.0 * np.arange(400.0)
    split = Series(
        name="s",
        good=Arm(t=np.concatenate([t[:200], 3000 + t[:200]]), value=GOOD),
        candidate=Arm(t=1500 + t[:200], value=WORSE[:200]),
    )
    (judgement,) = judge([split])
    assert judgement.outcome is Outcome.FAIL and judgement.because.endswith(APART)
    assert judgement.at is not None and 1500 <= judgement.at < 2500
    (alone,) = judge([Series(name="s", good=Arm(t=t[:200], value=GOOD[:200]), candidate=split.candidate)])
    assert alone == judgement
    (panel,) = shown(split).panels
    assert panel.because.endswith(APART)


def test_arms_whose_clocks_mesh_without_meeting_are_still_not_paired() -> None:
    t = 10.0 * np.arange(50.0)
    # Two samples of each in turn, far from each other: no arm lies in one gap of the other.
    good, candidate = t[(t // 20) % 2 == 0], t[(t // 20) % 2 == 1]
    meshed = Series(
        name="s",
        good=Arm(t=good * 100, value=noise(len(good), seed=5)),
        candidate=Arm(t=candidate * 100, value=noise(len(candidate), seed=6)),
    )
    (judgement,) = judge([meshed])
    assert judgement.outcome is Outcome.UNKNOWN
    assert "have a partner in the other arm at the same time" in judgement.because


def test_the_order_does_not_depend_on_chance() -> None:
    recorded = [series(GOOD, FINE, name=f"s{number}") for number in range(5)]
    assert worst_first(judge(recorded)) == [0, 1, 2, 3, 4]


def test_with_a_floor_the_line_of_what_matters_is_where_both_are_reached() -> None:
    """Good's usual level is about 1, so 0.5 more than 1.1 times that is about 1.6 times good."""
    one = series(GOOD[:60], 1.3 * noise(60, seed=8, sigma=0.15))
    recorded, matters = [one], {"s*": 0.5}
    judgements = judge(recorded, alpha=ALPHA, min_effect=LEAST, matters=matters)
    (panel,) = pictured(
        recorded, judgements, title="t", most=1, alpha=ALPHA, min_effect=LEAST, matters=matters
    ).panels
    assert panel.effect is not None and judgements[0].effect is not None
    assert panel.effect.enough == pytest.approx(1.1 + 0.5 / np.median(one.good.value))
    at = int(np.argmin(np.abs(panel.effect.t - (judgements[0].at or 0.0))))
    assert panel.effect.ratio[at] == pytest.approx(judgements[0].effect, rel=0.05)


def test_evidence_of_nothing_is_a_p_value_of_one() -> None:
    assert Judgement(series="s", outcome=Outcome.UNKNOWN, because="", e_value=0.0).p_value == 1.0
