"""Which links of a fat tree are faulty: Seatrial's `localise` beside the published methods, on the same losses.

What is in: fat trees, probe plans of (coverage, identifiability), losses, the peers by their formulas, and the tables.
What is not: any peer's own code, and results on disk; the tables go to the terminal. Every trial has a seed of its own,
so that two runs print the same but for the seconds.
"""

from __future__ import annotations

import argparse
import itertools
import math
import multiprocessing
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from seatrial.diagnose.localise import localise
from seatrial.model.observation import Observation

Reals = NDArray[np.float64]
Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Path = tuple[int, ...]

PLANS = ((1, 0), (3, 0), (1, 1), (1, 2))
FAILED = (1, 5, 10, 20, 50)
SKEWED_LOSSES = (0.002, 0.004, 0.006, 0.01)
SENT = 500  # packets of one probe
SOUND = 1e-4  # a sound link loses a share between 0 and this, as in Flock
LEAST_LOST, MOST_LOST = 0.01, 1.0  # the share of a partial loss, log-uniform
FLOWS = 40_000
SKEWED_FAILED = 5
MEAN_PACKETS = 250


# --- the trees ---


@dataclass(frozen=True, slots=True)
class Tree:
    """A fat tree of k ports: k pods of k/2 edge and k/2 upper switches; links are numbers, a third for each layer."""

    k: int

    @property
    def half(self) -> int:
        return self.k // 2

    @property
    def layer(self) -> int:
        return self.k * self.half**2

    @property
    def links(self) -> int:
        return 3 * self.layer

    def server(self, pod: int, edge: int, server: int) -> int:
        return (pod * self.half + edge) * self.half + server

    def lower(self, pod: int, edge: int, upper: int) -> int:
        return self.layer + (pod * self.half + edge) * self.half + upper

    def higher(self, pod: int, upper: int, core: int) -> int:
        return 2 * self.layer + (pod * self.half + upper) * self.half + core


# --- the probe plans ---


class Planner:
    """Greedy, as deTector's PMC: each path is the best of what can be grown around the least crossed link.

    Where PMC scores every path of the tree, only paths that are grown of the least crossed links are looked at: that
    is what makes the tree of 48 a matter of seconds. With `apart`, no two links ever share two probes; where every
    link has three probes, no two others can then cover a third one, so any two failures look like no other two.
    """

    def __init__(self, tree: Tree, seed: int, *, apart: bool) -> None:
        self.tree = tree
        self.dice = random.Random(seed)
        self.apart = apart
        self.crossed = [0] * tree.links
        self.met: list[set[int]] = [set() for _ in range(tree.links)]
        self.paths: list[Path] = []

    def least(self, options: Sequence[int], path: list[int]) -> int:
        """The place of the least crossed option, by chance among equals; one that met the path only if all did."""
        crossed = [self.crossed[link] for link in options]
        if self.apart:
            crossed = [
                count + (1000 if not self.met[link].isdisjoint(path) else 0)
                for count, link in zip(crossed, options, strict=True)
            ]
        fewest = min(crossed)
        place = self.dice.choice([place for place, count in enumerate(crossed) if count == fewest])
        path.append(options[place])
        return place

    def grow(self, link: int) -> Path:
        """A path from server to server, over a core, that crosses `link`."""
        tree, half = self.tree, range(self.tree.half)
        layer, rest = divmod(link, tree.layer)
        pod, first, second = rest // tree.half**2, rest // tree.half % tree.half, rest % tree.half
        path = [link]
        if layer == 0:
            upper = self.least([tree.lower(pod, first, upper) for upper in half], path)
        elif layer == 1:
            upper = second
            self.least([tree.server(pod, first, server) for server in half], path)
        if layer < 2:
            core = self.least([tree.higher(pod, upper, core) for core in half], path)
        else:
            upper, core = first, second
            edge = self.least([tree.lower(pod, edge, upper) for edge in half], path)
            self.least([tree.server(pod, edge, server) for server in half], path)
        pods = [other for other in range(tree.k) if other != pod]
        there = pods[self.least([tree.higher(other, upper, core) for other in pods], path)]
        edge = self.least([tree.lower(there, edge, upper) for edge in half], path)
        self.least([tree.server(there, edge, server) for server in half], path)
        return tuple(path)

    def take(self, path: Path) -> None:
        self.paths.append(path)
        for link in path:
            self.crossed[link] += 1
            if self.apart:
                self.met[link].update(path)

    def cover(self, times: int) -> None:
        """Probes until every link is crossed as often."""
        for level in range(times):
            order = list(range(self.tree.links))
            self.dice.shuffle(order)
            for link in order:
                if self.crossed[link] <= level:
                    self.take(self.grow(link))

    def tell_apart(self) -> None:
        """Probes until no two links are crossed by the same ones; each path is the one of eight that splits most."""
        group = [0] * self.tree.links
        sizes = {0: self.tree.links}
        count = itertools.count(1)

        def split(path: Path) -> None:
            fresh: dict[int, int] = {}
            for link in path:
                old = group[link]
                if old not in fresh:
                    fresh[old] = next(count)
                group[link] = fresh[old]
                sizes[old] -= 1
                sizes[group[link]] = sizes.get(group[link], 0) + 1

        for path in self.paths:
            split(path)
        order = list(range(self.tree.links))
        self.dice.shuffle(order)
        for link in order:
            while sizes[group[link]] > 1:
                tried = [self.grow(link) for _ in range(8)]
                path = max(
                    tried, key=lambda one: len({group[other] for other in one if sizes[group[other]] > 1})
                )
                self.take(path)
                split(path)


