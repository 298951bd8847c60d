"""Two arms brought together: which good sample belongs to which candidate sample, and how they differ.

What is in: pairing by time, the difference of a pair, the common level, the stretches in which both arms counted. What is not in: what is wrong with a series
(faults.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seatrial.soak.memory import Floats
from seatrial.soak.samples import CountArm, Series

# How much of the usual level is added below the line of a difference, so that 0 against 30 is not always "2".
FLOOR = 0.5
# Partners may be this far apart, in units of the usual step from one sample to the next.
APART = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """The samples of both arms that belong together, in the order of time; each array is (n).

    `t` in seconds is when both are known. `work` is the log of the candidate's rate of work over the good's, or None.
    `usual` is the usual level of both arms: the median of what is not 0. It looks at all samples, but the same at both
    arms. `together` is false where the arms were measured one after the other, paired by the time since their start.
    """

    t: Floats
    good: Floats
    candidate: Floats
    work: Floats | None
    usual: float
    together: bool

    def difference(self, ratio: float = 1.0) -> Floats:
        """Candidate against `ratio` times good: 0 in the mean if that is what it is, more if it is more. (n)

        2 (c - g) / (c + g + usual): nearly log(c / g), bounded by 2 so that no outlier decides, defined at 0, and
        the same with the sign changed when the arms change places, which is all that the null hypothesis needs.
        """
        result: Floats = self.differences(np.array([ratio]), len(self.t))[0]
        return result

    def differences(self, ratios: Floats, length: int) -> Floats:
        """Those of many ratios (G) at once, of the first `length` pairs: (G, length)."""
        good, candidate = self.good[:length], self.candidate[:length]
        scaled = ratios[:, None] * good
        usual = self.usual * np.sqrt(ratios)[:, None]
        result: Floats = 2 * (candidate - scaled) / (candidate + scaled + 2 * FLOOR * usual)
        return result

    def common(self) -> Floats:
        """The log of the arms' common level (n)."""
        result: Floats = np.log(0.5 * (self.good + self.candidate) + FLOOR * self.usual)
        return result


def pair(series: Series) -> Pairs:
    """Pair a series' samples: at the same time where both exist, else by the time since each arm's start.

    Each sample has one partner at most, the next one in time within half a step; what has none is left out.
    """
    good, candidate = series.good, series.candidate
    apart = APART * min(_step(good.t), _step(candidate.t))
    left, right = _partners(good.t, candidate.t, apart)
    together = True
    if 2 * len(left) < min(len(good.t), len(candidate.t)) and _disjoint(good.t, candidate.t):
        together = False
        left, right = _partners(good.t - good.t[0], candidate.t - candidate.t[0], apart)
    work = None
    if good.work is not None and candidate.work is not None:
        work = np.log(candidate.work[right] / good.work[left])
        # Where both always did the same there is nothing that work could excuse.
        work = work if work.any() else None
    return Pairs(
        t=np.maximum(good.t[left], candidate.t[right]) if together else candidate.t[right],
        good=good.value[left],
        candidate=candidate.value[right],
        work=work,
        usual=_usual(good.value[left], candidate.value[right]),
        together=together,
    )


def _usual(good: Floats, candidate: Floats) -> float:
    both = np.concatenate([good, candidate])
    positive = both[both > 0]
    return float(np.median(positive)) if len(positive) else 1.0


def _step(t: Floats) -> float:
    return float(np.median(np.diff(t))) if len(t) > 1 else 1.0


def _disjoint(one: Floats, other: Floats) -> bool:
    """Whether the arms took turns: all samples of one lie before, behind or in one gap of the other's."""
    return len(one) > 0 and len(other) > 0 and (_in_one_gap(one, other) or _in_one_gap(other, one))


def _in_one_gap(one: Floats, other: Floats) -> bool:
    first, last = np.searchsorted(one, other[0], side="left"), np.searchsorted(one, other[-1], side="right")
    return bool(first == last)


def _partners(one: Floats, other: Floats, apart: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Numbers of the samples that are each other's nearest, within `apart` seconds."""
    none = np.empty(0, dtype=np.intp)
    if not len(one) or not len(other):
        return none, none
    if np.array_equal(one, other):
        every = np.arange(len(one), dtype=np.intp)
        return every, every
    there = _nearest(one, other)
    back = _nearest(other, one)
    numbers = np.arange(len(one), dtype=np.intp)
    kept = (back[there] == numbers) & (np.abs(other[there] - one) <= apart)
    return numbers[kept], there[kept]


def _nearest(one: Floats, other: Floats) -> NDArray[np.intp]:
    after = np.clip(np.searchsorted(other, one), 1, max(len(other) - 1, 1))
    after = np.minimum(after, len(other) - 1)
    before = np.maximum(after - 1, 0)
    closer = np.abs(other[before] - one) <= np.abs(other[after] - one)
    return np.where(closer, before, after).astype(np.intp)


def batches(good: CountArm, candidate: CountArm) -> tuple[Floats, Floats, Floats]:
    """Times (n), failed and sent (n, 2) of stretches in which both arms sent something, in the order of time."""
    arms = (good, candidate)
    rows = sorted((t, side, at) for side, arm in enumerate(arms) for at, t in enumerate(arm.t.tolist()))
    times, failed, sent = list[float](), list[list[float]](), list[list[float]]()
    open_failed, open_sent = [0.0, 0.0], [0.0, 0.0]
    for number, (t, side, at) in enumerate(rows):
        open_failed[side] += float(arms[side].failed[at])
        open_sent[side] += float(arms[side].sent[at])
        # Both arms may have a sample at this very time: the stretch ends after the second of them.
        ends = number + 1 == len(rows) or rows[number + 1][0] > t
        if ends and min(open_sent) > 0:
            times.append(t)
            failed.append(open_failed)
            sent.append(open_sent)
            open_failed, open_sent = [0.0, 0.0], [0.0, 0.0]
    return np.array(times), np.array(failed).reshape(-1, 2), np.array(sent).reshape(-1, 2)
