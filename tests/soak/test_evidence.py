"""The e-process: its value against numerical integration, its size under the null, and what it does not depend on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from seatrial.soak import counts
from seatrial.soak.evidence import EFFECTS, LEAST, _ratio, gather, log_evidence
from seatrial.soak.memory import Floats
from seatrial.soak.pairs import pair

from .made import noise, series


@pytest.mark.parametrize("n", [6, 30, 200])
@pytest.mark.parametrize("along", [-3.0, 0.0, 2.0])
@pytest.mark.parametrize("size", [0.1, 0.45, 2.4])
def test_the_integral_over_the_scale_is_right(n: int, along: float, size: float) -> None:
    # u^(n-1) exp(-u^2/2 + size along u), over the same without a shift, shifted by its peak so that nothing overflows.
    peak = np.sqrt(n - 1)

    def inside(u: float, slope: float) -> float:
        return float(np.exp((n - 1) * np.log(u / peak) - (u * u - peak * peak) / 2 + slope * u))

    def integral(slope: float) -> float:
        return float(quad(inside, 1e-9, peak + 30, args=(slope,), points=[peak], limit=400)[0])

    wanted = np.log(integral(size * along) / integral(0.0)) - 0.5 * size * size * 1.7
    short = np.float32
    got = _ratio(
        np.array([[[size]]], dtype=short),
        np.array([[along]], dtype=short),
        np.array([[1.7]], dtype=short),
        np.array([n], dtype=short),
    )
    assert float(got[0, 0, 0]) == pytest.approx(wanted, abs=0.03)


@settings(max_examples=20, deadline=None)
@given(scale=st.floats(1e-6, 1e9), ratio=st.floats(0.5, 3.0), seed=st.integers(0, 1000))
def test_the_unit_of_a_metric_does_not_matter(scale: float, ratio: float, seed: int) -> None:
    good, candidate = noise(80, seed=seed), ratio * noise(80, seed=seed + 5000)
    assert np.allclose(path(good, candidate), path(scale * good, scale * candidate), atol=1e-3)


def test_what_comes_later_changes_no_earlier_evidence() -> None:
    # The usual level, which looks at everything, is taken out of the comparison by giving the differences.
    signal = np.random.default_rng(3).standard_normal(200) + 0.3
    common = np.random.default_rng(4).standard_normal(200)
    whole = gather([signal], common)
    half = gather([signal[:120]], common[:120])
    there = log_evidence(whole.signals[0], whole.weights)[:120]
    assert np.allclose(there, log_evidence(half.signals[0], half.weights), atol=1e-3)


def test_there_is_no_evidence_in_fewer_samples_than_the_least() -> None:
    found = path(noise(40, seed=1), 50 * noise(40, seed=2))
    assert np.all(np.isneginf(found[: LEAST - 1]))
    assert np.all(np.isfinite(found[LEAST - 1 :]))


def test_under_the_prior_itself_false_alarms_keep_the_bound() -> None:
    # A martingale by construction; this would notice a slip in any of its parts. 1 % of 400 is 4, and 12 or more
    # would come about once in 1,000 times.
    alarms = 0
    for seed in range(400):
        phi = (0.0, 0.0, 0.3, 0.5, 0.8, 0.95)[seed % 6]
        good, candidate = noise(150, seed=2 * seed, phi=phi), noise(150, seed=2 * seed + 1, phi=phi)
        alarms += bool(path(good, candidate).max() >= np.log(100))
    assert alarms < 12


def test_the_weights_of_the_effects_are_all_used() -> None:
    assert all(size > 0 and share > 0 for size, share in EFFECTS)
    assert [size for size, _ in EFFECTS] == sorted(size for size, _ in EFFECTS)


@pytest.mark.parametrize(("failures", "alpha"), [(8, 0.05), (11, 0.01), (14, 0.001)])
def test_counts_need_as_many_failures_as_published(failures: int, alpha: float) -> None:
    failed = np.tile([0.0, 1.0], (failures, 1))
    found = np.exp(counts.log_evidence(failed, np.ones_like(failed)))
    assert found[-1] >= 1 / alpha > found[-2]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_the_generalisation_is_the_closed_form_where_as_many_are_sent(rows: list[tuple[int, int]]) -> None:
    failed = np.array(rows, dtype=np.float64)
    sent = np.full_like(failed, 5.0)
    nearly = sent.copy()
    nearly[:, 1] *= 1 + 1e-12
    assert np.allclose(counts.log_evidence(failed, sent), counts.log_evidence(failed, nearly), atol=1e-6)


@pytest.mark.parametrize("sent", [(1, 9), (9, 1), (5, 5), (2, 3)])
def test_evidence_from_counts_is_worth_one_in_the_mean_if_nothing_is_wrong(sent: tuple[int, int]) -> None:
    # Exactly, over all outcomes of one batch: two binomials with the same share.
    share, total = 0.2, 0.0
    for good in range(sent[0] + 1):
        for candidate in range(sent[1] + 1):
            chance = binomial(good, sent[0], share) * binomial(candidate, sent[1], share)
            found = counts.log_evidence(
                np.array([[good, candidate]], dtype=np.float64), np.array([sent], dtype=np.float64)
            )
            total += chance * float(np.exp(found[0]))
    assert total <= 1 + 1e-9


def binomial(k: int, n: int, p: float) -> float:
    from math import comb

    return comb(n, k) * p**k * (1 - p) ** (n - k)


def path(good: Floats, candidate: Floats) -> Floats:
    pairs = pair(series(good, candidate))
    found = gather([pairs.difference()], pairs.common())
    return log_evidence(found.signals[0], found.weights)
