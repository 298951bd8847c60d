"""What does not matter in the units of a series: 5 ms more is nothing, whatever the ratio to 0.4 ms.

What is in: how such a floor is put under the samples before they are judged, and taken out of what is said. What is not:
the judging.

With f = floor / (m - 1) added to both arms, "m times as much or more" means c + f >= m (g + f), which is
c >= m g + floor: the floor and the minimum effect are both needed. The ratio stays invariant under a change of the arms'
places, which is all that the evidence rests on, and a wandering far below the floor moves the ratio by next to nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase

import numpy as np

from seatrial.soak.samples import Arm, Series


def floor_of(name: str, matters: Mapping[str, float]) -> float:
    """How much more of that series does not matter, in its own units: the first pattern that fits, else 0.

    A name with a place before it (`nfs-c1:mount.read.latency`) fits with and without the place.
    """
    bare = name.rpartition(":")[2]
    return next(
        (
            floor
            for pattern, floor in matters.items()
            if fnmatchcase(name, pattern) or fnmatchcase(bare, pattern)
        ),
        0.0,
    )


def offset_of(floor: float, min_effect: float) -> float:
    """What is added to both arms, so that `min_effect` of what is judged means that and `floor` more."""
    return floor / (min_effect - 1)


def raised(series: Series, offset: float) -> Series:
    """The series with the offset under both arms."""
    if not offset:
        return series

    def up(arm: Arm) -> Arm:
        return replace(arm, value=arm.value + offset)

    return replace(series, good=up(series.good), candidate=up(series.candidate))


def level(series: Series) -> float:
    """What is usual of the good arm: its median."""
    return float(np.median(series.good.value))


def lowered(ratio: float, offset: float, usual: float) -> float:
    """The ratio to good that a ratio of what was judged means where good has its usual level.

    (r (g + f) - f) / g, never below 0; infinity where good has nothing.
    """
    if not offset or not math.isfinite(ratio):
        return ratio
    if usual <= 0:
        return math.inf if ratio > 1 else 1.0
    return max(ratio + (ratio - 1) * offset / usual, 0.0)
