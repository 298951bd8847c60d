"""The search among few components: exact for up to three faults where they are few enough, one flip at a time beyond.

What is in: scores of sets of faults and which sets are best. What is not in: large inputs (many.py).

Flock (Harsh et al. 2023) has the greedy search with single flips; here pairs are looked at as well, because one
component that explains half of everything must not hide the two that explain all of it. Up to EXACT components every
set of up to three is looked at that could be better than the best one: no set can explain more than each observation
that it touches would have at the loss that was seen, so most sets need not be scored.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence

from seatrial.diagnose.evidence import (
    LEAST_PROBABLE,
    MOST_SUSPECTS,
    NOISE,
    Evidence,
    Faults,
    Ranked,
    fit,
    most,
)

SHARES = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999)
PRICE = math.log(len(SHARES))
MOST_PAIRED = 12
MOST_FAULTS = 64
EXACT = 24
MOST_EXACT_FAULTS = 3


def rank(evidence: Evidence) -> Ranked:
    """Sets of faults, as numbers of `evidence.alike`, with their probabilities in 0..1, the best first; [] for none."""
    search = Search(evidence)
    best = search.best()
    return search.ranked(best) if best else []


class Search:
    """Scores of sets of faults, remembered, and the best of them."""

    def __init__(self, evidence: Evidence) -> None:
        self.alike = evidence.alike
        self.seen = evidence.seen
        self.ways = evidence.ways
        self.scores: dict[Faults, tuple[float, tuple[float, ...]]] = {}
        self.sound = [fit(one, 0.0) for one in self.seen]

    def score(self, faults: Faults) -> tuple[float, tuple[float, ...]]:
        """How much better than no fault at all this set is, and the share that each of its faults loses."""
        if faults not in self.scores:
            shares = [0.5] * len(faults)
            for _ in range(1 if len(faults) < 2 else 3):
                for place in range(len(faults)):
                    shares[place] = self._best_share(faults, shares, place)
            gain = self._likelihood(faults, shares) + sum(self.alike[fault].odds - PRICE for fault in faults)
            self.scores[faults] = (gain, tuple(shares))
        return self.scores[faults]

    def _best_share(self, faults: Faults, shares: list[float], place: int) -> float:
        tried = (([*shares[:place], share, *shares[place + 1 :]], share) for share in SHARES)
        return max((self._likelihood(faults, trial), share) for trial, share in tried)[1]

    def _likelihood(self, faults: Faults, shares: Sequence[float]) -> float:
        touched: dict[int, list[float]] = {}
        for fault, share in zip(faults, shares, strict=True):
            for number, ways in self.alike[fault].seen.items():
                survive = touched.setdefault(number, [1.0] * self.ways[number])
                for way in ways:
                    survive[way] *= 1 - share
        gain = 0.0
        for number in sorted(touched):
            survive = touched[number]
            gain += fit(self.seen[number], 1 - sum(survive) / len(survive)) - self.sound[number]
        return gain

    def best(self) -> Faults:
        """The best set that is found: the best single fault or pair, then one flip at a time while it pays."""
        singles = sorted(range(len(self.alike)), key=lambda fault: (-self.score((fault,))[0], fault))
        pairs = itertools.combinations(sorted(singles[:MOST_PAIRED]), 2)
        starts = [(), *((fault,) for fault in singles[:MOST_PAIRED]), *pairs]
        found = self._climb(min(starts, key=self._rank))
        if len(self.alike) <= EXACT:
            better = self._exact(found)
            found = found if better == found else self._climb(better)
        return found

    def _climb(self, found: Faults) -> Faults:
        for _ in range(4 * MOST_FAULTS):
            following = min(self._flips(found), key=self._rank, default=found)
            if self.score(following)[0] <= self.score(found)[0] + 1e-9:
                return found
            found = following
        return found

    def _exact(self, found: Faults) -> Faults:
        """The best of `found` and all sets of up to three faults."""
        gains = [most(one, NOISE) for one in self.seen]
        for size in range(1, MOST_EXACT_FAULTS + 1):
            for faults in itertools.combinations(range(len(self.alike)), size):
                touched = set().union(*(self.alike[fault].seen for fault in faults))
                bound = sum(gains[number] for number in touched)
                bound += sum(self.alike[fault].odds - PRICE for fault in faults)
                if bound > self.score(found)[0] + 1e-9 and self._rank(faults) < self._rank(found):
                    found = faults
        return found

    def _rank(self, faults: Faults) -> tuple[float, int, Faults]:
        return -round(self.score(faults)[0], 9), len(faults), faults

    def _flips(self, faults: Faults) -> Iterable[Faults]:
        for fault in range(len(self.alike)):
            if fault in faults:
                yield tuple(one for one in faults if one != fault)
            elif len(faults) < MOST_FAULTS:
                yield tuple(sorted((*faults, fault)))

    def ranked(self, best: Faults) -> Ranked:
        """The best set beside what it is most easily mistaken for: sets with one fault exchanged, less or more."""
        others = {best, (), *self._flips(best)}
        for place, fault in itertools.product(range(len(best)), range(len(self.alike))):
            if fault not in best:
                others.add(tuple(sorted((*best[:place], *best[place + 1 :], fault))))
        ordered = sorted(others, key=self._rank)
        top = self.score(ordered[0])[0]
        weights = [math.exp(self.score(faults)[0] - top) for faults in ordered]
        whole = sum(weights)
        likely = [(faults, weight / whole) for faults, weight in zip(ordered, weights, strict=True) if faults]
        return [likely[0], *(one for one in likely[1:MOST_SUSPECTS] if one[1] >= LEAST_PROBABLE)]
