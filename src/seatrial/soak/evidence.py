"""The e-process for values: how much the paired differences speak for a shift upwards, at every sample.

What is in: `Evidence`, for signals whose mean is 0 or less if nothing is wrong. What is not in: what the signals are
(pairs.py) and what is decided (judge.py).

E is a Bayes factor, so it is a martingale in the samples and Ville's inequality lets anybody look at any time: when
nothing is wrong, the chance that it ever reaches 1/alpha is at most alpha. Its parts:
- the scale is integrated out with the right Haar prior, which makes the t-test of it (Lai 1976; Wang and Ramdas
  2024, "Anytime-valid t-tests and confidence sequences for Gaussian means with unknown variance");
- the shift, in standard deviations of the signal, has the prior EFFECTS, on positive values only;
- the memory has the prior of memory.py, the same above and below the line, so data that a slow wandering explains as
  well as a shift count for neither. The bound is for the prior as a whole; for single models it is measured;
- the arms' common level says something about the memory as well. Whether it shares its memory with the difference is
  not known, so it has the chance 1 - UNRELATED to speak (a trend in both arms is no memory of their difference).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seatrial.soak.memory import MODELS, Floats, shape, whiten

# A shift of 1.2x with a noise of 0.3 in either arm is 0.43 of the difference's deviation: that is where most of the
# weight lies, because the large ones are found at once with any weight.
EFFECTS: tuple[tuple[float, float], ...] = (
    (0.1, 0.5), (0.17, 0.7), (0.33, 10.0), (0.45, 10.0), (0.7, 1.0), (1.2, 0.5), (2.4, 0.5), (5.0, 0.3), (12.0, 0.3), (30.0, 0.2),
)  # fmt: skip
UNRELATED = 0.05
# Below this the prior would do the talking.
LEAST = 6
# A model that cannot add more than exp(-9) to E is not looked at.
NEGLIGIBLE = 9.0
_BLOCK = 180

Short = NDArray[np.float32]

_LOG_WEIGHTS = np.log([model.weight for model in MODELS])
_SIZES = np.array([size for size, _ in EFFECTS], dtype=np.float32)
_SHARES = np.array([share for _, share in EFFECTS]) / sum(share for _, share in EFFECTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Of one signal, for each model and look (K, n): log likelihood without a shift, and what a shift needs.

    `energy` is sum e^2, `along` is sum e x over sqrt(energy) and `design` is sum x^2, where x are the innovations of
    a constant 1; `count` (n) is the number of samples less the number of covariates.
    """

    still: Floats
    energy: Floats
    along: Floats
    design: Floats
    count: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a series' pairs come to: the sums of each signal, and what the common level says of each model (K, n)."""

    signals: tuple[Sums, ...]
    weights: Floats


def gather(signals: Sequence[Floats], common: Floats, work: Floats | None = None) -> Evidence:
    """Take the memory out of the signals (n), the common level (n) and the covariate (n) of one series.

    `work` is a covariate whose coefficient is unknown.
    """
    stacked = whiten(np.array([*signals, common, *([] if work is None else [work])]))
    covariate = None if work is None else stacked[:, -1, :]
    return Evidence(
        signals=tuple(_sums(stacked[:, at, :], covariate) for at in range(len(signals))),
        weights=_level(stacked[:, len(signals), :]),
    )


def _sums(innovations: Floats, work: Floats | None) -> Sums:
    length = innovations.shape[1]
    ones, logs = shape(length)
    count = np.arange(1.0, length + 1)
    energy = np.cumsum(innovations * innovations, axis=1)
    along = np.cumsum(innovations * ones, axis=1)
    design, scale = _design(length), logs
    if work is not None:
        # Projecting the covariate out is what integrating over a flat prior of its coefficient comes to.
        square = np.cumsum(work * work, axis=1)
        known = square > 1e-9
        safe = np.where(known, square, 1.0)
        with_signal, with_ones = np.cumsum(work * innovations, axis=1), np.cumsum(work * ones, axis=1)
        energy = energy - np.where(known, with_signal**2 / safe, 0.0)
        along = along - np.where(known, with_signal * with_ones / safe, 0.0)
        design = np.maximum(design - np.where(known, with_ones**2 / safe, 0.0), 0.0)
        scale = scale - 0.5 * np.log(safe)
        count = np.maximum(count - 1, 1.0)
    energy = np.maximum(energy, 1e-24 * count)
    return Sums(
        still=scale - 0.5 * count * np.log(energy),
        energy=energy,
        along=along / np.sqrt(energy),
        design=design,
        count=count,
    )