@cache
def plan(k: int, coverage: int, identifiability: int) -> tuple[Path, ...]:
    """Paths that cross every link `coverage` times and tell any `identifiability` failures from any others."""
    planner = Planner(Tree(k), seed=k, apart=identifiability == 2)
    planner.cover(3 if identifiability == 2 else coverage)
    if identifiability == 1:
        planner.tell_apart()
    return tuple(planner.paths)


def identifiability(tree: Tree, paths: Sequence[Path]) -> int:
    """What is certain of a plan: 2 by the rule of `Planner`, else 1 or 0 by comparing columns. -1: not all covered."""
    matrix = crossing(paths, tree.links)
    columns = matrix.T.tocsr()
    if not (np.diff(columns.indptr) > 0).all():
        return -1
    together = (columns @ matrix).tocoo()
    shared = together.data[together.row != together.col]
    if (np.diff(columns.indptr) >= 3).all() and shared.max() <= 1:
        return 2
    seen = {columns.indices[a:b].tobytes() for a, b in itertools.pairwise(columns.indptr.tolist())}
    return 1 if len(seen) == tree.links else 0


def crossing(paths: Sequence[Path], links: int) -> csr_array:
    """Observations by links, 1 where one crosses the other."""
    starts = np.concatenate(([0], np.cumsum([len(path) for path in paths])))
    crossed = np.fromiter(itertools.chain.from_iterable(paths), dtype=np.int64)
    matrix = csr_array((np.ones(len(crossed)), crossed, starts), shape=(len(paths), links))
    matrix.sort_indices()
    return matrix


