"""Taking the memory out: exact at the start, the same process after it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import toeplitz

from seatrial.soak.memory import EXACT, MODELS, Memory, shape, whiten


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_the_density_is_that_of_the_gaussian_process_also_where_the_filter_has_taken_over(
    model: Memory,
) -> None:
    n = EXACT + 40
    signal = np.random.default_rng(1).standard_normal((1, n)).cumsum(axis=1) / 5
    covariance = model.slow * model.phi ** np.arange(n)
    covariance[0] = 1.0
    whole = toeplitz(covariance)
    exact = -0.5 * np.linalg.slogdet(whole)[1] - 0.5 * float((signal @ np.linalg.inv(whole) @ signal.T)[0, 0])
    _, logs = shape(n)
    got = logs[MODELS.index(model), -1] - 0.5 * float((whiten(signal, [model])[0, 0] ** 2).sum())
    assert got == pytest.approx(exact, rel=2e-3)


def test_the_prior_weights_are_a_distribution() -> None:
    assert sum(model.weight for model in MODELS) == pytest.approx(1.0)
    assert all(model.weight > 0 for model in MODELS)


def test_signals_are_whitened_one_by_one() -> None:
    signals = np.random.default_rng(2).standard_normal((3, 300))
    assert np.allclose(whiten(signals)[:, 1], whiten(signals[1:2])[:, 0])