@functools.lru_cache(maxsize=16)
def _design(length: int) -> Floats:
    ones, _ = shape(length)
    return np.cumsum(ones * ones, axis=1)


def _level(innovations: Floats) -> Floats:
    """What the common level's innovations (K, n) say of each model at each look: logarithms, added to the prior's.

    Its mean is integrated out with a flat prior.
    """
    here = _sums(innovations, None)
    _, logs = shape(innovations.shape[1])
    count = np.maximum(here.count - 1, 1.0)
    left = np.maximum(here.energy * (1 - here.along**2 / here.design), 1e-24)
    likely = logs - 0.5 * count * np.log(left) - 0.5 * np.log(here.design)
    likely[:, 0] = 0.0
    likely -= likely.max(axis=0)
    average = np.exp(likely + _LOG_WEIGHTS[:, None]).sum(axis=0)
    weights: Floats = np.log((1 - UNRELATED) * np.exp(likely) / average + UNRELATED)
    return weights


def log_evidence(
    signal: Sums,
    weights: Floats,
    *,
    first: int = 0,
    last: int | None = None,
    models: Sequence[int] | None = None,
) -> Floats:
    """log E at the looks `first` to `last` (n); minus infinity below LEAST samples.

    `weights` (K, n) are those of Evidence; `models` are the numbers of the K models, all of them by default. The integral over the scale is Laplace's (error below 1 % from 6 samples).
    """
    looks = slice(first, last)
    own = _LOG_WEIGHTS if models is None else _LOG_WEIGHTS[list(models)]
    prior = own[:, None] + weights[:, looks] + signal.still[:, looks]
    prior = prior - prior.max(axis=0)
    count, along, design = signal.count[looks], signal.along[:, looks], signal.design[:, looks]
    # The largest that any shift can make of a model bounds what the model can add.
    explained = np.clip(along**2 / np.maximum(design, 1e-12), 0.0, 1 - 1e-12)
    bound = prior - 0.5 * count * np.log1p(-explained)
    used = np.flatnonzero((bound > -NEGLIGIBLE).any(axis=1))
    prior, along, design = prior[used], along[used], design[used]
    most = np.maximum(bound.max(axis=0), 0.0)
    # Half the digits for a good half of the time: what is summed differs by 1e-4 at most.
    below, short_along, short_design = (part.astype(np.float32) for part in (prior - most, along, design))
    short_count = count.astype(np.float32)
    ratios = _ratio(_SIZES[:, None, None], short_along, short_design, short_count)
    ratios += below
    total = _SHARES @ np.exp(ratios, out=ratios).sum(axis=1)
    found: Floats = np.log(np.maximum(total, 1e-40)) + most - np.log(np.exp(prior).sum(axis=0))
    found[count < LEAST] = -np.inf
    return found


def _ratio(size: Short, along: Short, design: Short, count: Short) -> Short:
    """log of the likelihood with a shift of `size` deviations over that without: the integral over the scale.

    The integral of u^(n-1) exp(-u^2/2 + 2 h u), h = size along / 2, over that for h = 0, by Laplace at its peak.
    """
    one, part = np.float32(1), np.float32(0.5)
    free = np.maximum(count - one, one)
    half = (part * size / np.sqrt(free)) * along
    # For h far below 0 the difference would lose every digit; the reciprocal of the mirror image does not.
    root = np.abs(half) + np.sqrt(one + half * half)
    peak = np.where(half >= 0, root, one / root)
    square = peak * peak
    result: Short = np.log(peak)
    result += part * (square - one)
    result *= free
    result -= part * np.log(part + part / square)
    result -= (part * size * size) * design
    return result


def first_crossing(
    signal: Sums,
    weights: Floats,
    *,
    threshold: float,
    allowed: NDArray[np.bool_],
    last: int | None = None,
) -> tuple[int | None, Floats]:
    """The first look before `last` at which log E has reached `threshold` and `allowed` (n) holds, and log E to there.

    Looked at in blocks, since most series are decided long before their end.
    """
    length = len(signal.count) if last is None else last
    seen, found = list[Floats](), False
    for begin in range(0, length, _BLOCK):
        part = log_evidence(signal, weights, first=begin, last=min(begin + _BLOCK, length))
        seen.append(part)
        reached = np.maximum.accumulate(part) >= threshold
        if found:
            reached[:] = True
        found = bool(reached[-1])
        hits = np.flatnonzero(reached & allowed[begin : begin + len(part)])
        if len(hits):
            return begin + int(hits[0]), np.concatenate(seen)[: begin + int(hits[0]) + 1]
    return None, np.concatenate(seen)