# --- the losses ---


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What one trial shows: `rows` is observations by links, `columns` its transpose; counts are packets."""

    rows: csr_array
    columns: csr_array
    sent: Numbers
    lost: Numbers
    failed: frozenset[int]
    observations: tuple[Observation, ...]
    alike: Numbers  # links of one number are crossed by the same observations

    def right(self, named: Sequence[int]) -> float:
        """How many of the named links had failed, where chance among links that are alike is averaged out.

        Who names some of the links that no observation tells apart is as right as such a choice is on average.
        """
        whole = np.bincount(self.alike)
        chosen = np.bincount(self.alike[sorted(set(named))], minlength=len(whole))
        faulty = np.bincount(self.alike[sorted(self.failed)], minlength=len(whole))
        return float((chosen * faulty / np.maximum(whole, 1)).sum())

    def of_link(self, link: int) -> Numbers:
        columns = self.columns
        return np.asarray(columns.indices[columns.indptr[link] : columns.indptr[link + 1]], dtype=np.int64)

    def of_rows(self, rows: Numbers) -> Numbers:
        """The links of these observations, one after the other."""
        return np.asarray(self.rows[rows].indices, dtype=np.int64)


@cache
def names(links: int) -> tuple[str, ...]:
    return tuple(f"link {number:05d}" for number in range(links))


def classes(columns: csr_array) -> Numbers:
    """For each link the number of its class; links of one class are crossed by the same observations."""
    ends = itertools.pairwise(columns.indptr.tolist())
    numbers: dict[bytes, int] = {}
    found = [
        numbers.setdefault(columns.indices[start:end].tobytes(), len(numbers)) if start < end else -1 - link
        for link, (start, end) in enumerate(ends)
    ]
    # What nothing crosses is alike to nothing: nobody could name it.
    return np.unique(found, return_inverse=True)[1]


Laid = tuple[csr_array, csr_array, tuple[tuple[str, ...], ...], Numbers]


def lay(paths: Sequence[Path], links: int) -> Laid:
    """Paths as matrix, transposed, in names, and which links they cannot tell apart."""
    matrix, called = crossing(paths, links), names(links)
    columns = matrix.T.tocsr()
    columns.sort_indices()
    return matrix, columns, tuple(tuple(called[link] for link in path) for path in paths), classes(columns)


@cache
def laid(k: int, coverage: int, identifiable: int) -> Laid:
    """A plan, laid: it is the same for all trials."""
    return lay(plan(k, coverage, identifiable), Tree(k).links)


def drop(rows: csr_array, sent: Numbers, shares: dict[int, float], dice: np.random.Generator) -> Numbers:
    """How many packets of each observation are lost where these links lose these shares, and others next to nothing."""
    through = np.log1p(-dice.uniform(0, SOUND, rows.shape[1]))
    for link, share in shares.items():
        through[link] = math.log1p(-share) if share < 1 else -1e9
    return dice.binomial(sent, -np.expm1(rows @ through))


def probed(k: int, planned: tuple[int, int], failed: int, full: bool, seed: int) -> Case:
    """A round of probes by a plan, with `failed` links that lose all or a share of their own."""
    dice = np.random.default_rng([k, *planned, failed, full, seed])
    ways = laid(k, *planned)
    rows = ways[0]
    chosen = dice.choice(rows.shape[1], failed, replace=False).tolist()
    shares = np.exp(dice.uniform(math.log(LEAST_LOST), math.log(MOST_LOST), failed)).tolist()
    sent = np.full(rows.shape[0], SENT)
    lost = drop(
        rows, sent, {link: 1.0 if full else share for link, share in zip(chosen, shares, strict=True)}, dice
    )
    return case(ways, sent, lost, chosen)


def case(ways: Laid, sent: Numbers, lost: Numbers, failed: Sequence[int]) -> Case:
    rows, columns, called, alike = ways
    observations = tuple(
        Observation(id=f"{number}", path=path, sent=some, lost=gone)
        for number, (path, some, gone) in enumerate(zip(called, sent.tolist(), lost.tolist(), strict=True))
    )
    return Case(
        rows=rows,
        columns=columns,
        sent=sent,
        lost=lost,
        failed=frozenset(failed),
        observations=observations,
        alike=alike,
    )


def skewed(share: float, seed: int) -> Case:
    """Passive flows whose paths are known: half of them among 5 % of the racks, sizes by a power law; as in Flock.

    Failed links are between switches and lose the same share.
    """
    tree = Tree(18)
    dice = np.random.default_rng([7, round(share * 1000), seed])
    racks = tree.k * tree.half
    hot = dice.choice(racks, round(0.05 * racks), replace=False)
    ends = np.where(
        dice.random((FLOWS, 1)) < 0.5, dice.choice(hot, (FLOWS, 2)), dice.integers(0, racks, (FLOWS, 2))
    ).tolist()
    turns = dice.integers(0, tree.half, (FLOWS, 4)).tolist()
    paths = [flow_path(tree, *end, *turn) for end, turn in zip(ends, turns, strict=True)]
    sizes = np.minimum(dice.pareto(1.5, FLOWS) + 1, 100)
    sent = np.maximum((sizes * MEAN_PACKETS / sizes.mean()).astype(np.int64), 1)
    chosen = (tree.layer + dice.choice(2 * tree.layer, SKEWED_FAILED, replace=False)).tolist()
    ways = lay(paths, tree.links)
    return case(ways, sent, drop(ways[0], sent, dict.fromkeys(chosen, share), dice), chosen)


def flow_path(tree: Tree, start: int, end: int, out: int, into: int, upper: int, core: int) -> Path:
    """From the rack `start`, server `out`, to the rack `end`, server `into`, no higher than is needed."""
    (pod, edge), (there, other) = divmod(start, tree.half), divmod(end, tree.half)
    ends = (tree.server(pod, edge, out), tree.server(there, other, into))
    if start == end:
        return ends if out != into else ends[:1]
    middle = (tree.lower(pod, edge, upper), tree.lower(there, other, upper))
    if pod == there:
        return (*ends, *middle)
    return (*ends, *middle, tree.higher(pod, upper, core), tree.higher(there, upper, core))


# --- the peers, by the formulas of their papers ---


def cover(
    given: Case, bad: Flags, eligible: Flags, worth: Callable[[Reals, float], Reals], floor: float = 0.0
) -> list[int]:
    """Takes what is worth most while that is more than `floor`; what it explains counts no more.

    `worth` is asked with the unexplained bad observations by link (each counts 1), and how many are left.
    """
    left = bad.copy()
    counts: Reals = given.columns @ left.astype(np.float64)
    named = list[int]()
    while left.any():
        worths = np.where(eligible & (counts > 0.5), worth(counts, float(left.sum())), -np.inf)
        best = int(worths.argmax())
        if not worths[best] > floor:
            break
        named.append(best)
        rows = given.of_link(best)
        rows = rows[left[rows]]
        left[rows] = False
        np.subtract.at(counts, given.of_rows(rows), 1.0)
    return named


def hits(given: Case, bad: Flags) -> Reals:
    crossed = np.diff(given.columns.indptr)
    return np.asarray(given.columns @ bad.astype(np.float64) / np.maximum(crossed, 1))


def lossy(given: Case, least: float) -> Flags:
    return np.asarray(given.lost > least * given.sent)


def score(given: Case, least: float, hit: float) -> list[int]:
    bad = lossy(given, least)
    return cover(given, bad, hits(given, bad) >= hit, lambda counts, _: counts)


def tomo(given: Case, least: float, _: float) -> list[int]:
    bad = lossy(given, least)
    return cover(given, bad, hits(given, bad) > 1 - 1e-9, lambda counts, _: counts)


def pll(given: Case, least: float, hit: float) -> list[int]:
    """deTector's: as Tomo where what is lost is lost wholly, else good paths speak only against a low hit ratio."""
    bad = lossy(given, least)
    wholly = bool((given.lost[bad] == given.sent[bad]).all())
    return cover(given, bad, hits(given, bad) > (1 - 1e-9 if wholly else hit), lambda counts, _: counts)


