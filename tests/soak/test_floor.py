"""What does not matter in the units of a series: it keeps no good kernel undecided, and hides no bad one."""

from __future__ import annotations

import math

import numpy as np
import pytest

from seatrial.model.result import Outcome
from seatrial.soak.floor import floor_of, lowered, offset_of, raised
from seatrial.soak.judge import Judgement, judge
from seatrial.soak.samples import Arm, Series


def wandering(*, seed: int, level: float, count: int = 120) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Latencies of a fast disk under a machine that is busy now and then: factors of ten, slowly, around `level` ms."""
    dice = np.random.default_rng(seed)
    steps = dice.normal(0, 0.4, count)
    log = np.zeros(count)
    for at in range(1, count):
        log[at] = 0.8 * log[at - 1] + steps[at]
    return np.asarray(level * np.exp(log), dtype=np.float64)


def judged(good: float, candidate: float, *, seed: int, floor: float | None) -> Judgement:
    t = np.arange(120.0)
    series = Series(
        name="nfs-s1:disk.dm-0.latency",
        good=Arm(t=t, value=wandering(seed=seed, level=good)),
        candidate=Arm(t=t, value=wandering(seed=seed + 1_000, level=candidate)),
    )
    matters = {} if floor is None else {"disk.*.latency": floor}
    return judge([series], min_effect=3.0, matters=matters)[0]


def test_a_wandering_below_the_floor_does_not_keep_a_good_kernel_undecided() -> None:
    without = [judged(0.4, 0.7, seed=seed, floor=None).outcome for seed in range(20)]
    with_floor = [judged(0.4, 0.7, seed=seed, floor=5.0).outcome for seed in range(20)]
    assert without.count(Outcome.UNKNOWN) > 10
    assert with_floor.count(Outcome.PASS) >= 19 and Outcome.FAIL not in with_floor


def test_what_is_above_the_floor_and_the_minimum_effect_still_fails() -> None:
    outcomes = [judged(0.4, 40.0, seed=seed, floor=5.0).outcome for seed in range(20)]
    assert outcomes.count(Outcome.FAIL) >= 15 and Outcome.PASS not in outcomes


def test_a_large_ratio_of_next_to_nothing_is_no_failure() -> None:
    assert {judged(0.02, 0.4, seed=seed, floor=5.0).outcome for seed in range(20)} == {Outcome.PASS}


def test_the_floor_is_needed_on_top_of_the_minimum_effect() -> None:
    # With good at 10 and three times as much, 35 is what 3x and 5 more come to.
    offset = offset_of(5.0, 3.0)
    assert math.isclose((35 + offset) / (10 + offset), 3.0)


def test_ratios_are_told_without_the_floor() -> None:
    offset = offset_of(5.0, 3.0)
    assert math.isclose(lowered((35 + offset) / (10 + offset), offset, 10.0), 3.5)
    assert lowered(1.0, offset, 0.0) == 1.0
    assert lowered(1.2, offset, 0.0) == math.inf
    assert lowered(0.1, offset, 1.0) == 0.0
    assert lowered(1.7, 0.0, 0.0) == 1.7


def test_without_a_floor_nothing_is_changed() -> None:
    arm = Arm(t=np.arange(3.0), value=np.array([1.0, 2.0, 3.0]))
    series = Series(name="a", good=arm, candidate=arm)
    assert raised(series, 0.0) is series


@pytest.mark.parametrize(
    ("name", "floor"),
    [("disk.sda.latency", 5.0), ("nfs-c1:disk.sda.latency", 5.0), ("load.1", 2.0), ("load.15", 0.0)],
)
def test_a_floor_is_found_by_the_name_with_and_without_its_place(name: str, floor: float) -> None:
    assert floor_of(name, {"disk.*.latency": 5.0, "load.1": 2.0}) == floor
