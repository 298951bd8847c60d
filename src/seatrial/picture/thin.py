"""Many samples on little paper: one middle and one range for each place, and no line across a gap.

What is in: the thinning. What is not in: what the places are (pixels or characters).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seatrial.picture.values import Curve, Floats

# Of the samples at one place nine tenths are within its range.
LOW, HIGH = 5.0, 95.0
# Samples this many usual steps apart have a gap between them.
GAP = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A stretch without a gap: at each moment the middle of the samples there and their range; each (n)."""

    t: Floats
    low: Floats
    middle: Floats
    high: Floats


def thinned(curve: Curve, begin: float, end: float, places: int) -> tuple[Run, ...]:
    """The curve at `places` places between two moments at most, in stretches without a gap."""
    finite = np.isfinite(curve.t) & np.isfinite(curve.value)
    t, value = curve.t[finite], curve.value[finite]
    order = np.argsort(t, kind="stable")
    t, value = t[order], value[order]
    if not len(t):
        return ()
    width = (end - begin) / places
    steps = np.diff(t)
    usual = float(np.median(steps)) if len(steps) else 0.0
    # What is narrower than three places could not be seen.
    breaks = np.flatnonzero(steps > max(GAP * usual, 3 * width)) + 1
    parts = zip(np.split(t, breaks), np.split(value, breaks), strict=True)
    return tuple(_run(moments, values, begin, width, counts=curve.counts) for moments, values in parts)


def _run(t: Floats, value: Floats, begin: float, width: float, *, counts: bool) -> Run:
    place = np.floor((t - begin) / width)
    starts = np.flatnonzero(np.diff(place, prepend=-1.0))
    if 2 * len(starts) > len(t) and not counts:
        return Run(t=t, low=value, middle=value, high=value)
    ends = [*starts[1:].tolist(), len(t)]
    moments, low, middle, high = list[float](), list[float](), list[float](), list[float]()
    for start, stop in zip(starts.tolist(), ends, strict=True):
        here = value[start:stop]
        moments.append(float(t[start:stop].mean()))
        low.append(float(np.percentile(here, LOW)))
        middle.append(float(here.mean() if counts else np.median(here)))
        high.append(float(np.percentile(here, HIGH)))
    return Run(t=np.array(moments), low=np.array(low), middle=np.array(middle), high=np.array(high))