def votes(given: Case, least: float, share: float) -> list[int]:
    """007: each bad flow has one vote, divided among its links."""
    bad = lossy(given, least)
    part = 1.0 / np.diff(given.rows.indptr)
    left = bad.copy()
    counts: Reals = given.columns @ (left * part)
    whole = float(counts.sum())
    named = list[int]()
    while left.any():
        best = int(counts.argmax())
        if counts[best] < max(share * whole, 1e-9):
            break
        named.append(best)
        rows = given.of_link(best)
        rows = rows[left[rows]]
        left[rows] = False
        np.subtract.at(counts, given.of_rows(rows), np.repeat(part[rows], np.diff(given.rows.indptr)[rows]))
        counts[best] = 0.0
    return named


def ochiai(given: Case, least: float, floor: float) -> list[int]:
    """Spectrum-based: the most similar to what is still unexplained, again and again."""
    bad = lossy(given, least)
    passed: Reals = given.columns @ (~bad).astype(np.float64)
    every = np.ones(len(passed), dtype=bool)
    return cover(
        given, bad, every, lambda counts, left: counts / np.sqrt(left * (counts + passed) + 1e-12), floor
    )


def flock(given: Case, lossy_share: float, prior: float) -> list[int]:
    """Greedy over single flips by log-likelihood; all paths are known here, so that a flow is hit or it is not."""
    sound = SOUND * 3
    ratio = given.lost * math.log(lossy_share / sound) + (given.sent - given.lost) * math.log(
        (1 - lossy_share) / (1 - sound)
    )
    covers = np.zeros(len(ratio), dtype=np.int64)
    gains: Reals = given.columns @ ratio + math.log(prior)
    named = set[int]()
    for _ in range(1000):
        best = int(gains.argmax())
        if gains[best] <= 1e-9:
            break
        rows = given.of_link(best)
        step = -1 if best in named else 1
        named.symmetric_difference_update({best})
        covers[rows] += step
        changed = set(given.of_rows(rows).tolist()) | {best}
        for link in changed:
            mine = given.of_link(link)
            if link in named:
                gains[link] = -float(ratio[mine[covers[mine] == 1]].sum()) - math.log(prior)
            else:
                gains[link] = float(ratio[mine[covers[mine] == 0]].sum()) + math.log(prior)
    return sorted(named)


