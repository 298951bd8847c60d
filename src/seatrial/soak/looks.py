"""The effect as it was known at many looks of a soak: the confidence sequence of a picture.

What is in: estimate and bounds over time. What is not in: the verdict, which looks at every sample (judge.py).
"""

from __future__ import annotations

import numpy as np

from seatrial.picture.values import Effect
from seatrial.soak import counts, effect
from seatrial.soak.evidence import LEAST, gather
from seatrial.soak.faults import unpaired
from seatrial.soak.floor import level, lowered, offset_of, raised
from seatrial.soak.memory import Floats
from seatrial.soak.pairs import batches, pair
from seatrial.soak.samples import CountSeries, Series

# A look costs some milliseconds, and a curve needs no more corners.
LOOKS = 32


def over_time(
    series: Series | CountSeries, *, alpha: float, min_effect: float, floor: float = 0.0
) -> Effect | None:
    """Ratio and bounds at LOOKS looks, more of them early on; None where arms have no pairs.

    Each bound holds at all looks together but for chance `alpha`, if the ratio is the same all the time. `floor` is how
    much more does not matter, in the units of the series.
    """
    if isinstance(series, CountSeries):
        found = _of_counts(series, alpha)
    else:
        found = _of_values(series, alpha, offset_of(floor, min_effect))
    if found is None:
        return None
    t, low, ratio, high = found
    least = enough(series, min_effect, floor)
    return Effect(t=t, low=low, ratio=ratio, high=high, enough=least, sure=1 - alpha)


def enough(series: Series | CountSeries, min_effect: float, floor: float) -> float:
    """The ratio to good from which on it matters where good has its usual level: both the effect and the floor."""
    if isinstance(series, CountSeries) or not floor:
        return min_effect
    return lowered(min_effect, offset_of(floor, min_effect), level(series))


def _at(count: int) -> list[int]:
    """The numbers of the looks among `count` samples: closer where bounds move fast."""
    shares = np.linspace(0.0, 1.0, LOOKS) ** 1.7
    return sorted({int(at) for at in np.round(LEAST - 1 + shares * (count - LEAST))})


def _of_values(series: Series, alpha: float, offset: float) -> tuple[Floats, Floats, Floats, Floats] | None:
    pairs, usual = pair(raised(series, offset)), level(series)
    if unpaired(series, pairs) is not None:
        return None
    evidence = gather([pairs.difference()], pairs.common(), pairs.work)
    rows = []
    for at in _at(len(pairs.t)):
        center = effect.ratio(pairs, at)
        low, high = effect.interval(
            pairs, evidence.signals[0], evidence.weights, at, alpha=alpha, center=center
        )
        rows.append((float(pairs.t[at]), *(lowered(one, offset, usual) for one in (low, center, high))))
    t, lows, ratios, highs = np.array(rows).T
    return t, lows, ratios, highs


def _of_counts(series: CountSeries, alpha: float) -> tuple[Floats, Floats, Floats, Floats] | None:
    t, failed, sent = batches(series.good, series.candidate)
    if len(t) < LEAST:
        return None
    at = np.array(_at(len(t)))
    lost, tried = np.cumsum(failed, axis=0)[at], np.cumsum(sent, axis=0)[at]
    low_good, high_good = counts.bounds(lost[:, 0], tried[:, 0], alpha / 2)
    low, high = counts.bounds(lost[:, 1], tried[:, 1], alpha / 2)
    above: Floats = np.divide(high, low_good, out=np.full(len(at), np.inf), where=low_good > 0)
    return t[at], low / high_good, counts.ratio(lost, tried), above
