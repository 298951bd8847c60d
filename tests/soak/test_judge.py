"""Verdicts: what fails, what passes, and that lack of data is never a pass."""

from __future__ import annotations

import numpy as np
import pytest

from seatrial.errors import InputError
from seatrial.model.result import Outcome
from seatrial.soak.judge import Judgement, judge, summary
from seatrial.soak.memory import Floats
from seatrial.soak.samples import Arm, Series

from .made import counted, noise, series

N = 720
T: Floats = np.arange(0.0, 5.0 * N, 5.0)


def one(recorded: Series) -> Judgement:
    (found,) = judge([recorded])
    return found


def test_half_as_much_again_fails_with_how_much_since_when_and_how_sure() -> None:
    found = one(series(noise(N, seed=1), 1.5 * noise(N, seed=2)))
    assert found.outcome is Outcome.FAIL
    assert found.effect is not None
    assert found.effect == pytest.approx(1.5, rel=0.4)
    assert found.interval is not None
    assert 1 <= found.interval[0] < found.effect < found.interval[1]
    assert found.at is not None
    assert found.since is not None
    assert found.since <= found.at < 5 * 100
    assert found.e_value >= 100
    assert found.p_value <= 0.01
    assert "x the good kernel's (at least " in found.because


def test_the_same_passes_once_it_is_shown() -> None:
    found = one(series(noise(N, seed=1), noise(N, seed=2)))
    assert found.outcome is Outcome.PASS
    assert found.interval is not None
    assert found.interval[1] <= 1.1
    assert found.because.startswith("less than 1.1x: ")


def test_a_hundred_samples_are_not_enough_to_pass_and_that_is_said() -> None:
    found = one(series(noise(100, seed=1), noise(100, seed=2)))
    assert found.outcome is Outcome.UNKNOWN
    assert found.because.startswith("100 pairs of samples do not decide whether it is 1.1x or more: ")


def test_a_long_memory_is_unknown_rather_than_worse() -> None:
    found = judge([series(noise(N, seed=s, phi=0.95), noise(N, seed=s + 100, phi=0.95)) for s in range(20)])
    assert {one.outcome for one in found} == {Outcome.UNKNOWN}


def test_what_both_arms_do_at_the_same_time_is_nobody_s_fault() -> None:
    both = (1 + 4 * np.arange(N) / N) * np.where(np.arange(N) > 300, 3.0, 1.0)
    assert one(series(both * noise(N, seed=1), both * noise(N, seed=2))).outcome is Outcome.PASS


def test_a_good_kernel_without_any_of_it_is_a_baseline() -> None:
    found = one(series(np.zeros(60), 30 * noise(60, seed=2)))
    assert found.outcome is Outcome.FAIL
    assert found.effect == np.inf
    assert "more than 100x" in found.because


def test_a_change_in_the_middle_is_dated() -> None:
    found = one(series(noise(N, seed=1), noise(N, seed=2) * np.where(np.arange(N) >= 100, 2.0, 1.0)))
    assert found.outcome is Outcome.FAIL
    assert found.since == pytest.approx(500, abs=50)


def test_twice_the_work_is_not_twice_as_slow() -> None:
    # The candidate does twice the work in the second half, the good arm in the first; both are slower by their work.
    half = np.arange(N) < N // 2
    work_good, work = np.where(half, 2.0, 1.0), np.where(half, 1.0, 2.0)
    good = Arm(t=T, value=work_good * noise(N, seed=1), work=work_good)
    equal = Arm(t=T, value=work * noise(N, seed=2), work=work)
    assert one(Series(name="s", good=good, candidate=equal)).outcome is Outcome.PASS
    slower = Arm(t=T, value=1.5 * work * noise(N, seed=2), work=work)
    found = one(Series(name="s", good=good, candidate=slower))
    assert found.outcome is Outcome.FAIL
    always = Arm(t=T, value=2 * noise(N, seed=2), work=np.full(N, 2.0))
    found = one(Series(name="s", good=Arm(t=T, value=noise(N, seed=1), work=np.ones(N)), candidate=always))
    assert found.outcome is Outcome.UNKNOWN
    assert found.because.startswith("the candidate always did 2x the work of good")


def test_less_work_does_not_excuse_a_slow_disk() -> None:
    # The clients of a slow disk get less done, always: the rate of work follows the latency and does not explain it.
    good = Arm(t=T, value=3 * noise(N, seed=1), work=200 * noise(N, seed=3))
    slow = Arm(t=T, value=40 * noise(N, seed=2), work=50 * noise(N, seed=4))
    assert one(Series(name="s", good=good, candidate=slow)).outcome is Outcome.FAIL


def test_arms_that_were_measured_one_after_the_other_are_paired_by_their_age_and_that_is_said() -> None:
    late = Arm(t=T + 90_000, value=2 * noise(N, seed=2))
    found = one(Series(name="s", good=series(noise(N, seed=1), np.ones(0)).good, candidate=late))
    assert found.outcome is Outcome.FAIL
    assert found.because.endswith("so what else changed in between counts as the kernel's")


