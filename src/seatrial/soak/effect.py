"""How much: the ratio of candidate to good, and the interval that holds at any time.

What is in: the estimate, the interval and since when. What is not in: the decision (judge.py).
"""

from __future__ import annotations

import math

import numpy as np

from seatrial.soak.evidence import Sums, log_evidence
from seatrial.soak.memory import MODELS, Floats, shape, whiten
from seatrial.soak.pairs import Pairs

# Nothing is said of ratios beyond this; where good has none at all the ratio has no meaning.
BEYOND = 100.0
_LARGEST = math.log(BEYOND)
_STEPS = np.array([0.003, 0.01, 0.03, 0.07, 0.14, 0.28, 0.56, 1.2, 2.5])
_FINER = 6
# Models with less of the weight than this do not move an edge.
_LEAST_WEIGHT = 1e-4


def ratio(pairs: Pairs, last: int) -> float:
    """The ratio r at which candidate and r times good differ by 0 in the mean, at equal work, at look `last`.

    Infinity beyond BEYOND.
    """
    low, high = -_LARGEST, _LARGEST
    against = _against(pairs, last)
    for _ in range(5):
        tried = np.linspace(low, high, 9)
        means = np.array([float(one @ against) for one in pairs.differences(np.exp(tried), last + 1)])
        above = np.flatnonzero(means > 0)
        at = int(above[-1]) if len(above) else 0
        low, high = tried[at], tried[min(at + 1, 8)]
    return math.inf if high >= _LARGEST else math.exp(0.5 * (low + high))


def _against(pairs: Pairs, last: int) -> Floats:
    """What a signal is multiplied with to give its shift by least squares, up to a factor: 1, without work's share."""
    ones = np.ones(last + 1)
    if pairs.work is None:
        return ones
    work = pairs.work[: last + 1]
    square = float(work @ work)
    result: Floats = ones - work * (float(work.sum()) / square if square > 1e-9 else 0.0)
    return result


def interval(
    pairs: Pairs, worse: Sums, weights: Floats, last: int, *, alpha: float, center: float
) -> tuple[float, float]:
    """The ratios that are not refuted at look `last`.

    The true ratio is never below the first bound, at any look, but for chance `alpha`, and never above the second but
    for chance `alpha`: E for "more than r", or for "less than r", has not reached 1/alpha between them. So a verdict
    and its bounds cannot disagree. `worse` are the sums of the pairs' difference, `weights` (K, n) as of
    Evidence. A bound beyond a factor of 12 of the estimate is 0 or infinity.
    """
    models = _heavy(worse, weights, last)
    middle = min(math.log(center), _LARGEST)
    below, above = middle - _STEPS, middle + _STEPS
    more, less = _refuted(pairs, weights, last, np.concatenate([below, above]), models)
    half = len(_STEPS)
    outer = [_bracket(below, more[:half], alpha, middle), _bracket(above, less[half:], alpha, middle)]
    finer = [np.linspace(one, other, _FINER) for one, other in outer]
    more, less = _refuted(pairs, weights, last, np.concatenate(finer), models)
    low, high = _edge(finer[0], more[:_FINER], alpha), _edge(finer[1], less[_FINER:], alpha)
    return 0.0 if low is None else math.exp(low), math.inf if high is None else math.exp(high)


def _bracket(tried: Floats, evidence: Floats, alpha: float, start: float) -> tuple[float, float]:
    """The last of `tried` before the first that is refuted (or the start), and that one (or the last).

    What lies beyond one that is refuted is so as well: "not more than r" holds for all that is less.
    """
    refuted = np.flatnonzero(evidence >= -math.log(alpha))
    if not len(refuted):
        return float(tried[-1]), float(tried[-1])
    at = int(refuted[0])
    return float(tried[at - 1]) if at else start, float(tried[at])


def _edge(tried: Floats, evidence: Floats, alpha: float) -> float | None:
    """Where, on the straight line between the two nearest, log E is log 1/alpha; None if nothing is refuted."""
    needed = -math.log(alpha)
    refuted = np.flatnonzero(evidence >= needed)
    if not len(refuted):
        return None
    at = int(refuted[0])
    if at == 0:
        return float(tried[0])
    share = (needed - evidence[at - 1]) / (evidence[at] - evidence[at - 1])
    return float(tried[at - 1] + share * (tried[at] - tried[at - 1]))


def _heavy(worse: Sums, weights: Floats, last: int) -> list[int]:
    """Numbers of the models that have any weight at the best shift."""
    explained = np.clip(worse.along[:, last] ** 2 / worse.design[:, last], 0.0, 1 - 1e-12)
    prior = np.log([model.weight for model in MODELS]) + weights[:, last] + worse.still[:, last]
    best = prior - 0.5 * worse.count[last] * np.log1p(-explained)
    kept = (best > best.max() + math.log(_LEAST_WEIGHT)) | (prior > prior.max() + math.log(_LEAST_WEIGHT))
    return [int(at) for at in np.flatnonzero(kept)]


def _refuted(
    pairs: Pairs, weights: Floats, last: int, tried: Floats, models: list[int]
) -> tuple[Floats, Floats]:
    """log E for "more than" and for "less than" each of the log ratios in `tried` (G)."""
    length = last + 1
    signals = pairs.differences(np.exp(tried), length)
    chosen = [MODELS[at] for at in models]
    ones, logs = (table[models] for table in shape(length))
    innovations = whiten(signals, chosen)
    energy = (innovations**2).sum(axis=2)
    along = np.einsum("kgn,kn->kg", innovations, ones)
    design, scale, count = (ones**2).sum(axis=1), logs[:, -1], float(length)
    if pairs.work is not None:
        work = whiten(pairs.work[None, :length], chosen)[:, 0, :]
        square, with_ones = (work**2).sum(axis=1), (work * ones).sum(axis=1)
        with_signal = np.einsum("kgn,kn->kg", innovations, work)
        energy = energy - with_signal**2 / square[:, None]
        along = along - with_signal * (with_ones / square)[:, None]
        design, scale, count = design - with_ones**2 / square, scale - 0.5 * np.log(square), count - 1
    energy = np.maximum(energy, 1e-24 * count)
    wide = np.ones(len(tried))
    both = []
    for sign in (1.0, -1.0):
        sums = Sums(
            still=scale[:, None] - 0.5 * count * np.log(energy),
            energy=energy,
            along=sign * along / np.sqrt(energy),
            design=design[:, None] * wide,
            count=count * wide,
        )
        both.append(log_evidence(sums, weights[models, last][:, None] * wide, models=models))
    return both[0], both[1]


def since(difference: Floats) -> int:
    """The number of the sample from which on the shift fits best: 0 before it, constant from it on (least squares)."""
    after = np.cumsum(difference[::-1])[::-1]
    left = np.arange(len(difference), 0, -1)
    return int(np.argmax(np.where(after > 0, after**2 / left, 0.0)))
