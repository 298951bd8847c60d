"""Which components explain the losses: the most probable sets of faults, given what crossed them.

What is in: `localise`, which reads Observations and priors and knows nothing of fleets. What is not in: how a flow
becomes Observations (paths.py) and how a Diagnosis becomes a sentence (sentence.py).

The model: a faulty component loses a share r of all that crosses it, a sound one next to nothing. The score of a
set of faults is the log-likelihood of all observations at the best r of each fault, less a price for every fault:
its prior odds, and log(len(SHARES)) for having chosen r. An observation may be an outlier (traffic that a rule
treats differently), so none can cost more than OUTLIER allows. Flock (Harsh et al. 2023) has the greedy search with
single flips; here the best pairs are looked at as well, because one component that explains half of everything
must not hide the two that explain all of it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from seatrial.model.observation import Diagnosis, NextProbe, Observation, Suspect

PRIOR = 0.001
NOISE = 0.001  # the share that a sound path loses
OUTLIER = 0.02
SHARES = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999)
PRICE = math.log(len(SHARES))
MOST_PAIRED = 12
MOST_FAULTS = 64
MOST_SUSPECTS = 5
LEAST_PROBABLE = 0.01
MOST_NEXT = 3

Fault = tuple[int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Alike:
    """Components that exactly the same observations cross in the same way; nothing seen can tell them apart.

    `seen` maps an observation's number to the numbers of its alternative paths that cross them.
    """

    members: tuple[str, ...]
    seen: Mapping[int, frozenset[int]]
    odds: float


def localise(
    observations: Iterable[Observation],
    prior: Mapping[str, float] | None = None,
    candidates: Sequence[tuple[str, ...]] = (),
) -> Diagnosis:
    """What explains `observations`, the most probable first; nothing when no fault is worth its price.

    `prior` is the probability of a fault by component (PRIOR for others). `candidates` are paths of probes that
    could be sent next; without any, beginnings of the observed paths are proposed. The order of `observations` does
    not matter.
    """
    search = _Search(observations, prior or {})
    best = search.best()
    if not best:
        return Diagnosis()
    ranked = search.ranked(best)
    suspects = tuple(search.suspect(faults, probability) for faults, probability in ranked)
    return Diagnosis(suspects=suspects, next=search.next_probes(ranked[0][0], candidates))


class _Search:
    def __init__(self, observations: Iterable[Observation], prior: Mapping[str, float]) -> None:
        usable = [one for one in observations if one.sent > 0 and _alternatives(one)]
        self.seen = sorted(usable, key=lambda one: (one.id, one.path, one.paths, one.sent, one.lost))
        self.paths = [_alternatives(one) for one in self.seen]
        self.prior = prior
        self.alike = self._group()
        self.scores: dict[tuple[int, ...], tuple[float, tuple[float, ...]]] = {}
        self.sound = [_fit(one, 0.0) for one in self.seen]
        self.ground = sum(self.sound)

    def _group(self) -> list[_Alike]:
        """Only what a loss crosses can be at fault: everything else is left out from the start."""
        crossed: dict[str, dict[int, set[int]]] = {}
        for number, paths in enumerate(self.paths):
            for way, path in enumerate(paths):
                for component in path:
                    crossed.setdefault(component, {}).setdefault(number, set()).add(way)
        groups: dict[tuple[tuple[int, frozenset[int]], ...], list[str]] = {}
        for component, seen in crossed.items():
            if any(self.seen[number].lost for number in seen):
                key = tuple((number, frozenset(ways)) for number, ways in sorted(seen.items()))
                groups.setdefault(key, []).append(component)
        return sorted((self._alike(members, key) for key, members in groups.items()), key=lambda a: a.members)

    def _alike(self, members: list[str], key: tuple[tuple[int, frozenset[int]], ...]) -> _Alike:
        ordered = sorted(members, key=lambda name: (-self._prior(name), name))
        total = min(sum(self._prior(name) for name in members), 0.5)
        return _Alike(members=tuple(ordered), seen=dict(key), odds=math.log(total / (1 - total)))

    def _prior(self, name: str) -> float:
        return min(max(self.prior.get(name, PRIOR), 1e-9), 0.5)

    def score(self, faults: tuple[int, ...]) -> tuple[float, tuple[float, ...]]:
        """How much better than no fault at all this set is, and the share that each of its faults loses."""
        if faults not in self.scores:
            shares = [0.5] * len(faults)
            for _ in range(1 if len(faults) < 2 else 3):
                for place in range(len(faults)):
                    shares[place] = self._best_share(faults, shares, place)
            gain = self._likelihood(faults, shares) + sum(self.alike[fault].odds - PRICE for fault in faults)
            self.scores[faults] = (gain, tuple(shares))
        return self.scores[faults]

    def _best_share(self, faults: tuple[int, ...], shares: list[float], place: int) -> float:
        tried = (([*shares[:place], share, *shares[place + 1 :]], share) for share in SHARES)
        return max((self._likelihood(faults, trial), share) for trial, share in tried)[1]

    def _likelihood(self, faults: tuple[int, ...], shares: Sequence[float]) -> float:
        touched: dict[int, list[float]] = {}
        for fault, share in zip(faults, shares, strict=True):
            for number, ways in self.alike[fault].seen.items():
                survive = touched.setdefault(number, [1.0] * len(self.paths[number]))
                for way in ways:
                    survive[way] *= 1 - share
        gain = 0.0
        for number in sorted(touched):
            survive = touched[number]
            gain += _fit(self.seen[number], 1 - sum(survive) / len(survive)) - self.sound[number]
        return gain

    def best(self) -> tuple[int, ...]:
        """The best set that is found: the best single fault or pair, then one flip at a time while it pays."""
        singles = sorted(range(len(self.alike)), key=lambda fault: (-self.score((fault,))[0], fault))
        pairs = itertools.combinations(sorted(singles[:MOST_PAIRED]), 2)
        starts = [(), *((fault,) for fault in singles[:MOST_PAIRED]), *pairs]
        found: tuple[int, ...] = min(starts, key=self._rank)
        for _ in range(4 * MOST_FAULTS):
            following = min(self._flips(found), key=self._rank, default=found)
            if self.score(following)[0] <= self.score(found)[0] + 1e-9:
                return found
            found = following
        return found

    def _rank(self, faults: tuple[int, ...]) -> tuple[float, int, tuple[int, ...]]:
        return -round(self.score(faults)[0], 9), len(faults), faults

    def _flips(self, faults: tuple[int, ...]) -> Iterable[tuple[int, ...]]:
        for fault in range(len(self.alike)):
            if fault in faults:
                yield tuple(one for one in faults if one != fault)
            elif len(faults) < MOST_FAULTS:
                yield tuple(sorted((*faults, fault)))

    def ranked(self, best: tuple[int, ...]) -> list[tuple[tuple[int, ...], float]]:
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

    def suspect(self, faults: tuple[int, ...], probability: float) -> Suspect:
        first = tuple(self.alike[fault].members[0] for fault in faults)
        same = [
            (*first[:place], other, *first[place + 1 :])
            for place, fault in enumerate(faults)
            for other in self.alike[fault].members[1:]
        ]
        return Suspect(
            components=first,
            same_evidence=tuple(same),
            probability=round(probability, 4),
            because=self._because(faults),
        )

    def _because(self, faults: tuple[int, ...]) -> str:
        """What speaks for it and what does not, in numbers."""
        crossing = {number for fault in faults for number in self.alike[fault].seen}
        lossy = {number for number, one in enumerate(self.seen) if one.lost > NOISE * one.sent}
        sent = sum(self.seen[number].sent for number in crossing & lossy)
        lost = sum(self.seen[number].lost for number in crossing & lossy)
        words = (
            f"{len(crossing & lossy)} of {len(lossy)} lossy observations cross it and lost {lost} of {sent}"
        )
        if sound := len(crossing - lossy):
            words += f"; {sound} that cross it lost nothing"
        return words

    def next_probes(
        self, faults: tuple[int, ...], candidates: Sequence[tuple[str, ...]]
    ) -> tuple[NextProbe, ...]:
        """Probes that split what cannot be told apart, the most even split first."""
        found: list[tuple[int, NextProbe]] = []
        for fault in faults:
            members = self.alike[fault].members
            if len(members) < 2:
                continue
            for path in sorted(set(candidates or self._beginnings(fault))):
                within = tuple(name for name in members if name in path)
                without = tuple(name for name in members if name not in path)
                if within and without:
                    evenness = abs(len(within) - len(without))
                    found.append((evenness, NextProbe(path=path, splits=(within, without))))
        found.sort(key=lambda one: (one[0], len(one[1].path), one[1].path))
        return tuple(probe for _, probe in found[:MOST_NEXT])

    def _beginnings(self, fault: int) -> Iterable[tuple[str, ...]]:
        members = set(self.alike[fault].members)
        for number in self.alike[fault].seen:
            one = self.seen[number]
            for path in one.paths or (one.path,):
                for end in range(1, len(path)):
                    if path[end] in members or path[end - 1] in members:
                        yield path[:end]


def _alternatives(one: Observation) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(path) for path in (one.paths or (one.path,)) if path)


def _fit(one: Observation, share: float) -> float:
    """Log-likelihood of an observation where faults lose `share` of what crosses them.

    Where there is a fault, an outlier may lose less than that, by any amount. Nothing excuses more loss than expected:
    else a hardly faulty component that everything crosses would explain whatever is lost.
    """
    lost = min(max(one.lost, 0), one.sent)
    rate = 1 - (1 - share) * (1 - NOISE)
    expected = lost * math.log(rate) + (one.sent - lost) * math.log(1 - rate)
    if lost >= rate * one.sent:
        return expected
    anything = math.lgamma(lost + 1) + math.lgamma(one.sent - lost + 1) - math.lgamma(one.sent + 2)
    high, low = expected + math.log(1 - OUTLIER), anything + math.log(OUTLIER)
    if low > high:
        high, low = low, high
    return high + math.log1p(math.exp(low - high))