def netbouncer(given: Case, penalty: float, least: float) -> list[int]:
    """Coordinate descent on the squared error of path success with a penalty for what is neither 0 nor 1."""
    through = 1 - given.lost / given.sent
    candidates = np.unique(given.of_rows(np.flatnonzero(given.lost > 0)))
    if not len(candidates):
        return []
    crossed = {link: given.of_link(link).tolist() for link in candidates.tolist()}
    seen: list[float] = through.tolist()
    success = {link: max(sum(seen[row] for row in mine) / len(mine), 1e-9) for link, mine in crossed.items()}
    # What all links of a path let through together, kept up to date, so that a step needs one division for each path.
    together = [1.0] * len(seen)
    for link, mine in crossed.items():
        for row in mine:
            together[row] *= success[link]
    for _ in range(12):
        most = 0.0
        for link, mine in crossed.items():
            old = success[link]
            first = second = 0.0
            for row in mine:
                rest = together[row] / old
                first += seen[row] * rest
                second += rest * rest
            best = max(minimum(first, second, penalty), 1e-9)
            if abs(best - old) > 1e-9:
                most = max(most, abs(best - old))
                success[link] = best
                for row in mine:
                    together[row] *= best / old
        if most < 1e-4:
            break
    return [link for link in crossed if 1 - success[link] > least]


def minimum(first: float, second: float, penalty: float) -> float:
    """Where -2 first x + second x^2 + penalty x (1 - x) is least in 0..1."""
    curved = second - penalty
    if curved > 1e-12:
        return min(max((2 * first - penalty) / (2 * curved), 0.0), 1.0)
    return 1.0 if second - 2 * first < 0 else 0.0


def ours(given: Case) -> tuple[list[int], list[int]]:
    """The links of the first suspect, and the same with all that the answer says cannot be told apart from them."""
    suspects = localise(given.observations).suspects
    if not suspects:
        return [], []
    first = [int(name.split()[1]) for name in suspects[0].components]
    alike = {int(name.split()[1]) for names in suspects[0].same_evidence for name in names}
    return first, sorted(alike.union(first))


# --- the contenders, each peer with the best of its settings ---

Method = Callable[[Case, float, float], list[int]]
LEAST = (0.0, 0.001, 0.003, 0.006, 0.012, 0.1, 0.5)
PEERS: dict[str, tuple[Method, tuple[float, ...], tuple[float, ...]]] = {
    "SCORE": (score, LEAST, (0.1, 0.25, 0.3, 0.5, 0.6, 0.75, 0.9, 1.0)),
    "Tomo": (tomo, LEAST, (0.0,)),
    "PLL": (pll, LEAST, (0.6,)),
    "007": (votes, LEAST, (0.002, 0.005, 0.01, 0.03)),
    "NetBouncer": (netbouncer, (0.001, 0.01, 0.1, 1.0), (0.0005, 0.001, 0.002, 0.005, 0.1)),
    "Flock": (flock, (0.003, 0.005, 0.01, 0.05, 0.3), (1e-3, 1e-4, 1e-5, 1e-6)),
    "Ochiai": (ochiai, LEAST, (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)),
}
OURS = "Seatrial"
ALIKE = "Seatrial, all alike"
# By scene: what `--tune` found. The first number is the share from which a loss counts as one (for NetBouncer the
# penalty, for Flock the share that a faulty link loses), the second the peer's own threshold.
SETTINGS: dict[str, dict[str, tuple[float, float]]] = {
    "full": {
        "SCORE": (0.006, 0.9),
        "Tomo": (0.006, 0.0),
        "PLL": (0.006, 0.6),
        "007": (0.006, 0.002),
        "NetBouncer": (0.001, 0.005),
        "Flock": (0.003, 1e-4),
        "Ochiai": (0.006, 0.0),
    },
    "partial": {
        "SCORE": (0.003, 0.9),
        "Tomo": (0.003, 0.0),
        "PLL": (0.006, 0.6),
        "007": (0.006, 0.002),
        "NetBouncer": (0.1, 0.0005),
        "Flock": (0.005, 1e-5),
        "Ochiai": (0.006, 0.0),
    },
    "skewed": {
        "SCORE": (0.003, 0.25),
        "Tomo": (0.001, 0.0),
        "PLL": (0.001, 0.6),
        "007": (0.012, 0.01),
        "NetBouncer": (0.1, 0.001),
        "Flock": (0.003, 1e-3),
        "Ochiai": (0.003, 0.05),
    },
}


