"""The search for the first bad version when answers may be wrong: what is believed, what to try next, when to stop.

Hypothesis c says that the versions before place c are good and those from c on are bad; c = 0 says that GOOD is bad as
well, and c = one past the last that BAD is not. An answer is wrong with one rate on good versions and with another on
bad ones. Neither is known: both are integrated out over a grid from 0 to `flaky`, so that one more wrong answer makes
more of them more probable (Ben-Or and Hassidim 2008 for known rates; here learned on the way). What is tried next is
what says most about c, in bits. So repeats come by themselves, where they are worth most, and end when one answer has
the wanted confidence. What is not in: booting, time, and what a test is.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# Even a test that never errs meets a machine that does: a rate of zero could not be mended by any later answer.
STEADY = 0.001
# How probable it is beforehand that a rate is that small; the rest is spread evenly up to the largest one. With 0.2 the
# share of right answers stays above the confidence for rates of 0 and of 0.2 (bench/bisection.md).
STEADY_SHARE = 0.2
# How probable it is beforehand that GOOD fails as well, and that BAD passes: people mostly know these two.
ENDS_SHARE = 0.02
_STEPS = 8
# A boot is not tried for less: what is left then are versions that no boot can tell apart.
_LEAST_BITS = 1e-9


class Ending(enum.StrEnum):
    """How a search ends."""

    FOUND = "found"
    RANGE = "range"  # what lies between cannot be tried
    GOOD_FAILS = "good-fails"
    BAD_PASSES = "bad-passes"
    UNDECIDED = "undecided"  # the most boots were made, or no further one would say anything
    UNTRIED = "untried"  # GOOD or BAD could not be tried


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """`confidence` that an answer needs, the largest `flaky` rate that is reckoned with, and the most boots."""

    confidence: float = 0.99
    flaky: float = 0.3
    most_boots: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What one version's boots came to; `skipped` is one that would not boot too often and is tried no more."""

    failed: int = 0
    passed: int = 0
    skipped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """Boot the version at this place; `bits` is what that is expected to say about the answer."""

    place: int
    bits: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The first bad version is one of the places `first` to `last`; they are the same where it was found.

    The place one past the last version is there as well: none of them is bad. `last_good` is the place before them,
    None where there is none. `wrong_fails` and
    `wrong_passes` are the rates of wrong answers as they were learnt.
    """

    ending: Ending
    first: int
    last: int
    last_good: int | None
    confidence: float
    wrong_fails: float
    wrong_passes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Belief:
    """Arrays over c: how probable it is, and the two rates that go with it."""

    share: Floats
    wrong_fails: Floats
    wrong_passes: Floats


def next_step(tallies: Sequence[Tally], rules: Rules) -> Try | Answer:
    """What to do, by what is known of the versions in their order (GOOD first, BAD last; at least two).

    Both ends are tried once before anything else; without them there is no search.
    """
    belief = _believe(tallies, rules.flaky)
    for place in (len(tallies) - 1, 0):
        if tallies[place].skipped and not _boots(tallies[place]):
            return _told(Ending.UNTRIED, place, place, 0.0, belief)
    gains = _gains(belief)
    for place in (len(tallies) - 1, 0):
        if not _boots(tallies[place]):
            return Try(place=place, bits=float(gains[place]))
    groups = _groups(tallies)
    shares = [float(belief.share[first : last + 1].sum()) for first, last in groups]
    best = int(np.argmax(shares))
    if shares[best] >= rules.confidence:
        return _answer(groups[best], shares[best], belief, tallies)
    gains[[place for place, one in enumerate(tallies) if one.skipped]] = 0.0
    place = int(np.argmax(gains))
    if sum(map(_boots, tallies)) >= rules.most_boots or gains[place] < _LEAST_BITS:
        return _undecided(groups, shares, rules, belief)
    return Try(place=place, bits=float(gains[place]))


def shares(tallies: Sequence[Tally], rules: Rules) -> tuple[float, ...]:
    """How probable it is of each place, and of the one past the last, to be the first bad one."""
    return tuple(float(share) for share in _believe(tallies, rules.flaky).share)


def _boots(tally: Tally) -> int:
    return tally.failed + tally.passed


def _believe(tallies: Sequence[Tally], flaky: float) -> _Belief:
    rates, before = _rates(flaky)
    failed = np.cumsum([0.0, *(one.failed for one in tallies)])
    passed = np.cumsum([0.0, *(one.passed for one in tallies)])
    # For each c (rows) and each rate (columns), the logarithm of how probable the answers are: those before c, whose
    # failures are wrong, and those from c on, whose passes are.
    wrong, right = np.log(rates), np.log1p(-rates)
    good = before + np.outer(failed, wrong) + np.outer(passed, right)
    bad = before + np.outer(passed[-1] - passed, wrong) + np.outer(failed[-1] - failed, right)
    prior = np.full(len(tallies) + 1, (1 - 2 * ENDS_SHARE) / (len(tallies) - 1))
    prior[0] = prior[-1] = ENDS_SHARE
    likely = np.log(prior) + _log_sum(good) + _log_sum(bad)
    share = np.exp(likely - likely.max())
    return _Belief(share=share / share.sum(), wrong_fails=_mean(good, rates), wrong_passes=_mean(bad, rates))


def _rates(flaky: float) -> tuple[Floats, Floats]:
    """The rates that are reckoned with, and the logarithm of how probable each is beforehand."""
    if flaky <= STEADY:
        return np.array([STEADY]), np.array([0.0])
    spread = (np.arange(_STEPS) + 0.5) / _STEPS * flaky
    shares = np.concatenate([[STEADY_SHARE], np.full(_STEPS, (1 - STEADY_SHARE) / _STEPS)])
    return np.concatenate([[STEADY], spread]), np.log(shares)


def _log_sum(rows: Floats) -> Floats:
    top = rows.max(axis=1)
    summed: Floats = top + np.log(np.exp(rows - top[:, None]).sum(axis=1))
    return summed


def _mean(rows: Floats, rates: Floats) -> Floats:
    weights = np.exp(rows - rows.max(axis=1)[:, None])
    mean: Floats = weights @ rates / weights.sum(axis=1)
    return mean


def _gains(belief: _Belief) -> Floats:
    """For each version, how many bits its next answer is expected to say about c: H(answer) - H(answer | c)."""
    as_bad, as_good = belief.share * (1 - belief.wrong_passes), belief.share * belief.wrong_fails
    # A version is bad under the hypotheses up to its own place, and good under all later ones.
    fails = np.cumsum(as_bad)[:-1] + _after(as_good)
    given = np.cumsum(belief.share * _entropy(belief.wrong_passes))[:-1]
    gains: Floats = _entropy(fails) - given - _after(belief.share * _entropy(belief.wrong_fails))
    return gains


def _after(values: Floats) -> Floats:
    """For each place but the last, the sum of what comes behind it."""
    summed: Floats = np.cumsum(values[::-1])[::-1][1:]
    return summed


def _entropy(share: Floats) -> Floats:
    sure = np.clip(share, 1e-12, 1 - 1e-12)
    bits: Floats = -(sure * np.log2(sure) + (1 - sure) * np.log2(1 - sure))
    return bits


def _groups(tallies: Sequence[Tally]) -> list[tuple[int, int]]:
    """Hypotheses that no boot can tell apart, as (first, last): a skipped version goes with the next one that boots."""
    groups, first = [], 0
    for place, tally in enumerate(tallies):
        if not tally.skipped or _boots(tally):
            groups.append((first, place))
            first = place + 1
    return [*groups, (first, len(tallies))]


def _answer(group: tuple[int, int], share: float, belief: _Belief, tallies: Sequence[Tally]) -> Answer:
    first, last = group
    if last == 0:
        ending = Ending.GOOD_FAILS
    elif first == len(tallies):
        ending = Ending.BAD_PASSES
    else:
        ending = Ending.FOUND if first == last else Ending.RANGE
    return _told(ending, first, last, share, belief)


def _undecided(
    groups: Sequence[tuple[int, int]],
    shares: Sequence[float],
    rules: Rules,
    belief: _Belief,
) -> Answer:
    """The fewest neighbouring hypotheses around the most probable one that have the wanted confidence together."""
    low = high = int(np.argmax(shares))
    share = shares[low]
    while share < rules.confidence and (low > 0 or high < len(groups) - 1):
        left = shares[low - 1] if low else -1.0
        right = shares[high + 1] if high < len(groups) - 1 else -1.0
        low, high = (low - 1, high) if left >= right else (low, high + 1)
        share = sum(shares[low : high + 1])
    first, last = groups[low][0], groups[high][1]
    return _told(Ending.UNDECIDED, first, last, share, belief)


def _told(ending: Ending, first: int, last: int, share: float, belief: _Belief) -> Answer:
    return Answer(
        ending=ending,
        first=first,
        last=last,
        last_good=first - 1 if first else None,
        confidence=min(share, 1.0),
        wrong_fails=float(belief.share @ belief.wrong_fails),
        wrong_passes=float(belief.share @ belief.wrong_passes),
    )
