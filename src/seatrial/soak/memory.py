"""What a series remembers: the Gaussian models of autocorrelation, and taking the memory out of a signal.

What is in: the models, their prior weights and `whiten`. What is not in: what is tested with it (evidence.py).

A model is `slow + fresh`: a share `slow` of the variance is an AR(1) with coefficient phi, the rest is white noise.
The whole has variance 1, since the scale is unknown and integrated out elsewhere. `slow` = 1 is the plain AR(1). The
white-noise share is not a luxury: a test that knows AR(1) only called 38 % of A/A runs worse when half of an AR(1) of
0.95 was covered by white noise (docs/soak.md).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# Until here the whitening is exact; after that the filter has forgotten how it began.
EXACT = 96


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """One model. `phi` is the coefficient for one sample to the next, `slow` the share of variance that has it."""

    phi: float
    slow: float
    weight: float


# The prior is the one thing that was tuned: with less on independence the power on independent samples falls below
# that of a test that assumes independence; with more, false alarms at AR(1) 0.2 to 0.5 rise. The covered models look
# exactly like a change until enough is seen, so they get as much as the power allows.
INDEPENDENT = 0.58
COVERED = 0.007
# The short memories are the ones that are hardest to tell from none.
_PLAIN = ((0.1, 1.5), (0.2, 1.5), (0.3, 1.5), *((phi, 1.0) for phi in (0.4, 0.5, 0.6, 0.7, 0.8, 0.88, 0.93, 0.96, 0.98, 0.99)))  # fmt: skip
_COVERED = tuple((phi, slow) for phi in (0.7, 0.9, 0.96, 0.99) for slow in (0.15, 0.35, 0.65, 0.88))


def _models() -> tuple[Memory, ...]:
    plain = (1 - COVERED) * (1 - INDEPENDENT) / sum(share for _, share in _PLAIN)
    return (
        Memory(phi=0.0, slow=1.0, weight=(1 - COVERED) * INDEPENDENT),
        *(Memory(phi=phi, slow=1.0, weight=plain * share) for phi, share in _PLAIN),
        *(Memory(phi=phi, slow=slow, weight=COVERED / len(_COVERED)) for phi, slow in _COVERED),
    )


MODELS = _models()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Filter:
    """`first`: the exact whitening of the first EXACT samples; then e_t = (d_t - phi d_t-1 + theta e_t-1) / scale."""

    first: Floats
    theta: float
    scale: float


def whiten(signals: Floats, models: Sequence[Memory] = MODELS) -> Floats:
    """The innovations of each signal under each model, of variance 1 if it is true. (S, n) to (K, S, n).

    The first EXACT samples by the Cholesky factor of their covariance, the rest by the steady filter of the
    ARMA(1, 1) that a model is.
    """
    count, length = signals.shape
    head = min(length, EXACT)
    made = [_filter(model) for model in models]
    out = np.empty((len(models), count, length))
    for number, one in enumerate(made):
        np.matmul(signals[:, :head], one.first[:head, :head].T, out=out[number, :, :head])
    if length == head:
        return out
    # A plain AR(1) does not look back at its own innovations, so that all of them are one subtraction.
    plain = [number for number, one in enumerate(made) if one.theta == 0.0]
    phi = np.array([models[number].phi for number in plain])[:, None, None]
    scale = np.array([made[number].scale for number in plain])[:, None, None]
    out[plain, :, head:] = (signals[:, head:] - phi * signals[:, head - 1 : -1]) / scale
    for number, (model, one) in enumerate(zip(models, made, strict=True)):
        if one.theta == 0.0:
            continue
        # It takes longer to load than the whole engine, and most processes that could judge a soak never do.
        from scipy.signal import lfilter

        # In this form the filter's state is what the last sample leaves for the next one.
        state = -model.phi * signals[:, head - 1] + one.theta * one.scale * out[number, :, head - 1]
        rest, _ = lfilter([1.0, -model.phi], [1.0, -one.theta], signals[:, head:], axis=1, zi=state[:, None])
        out[number, :, head:] = rest / one.scale
    return out


@functools.lru_cache(maxsize=2 * EXACT)
def shape(length: int) -> tuple[Floats, Floats]:
    """Of every model: the innovations of a constant 1, and minus the running log of their scales. Each (K, n)."""
    longest = 1 << (length - 1).bit_length()
    if EXACT < length < longest:
        # Every series is decided at a length of its own, and what is longer begins in the same way.
        ones, logs = shape(longest)
        return np.ascontiguousarray(ones[:, :length]), np.ascontiguousarray(logs[:, :length])
    ones = whiten(np.ones((1, length)))[:, 0, :]
    logs = np.empty((len(MODELS), length))
    for at, model in enumerate(MODELS):
        made = _filter(model)
        head = min(length, EXACT)
        logs[at, :head] = np.log(np.diag(made.first)[:head])
        logs[at, head:] = -math.log(made.scale)
    return ones, np.cumsum(logs, axis=1)


@functools.lru_cache(maxsize=64)
def _filter(model: Memory) -> _Filter:
    lags = np.arange(EXACT)
    covariance = model.slow * model.phi ** lags.astype(np.float64)
    covariance[0] = 1.0
    factor = np.linalg.cholesky(covariance[np.abs(lags[:, None] - lags)])
    first = np.linalg.inv(factor)
    # Matching the two autocovariances of d_t - phi d_t-1: S (1 + theta^2) and -S theta.
    zero = model.slow * (1 - model.phi**2) + (1 - model.slow) * (1 + model.phi**2)
    one = model.phi * (1 - model.slow)
    if one == 0.0:
        return _Filter(first=first, theta=0.0, scale=math.sqrt(zero))
    half = zero / (2 * one)
    theta = half - math.sqrt(half * half - 1)
    return _Filter(first=first, theta=theta, scale=math.sqrt(one / theta))