def test_a_lost_sample_here_and_there_does_not_shift_the_pairs() -> None:
    whole = series(noise(N, seed=1), noise(N, seed=2))
    kept = np.arange(N) % 7 != 3
    thinned = Arm(t=whole.candidate.t[kept] + 0.4, value=whole.candidate.value[kept])
    found = one(Series(name="s", good=whole.good, candidate=thinned))
    assert found.outcome is Outcome.PASS


def changed(values: Floats, at: int, to: float) -> Floats:
    values = values.copy()
    values[at] = to
    return values


A, B = noise(60, seed=1), noise(60, seed=2)
WRONG = {
    "there is no sample of candidate": series(A, np.empty(0)),
    "there is no sample of good": series(np.empty(0), A),
    "good has nan at t = 50, which is no measurement": series(changed(A, 10, np.nan), B),
    "candidate has inf at t = 50, which is no measurement": series(A, changed(B, 10, np.inf)),
    "candidate has -5 at t = 50: did a counter wrap or reset?": series(A, changed(B, 10, -5.0)),
    "candidate grows with nearly every sample, like a counter": series(A, np.cumsum(B)),
    "the clock of good does not go forward: t = 5 comes after t = 10": Series(
        name="s", good=Arm(t=np.array([0.0, 10.0, 5.0]), value=A[:3]), candidate=Arm(t=np.arange(3.0), value=A[:3])
    ),
    "good has a time that is no number": Series(
        name="s", good=Arm(t=np.array([0.0, np.nan, 5.0]), value=A[:3]), candidate=Arm(t=np.arange(3.0), value=A[:3])
    ),
    "neither arm ever changes (1 and 1)": series(np.ones(60), np.ones(60)),
    "candidate is 0 throughout and the other arm is not: is it measured?": series(A, np.zeros(60)),
    "there are 3 pairs of samples, and it takes 6 to say anything": series(A[:3], B[:3]),
    "only 0 of 60 samples have a partner in the other arm": Series(
        name="s",
        good=Arm(t=np.r_[0.0, 1000 + np.arange(59.0)], value=A),
        candidate=Arm(t=np.r_[500 + np.arange(59.0), 5000.0], value=B),
    ),
}  # fmt: skip


@pytest.mark.parametrize("said", WRONG)
def test_what_cannot_be_judged_is_unknown_with_the_reason(said: str) -> None:
    found = one(WRONG[said])
    assert found.outcome is Outcome.UNKNOWN
    assert found.because.startswith(said)
    assert found.effect is None


def test_several_series_share_the_error_rate() -> None:
    worse = series(noise(N, seed=1), 1.5 * noise(N, seed=2), name="worse")
    alone = one(worse)
    among = judge([worse, *(series(noise(N, seed=s), noise(N, seed=s + 500)) for s in range(10, 19))])[0]
    assert (alone.e_needed, among.e_needed) == (100, 1000)
    assert among.outcome is Outcome.FAIL
    assert among.samples > alone.samples


def test_probes_that_fail_on_the_candidate_only_fail_it_at_the_eleventh() -> None:
    (found,) = judge([counted([0] * 50, [1] * 50)])
    assert found.outcome is Outcome.FAIL
    assert found.samples == 11
    assert found.because.startswith("11 of 11 against 0 of 11 failed; e-value 171 of 100")


def test_failures_of_the_good_kernel_are_not_the_candidate_s() -> None:
    (found,) = judge([counted([1] * 50, [0] * 50)])
    assert found.outcome is not Outcome.FAIL


def test_no_failure_at_all_passes_when_enough_was_sent_and_not_before() -> None:
    assert judge([counted([0] * 500, [0] * 500)])[0].outcome is Outcome.UNKNOWN
    (found,) = judge([counted([0] * 4000, [0] * 4000)])
    assert found.outcome is Outcome.PASS
    assert found.because.startswith("0 of ")


def test_who_sends_ten_times_as_much_may_fail_ten_times_as_often() -> None:
    (found,) = judge([counted([1, 0] * 100, [10, 0] * 100, sent=(10, 100))])
    assert found.outcome is not Outcome.FAIL
    assert found.effect == pytest.approx(1.0, rel=0.05)


@pytest.mark.parametrize(
    ("good", "candidate", "said"),
    [
        ([0, -3], [0, 0], "failed of good is -3 at t = 1: did a counter wrap or reset?"),
        ([0, 0], [0, 2], "candidate has more failed than sent at t = 1"),
    ],
)
def test_counts_that_cannot_be_are_unknown(good: list[int], candidate: list[int], said: str) -> None:
    (found,) = judge([counted(good, candidate)])
    assert found.outcome is Outcome.UNKNOWN
    assert found.because.startswith(said)


def test_the_whole_is_as_bad_as_its_worst_series() -> None:
    whole = summary([*judge([series(A, B, name="thin")]), *judge([counted([0] * 50, [1] * 50)])])
    assert whole.outcome is Outcome.FAIL
    assert whole.because == "1 fail, 1 unknown"
    assert whole.evidence["unknown"] == ["thin"]


@pytest.mark.parametrize(("alpha", "effect"), [(0.0, 1.1), (0.9, 1.1), (0.01, 1.0), (0.01, float("nan"))])
def test_senseless_wishes_are_refused(alpha: float, effect: float) -> None:
    with pytest.raises(InputError):
        judge([series(A, B)], alpha=alpha, min_effect=effect)
