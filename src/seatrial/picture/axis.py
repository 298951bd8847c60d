"""Axes: which numbers and moments are written beside a picture, and where a value stands between two edges.

What is in: ticks of values, of ratios and of time. What is not in: pixels and characters.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime

from seatrial.picture.values import Clock, Effect, Floats

# Steps from one moment to the next that people count in, in seconds.
_STEPS = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600,
    2592000, 7776000, 31536000,
)  # fmt: skip
_RATIOS = (
    0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.8, 0.9, 1.0, 1.1, 1.2, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0,
)  # fmt: skip
_ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)
# The ratios that are shown at most, however little is known.
_LEAST, _MOST = 1 / 20, 100.0
_BEYOND = 3.0


def values(top: float, most: int) -> tuple[float, ...]:
    """Round numbers from 0 to the first one that is not below `top`, `most` + 1 at most."""
    if not top > 0 or not math.isfinite(top):
        return (0.0, 1.0)
    rough = top / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((one * power for one in _ROUND if one * power >= rough * (1 - 1e-9)), 10 * power)
    count = math.ceil(top / step - 1e-9)
    return tuple(round(step * at, 12) for at in range(count + 1))


def number(value: float) -> str:
    """A value as an axis has it: no more digits than its ticks differ in, thousands and more in short."""
    for large, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= large:
            unit = 1e3 if letter == "k" else large
            return f"{value / unit:.4g} {letter}"
    return f"{value:.4g}"


def ratio_edges(effect: Effect) -> tuple[float, float]:
    """The lowest and the highest ratio that is shown: of what was known in the last half of the looks.

    A bound that is far from the estimate would leave no room for the rest: it is cut at three times that.
    """
    half = len(effect.t) // 2
    known = [
        float(one)
        for part in (effect.low[half:], effect.ratio[half:], effect.high[half:])
        for one in part
        if math.isfinite(one) and one > 0
    ]
    low, high = min([0.95, *known]), max([effect.enough * 1.05, *known])
    ratios = [one for one in effect.ratio[half:].tolist() if math.isfinite(one) and one > 0]
    low = max(low, min([0.95, *(one / _BEYOND for one in ratios)]))
    high = min(high, max([effect.enough * 1.05, *(one * _BEYOND for one in ratios)]))
    return max(_LEAST, low / 1.05), min(_MOST, high * 1.05)


def ratios(low: float, high: float, *, apart: float) -> tuple[float, ...]:
    """Ratios to write between two edges, 1 first of all; neighbours are `apart` of the whole (as logarithms) or more."""
    whole = math.log(high / low)
    kept = [1.0]
    # What people think in comes first: whole multiples, then tenths.
    for one in sorted(_RATIOS, key=lambda one: (one not in (2.0, 5.0, 10.0, 100.0, 0.5, 0.1), one)):
        if low <= one <= high and all(abs(math.log(one / other)) >= apart * whole for other in kept):
            kept.append(one)
    return tuple(sorted(kept))


def share(value: float, low: float, high: float) -> float:
    """Where a ratio stands between two edges, as logarithms: 0 at `low`, 1 at `high`, never outside."""
    if not value > low:
        return 0.0
    return 1.0 if value >= high else math.log(value / low) / math.log(high / low)


def moments(begin: float, end: float, most: int) -> tuple[float, ...]:
    """Round moments between two, `most` at most, in seconds."""
    rough = (end - begin) / max(most, 1)
    step = float(next((one for one in _STEPS if one >= rough), 0))
    if rough < _STEPS[0] or not step:
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(one * power for one in _ROUND if one * power >= rough * (1 - 1e-9))
    first = math.ceil(begin / step - 1e-9)
    last = math.floor(end / step + 1e-9)
    return tuple(round(step * at, 9) for at in range(first, last + 1))


def moment(t: float, clock: Clock, *, span: float) -> str:
    """A moment as a tick has it: a time of day, a date where days pass, or the time since the beginning."""
    if clock is Clock.UTC:
        at = _utc(t)
        if span >= 2 * 86400:
            return f"{at:%b} {at.day}" if (at.hour, at.minute) == (0, 0) else f"{at:%b} {at.day} {at:%H:%M}"
        return f"{at:%H:%M}" if span >= 300 else f"{at:%H:%M:%S}"
    if span >= 2 * 86400:
        return f"{t / 86400:.4g} d"
    if span >= 2 * 3600:
        return f"{t / 3600:.4g} h"
    return f"{t / 60:.4g} m" if span >= 300 else f"{t:.4g} s"


def moment_in_full(t: float, clock: Clock) -> str:
    """A moment as a sentence has it."""
    if clock is Clock.UTC:
        return f"{_utc(t):%Y-%m-%d %H:%M:%S} UTC"
    return f"t = {t:.6g} s"


def moment_in_list(t: float, clock: Clock, span: tuple[float, float]) -> str:
    """A moment as a list has it: to the second, and with the day where several days are shown."""
    if clock is Clock.SECONDS:
        return moment(t, clock, span=min(span[1] - span[0], 86400.0))
    at = _utc(t)
    days = {_utc(one).date() for one in span}
    return f"{at:%H:%M:%S}" if len(days) == 1 else f"{at:%b} {at.day} {at:%H:%M:%S}"


def top_of(parts: Iterable[Floats]) -> float:
    """The largest of what is drawn, 0 if nothing is."""
    return max((float(part.max()) for part in parts if len(part)), default=0.0)


def _utc(t: float) -> datetime:
    # Cut and not rounded, as all times of a report are.
    return datetime.fromtimestamp(math.floor(t + 1e-6), UTC)
