"""Axes: round numbers, moments as people say them, and ratios that leave room for what matters."""

from __future__ import annotations

import itertools
import math
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.picture import axis
from seatrial.picture.values import Clock, Effect

NIGHT = datetime(2017, 6, 29, 22, 16, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("top", "ticks"),
    [
        (25.0, (0, 10, 20, 30)),
        (4.0, (0, 1, 2, 3, 4)),
        (0.33, (0, 0.1, 0.2, 0.3, 0.4)),
        (7.3, (0, 2, 4, 6, 8)),
        (0.0, (0, 1)),
        (math.inf, (0, 1)),
    ],
)
def test_values_have_round_ticks_from_zero(top: float, ticks: tuple[float, ...]) -> None:
    assert axis.values(top, 4) == ticks


@given(st.floats(min_value=1e-12, max_value=1e15), st.integers(min_value=1, max_value=8))
def test_the_last_tick_is_never_below_the_largest_value_and_there_are_not_too_many(
    top: float, most: int
) -> None:
    ticks = axis.values(top, most)
    assert ticks[0] == 0
    assert ticks[-1] >= top * (1 - 1e-6)
    assert 2 <= len(ticks) <= most + 1


@pytest.mark.parametrize(
    ("value", "text"), [(0.25, "0.25"), (1200, "1200"), (45_000, "45 k"), (3.2e6, "3.2 M"), (7e9, "7 G")]
)
def test_large_numbers_are_short(value: float, text: str) -> None:
    assert axis.number(value) == text


@pytest.mark.parametrize(
    ("t", "clock", "span", "text"),
    [
        (90.0, Clock.SECONDS, 120.0, "90 s"),
        (90.0, Clock.SECONDS, 600.0, "1.5 m"),
        (7200.0, Clock.SECONDS, 36000.0, "2 h"),
        (172800.0, Clock.SECONDS, 1e6, "2 d"),
        (NIGHT, Clock.UTC, 60.0, "22:16:00"),
        (NIGHT, Clock.UTC, 7200.0, "22:16"),
        (NIGHT, Clock.UTC, 1e6, "Jun 29 22:16"),
    ],
)
def test_a_moment_is_said_as_its_span_asks_for(t: float, clock: Clock, span: float, text: str) -> None:
    assert axis.moment(t, clock, span=span) == text


@given(
    st.floats(min_value=-1e9, max_value=2e9),
    st.floats(min_value=1e-3, max_value=1e9),
    st.integers(min_value=2, max_value=20),
)
def test_moments_are_between_the_edges_and_not_more_than_asked_for(
    begin: float, span: float, most: int
) -> None:
    ticks = axis.moments(begin, begin + span, most)
    assert len(ticks) <= most + 1
    slack = 1e-6 * max(1.0, abs(begin), span)
    assert all(begin - slack <= tick <= begin + span + slack for tick in ticks)


def effect(low: list[float], ratio: list[float], high: list[float]) -> Effect:
    looks = np.arange(float(len(low)))
    return Effect(
        t=looks, low=np.array(low), ratio=np.array(ratio), high=np.array(high), enough=1.1, sure=0.99
    )


def test_edges_show_one_and_what_matters_also_where_nothing_is_known() -> None:
    low, high = axis.ratio_edges(effect([0, 0], [math.inf, math.inf], [math.inf, math.inf]))
    assert low < 1 < 1.1 < high


def test_a_bound_far_away_is_cut_and_leaves_room_for_the_estimate() -> None:
    low, high = axis.ratio_edges(effect([0.0, 0.001], [5, 5], [math.inf, 90]))
    assert low > 0.5
    assert 15 <= high < 20


def test_one_is_always_among_the_ratios_and_neighbours_keep_apart() -> None:
    found = axis.ratios(0.5, 20.0, apart=0.17)
    assert 1.0 in found
    whole = math.log(40.0)
    assert all(math.log(other / one) >= 0.17 * whole for one, other in itertools.pairwise(found))
    assert len(found) >= 4


@pytest.mark.parametrize(("ratio", "share"), [(0.0, 0.0), (1.0, 0.5), (4.0, 1.0), (math.inf, 1.0)])
def test_ratios_stand_between_the_edges_as_logarithms(ratio: float, share: float) -> None:
    assert axis.share(ratio, 0.25, 4.0) == share
