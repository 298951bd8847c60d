"""Many samples on little paper: few are left as they are, many are a middle and a range, and gaps stay gaps."""

from __future__ import annotations

import numpy as np

from seatrial.picture.thin import thinned
from seatrial.picture.values import Curve

from .shown import curve


def test_few_samples_are_drawn_as_they_are() -> None:
    (run,) = thinned(curve(3, 1, 2), 0, 2, 100)
    assert run.middle.tolist() == [3, 1, 2]
    assert (run.low == run.high).all()


def test_many_samples_are_their_median_and_the_range_of_nine_tenths() -> None:
    values = [1.0] * 50 + [3.0] * 45 + [1000.0] * 5
    (run,) = thinned(curve(*values, step=0.01), 0, 1, 1)
    assert run.middle.tolist() == [2.0]
    assert run.low.tolist() == [1.0]
    assert 3.0 <= run.high[0] < 100


def test_counts_that_are_mostly_zero_are_their_mean() -> None:
    (run,) = thinned(curve(*([0.0] * 9 + [10.0]), counts=True), 0, 10, 1)
    assert run.middle.tolist() == [1.0]


def test_no_line_crosses_a_gap() -> None:
    before, after = np.arange(100.0), 500 + np.arange(100.0)
    t = np.concatenate([before, after])
    runs = thinned(Curve(t=t, value=np.ones(200)), 0, 600, 60)
    assert [(run.t[0], run.t[-1]) for run in runs] == [
        (runs[0].t[0], runs[0].t[-1]),
        (runs[1].t[0], runs[1].t[-1]),
    ]
    assert runs[0].t[-1] < 100 < 500 <= runs[1].t[0]


def test_what_is_no_number_and_what_goes_back_in_time_does_no_harm() -> None:
    (run,) = thinned(Curve(t=np.array([2.0, 0.0, 1.0]), value=np.array([5.0, 1.0, np.nan])), 0, 2, 50)
    assert run.t.tolist() == [0.0, 2.0]
    assert run.middle.tolist() == [1.0, 5.0]
    assert thinned(curve(), 0, 1, 10) == ()