# --- counting ---


@dataclass(slots=True)
class Count:
    """Links over all trials of a point: how many had failed, were named, and were named rightly."""

    failed: int = 0
    named: int = 0
    right: float = 0.0
    wall: float = 0.0
    cpu: float = 0.0

    @contextmanager
    def timed(self) -> Iterator[None]:
        began, used = time.perf_counter(), time.process_time()
        yield
        self.wall = max(self.wall, time.perf_counter() - began)
        self.cpu = max(self.cpu, time.process_time() - used)

    def add(self, named: Sequence[int], given: Case) -> None:
        self.failed += len(given.failed)
        self.named += len(set(named))
        self.right += given.right(named)

    @property
    def accuracy(self) -> float:
        """The share of failed links that were named, in per cent: deTector's accuracy, and recall."""
        return 100 * self.right / max(self.failed, 1)

    @property
    def wrong(self) -> float:
        """The share of named links that had not failed, in per cent: deTector's false positives, 1 - precision."""
        return 100 * (self.named - self.right) / max(self.named, 1)

    @property
    def f1(self) -> float:
        return 2 * self.right / max(self.failed + self.named, 1)


# --- the tables ---


def trials(failed: int, least: int) -> int:
    """As many as give `least` failed links, and a few at least, so that a point is no single trial's luck."""
    return max(-(-least // failed), 8 if least >= 100 else 2)


Point = tuple[str, tuple[int, int], int, int]


def point(asked: tuple[Point, int]) -> dict[str, Count]:
    """All methods on the same cases of one point: the scene, the plan, how many failed (or lose), and the trials."""
    (scene, planned, failed, k), least = asked
    counts = {name: Count() for name in (*PEERS, OURS, ALIKE)}
    if scene == "skewed":
        cases = (skewed(failed / 1000, seed) for seed in range(least))
        settings = SETTINGS["skewed"]
    else:
        cases = (probed(k, planned, failed, scene == "full", seed) for seed in range(trials(failed, least)))
        settings = SETTINGS[scene]
    for one in cases:
        for name, (method, _, _) in PEERS.items():
            with counts[name].timed():
                named = method(one, *settings[name])
            counts[name].add(named, one)
        with counts[OURS].timed():
            first, alike = ours(one)
        counts[OURS].add(first, one)
        counts[ALIKE].add(alike, one)
    counts[ALIKE].wall, counts[ALIKE].cpu = counts[OURS].wall, counts[OURS].cpu
    return counts


def row(label: str, figures: dict[str, str]) -> str:
    return f"| {label} | " + " | ".join(figures[name] for name in (*PEERS, OURS, ALIKE)) + " |"


def head(label: str) -> list[str]:
    columns = [label, *PEERS, OURS, ALIKE]
    return ["", f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]


def shown(scene: str, counts: dict[str, Count]) -> dict[str, str]:
    if scene == "skewed":
        return {name: f"{1 - one.wrong / 100:.3f}/{one.accuracy / 100:.3f}" for name, one in counts.items()}
    return {name: f"{one.accuracy:.1f}/{one.wrong:.1f}" for name, one in counts.items()}


def report(results: dict[Point, dict[str, Count]]) -> Iterator[str]:
    for scene, k in dict.fromkeys((scene, k) for scene, _, _, k in results):
        points = {one: counts for one, counts in results.items() if one[0] == scene and one[3] == k}
        if scene == "skewed":
            yield "\nPrecision/recall, skewed traffic, 18-ary tree, by the loss of each failed link"
            yield from head("loss")
        else:
            yield f"\nAccuracy/false positives in %, {k}-ary tree ({Tree(k).links:,} links), {scene} loss"
            yield from head("plan: probes | failed")
        for (_, planned, failed, _), counts in points.items():
            label = f"{failed / 10:.1f} %"
            if scene != "skewed":
                label = f"({planned[0]},{planned[1]}): {len(plan(k, *planned)):,} | {failed}"
            yield row(label, shown(scene, counts))
    yield "\nSlowest localisation in the 48-ary tree, wall/CPU seconds"
    yield from head("loss | failed")
    for (scene, _, failed, k), counts in results.items():
        if k == 48:
            yield row(
                f"{scene} | {failed}", {name: f"{one.wall:.2f}/{one.cpu:.2f}" for name, one in counts.items()}
            )


def behind(results: dict[Point, dict[str, Count]], mine: str) -> list[str]:
    """The points where a peer has the higher F1, by which the peers' settings were chosen as well."""
    found = []
    for one, counts in results.items():
        best = max(PEERS, key=lambda name: round(counts[name].f1, 4))
        if round(counts[best].f1, 4) > round(counts[mine].f1, 4):
            shown = (f"{name} {counts[name].accuracy:.1f}/{counts[name].wrong:.1f}" for name in (best, mine))
            found.append(f"    {one}: {', '.join(shown)}")
    return found


def asked_for(quick: bool) -> list[tuple[Point, int]]:
    """The points of the tables, and how many failed links (or trials, with skewed traffic) each is measured on."""
    wanted: list[tuple[Point, int]] = []
    for scene, planned, failed in itertools.product(("full", "partial"), PLANS, FAILED):
        certain = planned == (1, 2)
        wanted.append(
            ((scene, planned, failed, 18), (100 if certain else 20) if quick else (300 if certain else 100))
        )
    wanted += [(("skewed", (0, 0), round(1000 * share), 18), 2 if quick else 30) for share in SKEWED_LOSSES]
    return wanted


def large(quick: bool) -> list[tuple[Point, int]]:
    return [
        ((scene, planned, failed, 48), 1 if quick else 10)
        for scene, planned, failed in itertools.product(("full", "partial"), ((1, 1), (1, 2)), FAILED)
        if not quick or planned == (1, 2)
    ]


def tune(scene: str) -> None:
    """The settings of each peer with the best F1 in a scene, on seeds that the tables do not use."""
    cases = list(tuning(scene))
    for name, (method, firsts, seconds) in PEERS.items():
        found = list[tuple[float, int, tuple[float, float]]]()
        for first, second in itertools.product(firsts, seconds):
            counted = Count()
            for one in cases:
                counted.add(method(one, first, second), one)
            found.append((round(counted.f1, 4), -len(found), (first, second)))
        best = max(found)
        print(f"{scene} {name}: {best[2]} F1 {best[0]}", flush=True)


def tuning(scene: str) -> Iterator[Case]:
    if scene == "skewed":
        for share, seed in itertools.product((0.002, 0.004, 0.01), range(4)):
            yield skewed(share, 10_000 + seed)
    else:
        for failed, seed in itertools.product((1, 10, 20, 50), range(6)):
            yield probed(18, (1, 2), failed, scene == "full", 10_000 + seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer trials: about a minute")
    parser.add_argument("--tune", choices=("full", "partial", "skewed"), help="find the peers' best settings")
    chosen = parser.parse_args()
    if chosen.tune:
        tune(chosen.tune)
        return
    for planned in PLANS:
        # A plan that does not keep its word would spoil every figure below it.
        assert identifiability(Tree(18), plan(18, *planned)) >= planned[1]
    with multiprocessing.Pool(2) as pool:
        # Whatever takes longest begins first; the order of the tables does not depend on it.
        wanted = [*large(chosen.quick), *reversed(asked_for(chosen.quick))]
        measured = dict(zip([one for one, _ in wanted], pool.map(point, wanted, chunksize=1), strict=True))
    ordered = [one for one, _ in (*asked_for(chosen.quick), *large(chosen.quick))]
    results = {one: measured[one] for one in ordered}
    print("\n".join(report(results)))
    for mine in (OURS, ALIKE):
        print(
            f"\nPoints where a peer has a higher F1 than {mine}:",
            *(behind(results, mine) or ["none"]),
            sep="\n",
        )


if __name__ == "__main__":
    main()
