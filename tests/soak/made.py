"""Series made for the tests, from a seed: what they are like is in their names."""

from __future__ import annotations

import numpy as np

from seatrial.soak.memory import Floats
from seatrial.soak.samples import Arm, CountArm, CountSeries, Series


def noise(n: int, *, seed: int, phi: float = 0.0, sigma: float = 0.3) -> Floats:
    """Log-normal noise around 1 with a memory."""
    fresh = np.random.default_rng(seed).standard_normal(n)
    made = np.empty(n)
    made[0] = fresh[0]
    for at in range(1, n):
        made[at] = phi * made[at - 1] + np.sqrt(1 - phi * phi) * fresh[at]
    return np.asarray(np.exp(sigma * made))


def series(good: Floats, candidate: Floats, *, name: str = "s1", step: float = 5.0) -> Series:
    return Series(
        name=name,
        good=Arm(t=step * np.arange(float(len(good))), value=good),
        candidate=Arm(t=step * np.arange(float(len(candidate))), value=candidate),
    )


def counted(good: list[int], candidate: list[int], *, sent: tuple[int, int] = (1, 1)) -> CountSeries:
    def arm(failed: list[int], each: int) -> CountArm:
        t = np.arange(len(failed), dtype=np.float64)
        return CountArm(
            t=t, failed=np.array(failed, dtype=np.float64), sent=np.full(len(failed), float(each))
        )

    return CountSeries(name="s1", good=arm(good, sent[0]), candidate=arm(candidate, sent[1]))
