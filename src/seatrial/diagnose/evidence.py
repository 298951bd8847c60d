"""What was seen, put in order: which components a loss crosses, which of them nothing can tell apart, and their odds.

What is in: grouping, priors and the likelihood of one Observation, which both searches share. What is not in: the
searches (few.py, many.py).

The model: a faulty component loses a share r of all that crosses it, a sound path next to nothing (NOISE). The score
of a set of faults is the log-likelihood of all observations at the best r of each fault, less a price for every fault:
its prior odds, and log(number of shares that were tried) for having chosen r. An observation may be an outlier
(traffic that a rule treats differently), so none can cost more than OUTLIER allows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from seatrial.model.observation import Observation

PRIOR = 0.001
EXPECTED = 0.25  # the most faults that are expected among all components
NOISE = 0.001  # the share that a sound path loses
OUTLIER = 0.02
QUIET = 0.01  # an observation that loses no more than this, or one packet, says what sound paths lose
LEAST_NOISE = 1e-6
# Beyond so many components, those that cannot be worth even the least price are left out.
MANY = 400
LEAST_PRICE = math.log(16)
MOST_SUSPECTS = 5
LEAST_PROBABLE = 0.01

Faults = tuple[int, ...]
Ranked = list[tuple[Faults, float]]

_ONLY_WAY = frozenset((0,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """Components that exactly the same observations cross in the same way; nothing seen can tell them apart.

    `seen` maps an observation's number to the numbers of its alternative paths that cross them; `odds` is the
    logarithm of the prior odds that one of them is faulty, `usual` whether nobody said how probable that is.
    """

    members: tuple[str, ...]
    seen: Mapping[int, frozenset[int]]
    odds: float
    usual: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Usable observations in an order of their own, how many alternative paths each has, and what could be at fault.

    `noise` is the share that sound paths seem to lose, at most NOISE.
    """

    seen: tuple[Observation, ...]
    ways: tuple[int, ...]
    alike: tuple[Alike, ...]
    noise: float


def gather(observations: Iterable[Observation], prior: Mapping[str, float]) -> Evidence:
    """The evidence in `observations`; those that sent nothing or crossed nothing are left out.

    `prior` is the probability of a fault by component, in 0..1. Others have PRIOR, or less where there are so many
    components that more faults than EXPECTED would be there: else the price of a fault would not outweigh the number of
    places where chance can look like one.
    """
    usable = [one for one in observations if one.sent > 0 and _alternatives(one)]
    seen = sorted(usable, key=lambda one: (one.id, one.path, one.paths, one.sent, one.lost))
    paths = [_alternatives(one) for one in seen]
    everything = set[str]().union(*(path for ways in paths for path in ways))
    usual = min(PRIOR, EXPECTED / max(len(everything), 1))
    noise = _noise(seen)
    crossed = _crossed(seen, paths, noise)
    groups: dict[tuple[tuple[int, frozenset[int]], ...], list[str]] = {}
    for component, rows in crossed.items():
        groups.setdefault(tuple(rows.items()), []).append(component)
    alike = (_alike(members, crossed[members[0]], prior, usual) for members in groups.values())
    return Evidence(
        seen=tuple(seen),
        ways=tuple(len(ways) for ways in paths),
        alike=tuple(sorted(alike, key=lambda one: one.members)),
        noise=noise,
    )


def fit(one: Observation, share: float) -> float:
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


def is_chance(observations: Sequence[Observation]) -> bool:
    """Whether sound paths could well have lost all that was lost: no observation is stranger than one in 20 rounds is.

    The chance of each is bounded as Chernoff does, exp(-sent * divergence), and added up over all.
    """
    stranger = math.log(20 * max(len(observations), 1))
    return all(most(one, NOISE) <= stranger for one in observations if one.sent > 0)


def _alternatives(one: Observation) -> tuple[tuple[str, ...], ...]:
    return tuple(path for path in (one.paths or (one.path,)) if path)


def _noise(seen: list[Observation]) -> float:
    """What sound paths lose: NOISE counts like 1 / NOISE packets that were seen to lose it."""
    sent = lost = 0
    for one in seen:
        if one.lost <= max(QUIET * one.sent, 1):
            sent += one.sent
            lost += max(one.lost, 0)
    return min(max((lost + 1) / (sent + 1 / NOISE), LEAST_NOISE), NOISE)


def most(one: Observation, noise: float) -> float:
    """The most that any faults can gain at an observation, over sound paths that lose `noise` of it.

    No share is more likely than the one that was seen, and the outliers' allowance is a mean over shares.
    """
    lost = min(max(one.lost, 0), one.sent)
    if lost <= noise * one.sent:
        return 0.0
    gain = lost * math.log(lost / one.sent / noise)
    if lost < one.sent:
        gain += (one.sent - lost) * math.log((1 - lost / one.sent) / (1 - noise))
    return gain


def _crossed(
    seen: list[Observation], paths: list[tuple[tuple[str, ...], ...]], noise: float
) -> dict[str, dict[int, frozenset[int]]]:
    """By component, the observations that cross it and by which ways.

    Only what a loss crosses can be at fault: everything else is left out from the start, which is nearly everything
    in a large network. There, what chance took from a few sound paths is left out as well.
    """
    worth: dict[str, float] = {}
    for one, ways in zip(seen, paths, strict=True):
        if one.lost > 0:
            gain = most(one, noise)
            for name in {name for path in ways for name in path}:
                worth[name] = worth.get(name, 0.0) + gain
    few = len(worth) <= MANY
    suspected = {name for name, gain in worth.items() if few or gain > LEAST_PRICE}
    crossed: dict[str, dict[int, frozenset[int]]] = {name: {} for name in suspected}
    for number, ways in enumerate(paths):
        for way, path in enumerate(ways):
            for name in suspected.intersection(path):
                rows = crossed[name]
                rows[number] = (
                    rows[number] | {way} if number in rows else frozenset((way,)) if way else _ONLY_WAY
                )
    return crossed


def _alike(
    members: list[str], seen: Mapping[int, frozenset[int]], prior: Mapping[str, float], usual: float
) -> Alike:
    probable = {name: min(max(prior.get(name, usual), 1e-9), 0.5) for name in members}
    if len(members) > 1:
        # Nothing to sort is what nearly all of a large network's are.
        members.sort(key=lambda name: (-probable[name], name))
    total = min(sum(probable.values()), 0.5)
    usually = not any(name in prior for name in members)
    return Alike(members=tuple(members), seen=seen, odds=math.log(total / (1 - total)), usual=usually)
