"""The search among many components: greedy, with the gain of every single flip kept by increments.

What is in: the same model and score as in few.py, on arrays, for networks of up to a hundred thousand links. What is
not in: numpy for anybody else; this module alone imports it, so that small cases and `--help` do not wait for it.

The greedy search with all single flips kept incrementally is Flock's (Harsh et al. 2023). Here each fault has a share
of its own, what sound paths lose is learnt from the observations that lose next to nothing, and faults are exchanged until nothing is
better, because the first that greed takes may be a link that merely lies between the faulty ones. What share further
faults lose is expected to be like what those lose that were found.

Shapes: R observations, C classes of components, G shares, E pairs of a class and an observation that it crosses. What
a share does to an observation is the same for every class that all of its ways cross, so it is computed once for each
observation and once for each pair where only some ways are crossed: these are the cells.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seatrial.diagnose.evidence import LEAST_PROBABLE, MOST_SUSPECTS, OUTLIER, PRIOR, Evidence, Faults, Ranked

Reals = NDArray[np.float64]
Numbers = NDArray[np.int64]

LOW = (0.001, 0.002, 0.004, 0.006, 0.01, 0.015, 0.02, 0.03, 0.05, 0.08)
HIGH = (0.12, 0.16, *(part / 20 for part in range(4, 19)), 0.94, 0.97, 0.99, 0.999)
# Close together where many are lost: between two that lie far apart, a second fault that is none would mend the fit.
SHARES: Reals = np.array((*LOW, *HIGH))
PRICE = math.log(19)  # about as many shares as a few hundred packets tell apart
LIKE = math.log(
    2
)  # shares within a factor of about two are held to resemble each other, until several are known
LEAST_WIDTH = 0.25
BOOST = 8.0  # how much more is expected of a share for each fault found that loses such a share
MOST_FAULTS = 1000
MOST_SWEEPS = 6
MOST_ROUNDS = 4
USUAL_ODDS = math.log(PRIOR / (1 - PRIOR))
ENOUGH = 1e-6  # a change of score below this is rounding


def rank(evidence: Evidence) -> Ranked:
    """Sets of faults, as numbers of `evidence.alike`, with their probabilities in 0..1, the best first; [] for none."""
    if not evidence.alike:
        return []
    search = _Search(_Table(evidence), evidence.noise)
    search.climb()
    for _ in range(MOST_ROUNDS):
        if not search.cheapen():
            break
        search.climb()
    return search.ranked()


class _Table:
    """The evidence as arrays: which cells make up the gain of which class."""

    def __init__(self, evidence: Evidence) -> None:
        used = sorted({number for one in evidence.alike for number in one.seen})
        row_of = {number: row for row, number in enumerate(used)}
        seen = [evidence.seen[number] for number in used]
        self.sent: Reals = np.array([one.sent for one in seen], dtype=np.float64)
        self.lost: Reals = np.clip(np.array([one.lost for one in seen], dtype=np.float64), 0, self.sent)
        self.odds: Reals = np.array([one.odds for one in evidence.alike])
        self.usual = np.array([one.usual for one in evidence.alike])
        ways: Numbers = np.array([evidence.ways[number] for number in used], dtype=np.int64)
        self.first_lane: Numbers = np.concatenate(([0], np.cumsum(ways)))
        self.lane_row: Numbers = np.repeat(np.arange(len(used)), ways)
        self.weight: Reals = 1.0 / ways[self.lane_row]
        self._cells(evidence, row_of, ways.tolist())
        self.anything = _beta(self.lost, self.sent)

    def _cells(self, evidence: Evidence, row_of: dict[int, int], ways: list[int]) -> None:
        rows, cells, starts = list[int](), list[int](), list[int]()
        partial_row, partial_lanes, partial_of = list[int](), list[list[int]](), list[list[int]]()
        for one in evidence.alike:
            starts.append(len(rows))
            mine = list[int]()
            for number, crossed in one.seen.items():
                row = row_of[number]
                rows.append(row)
                if len(crossed) == ways[row]:
                    cells.append(row)
                    continue
                cells.append(len(row_of) + len(partial_row))
                mine.append(len(partial_row))
                partial_row.append(row)
                partial_lanes.append([int(self.first_lane[row]) + way for way in sorted(crossed)])
            partial_of.append(mine)
        self.starts: Numbers = np.array([*starts, len(rows)], dtype=np.int64)
        self.row: Numbers = np.array(rows, dtype=np.int64)
        self.cell: Numbers = np.array(cells, dtype=np.int64)
        self.column: Numbers = np.repeat(np.arange(len(starts)), np.diff(self.starts))
        self.by_row: Numbers = np.argsort(self.row, kind="stable")
        self.row_starts: Numbers = np.searchsorted(self.row[self.by_row], np.arange(len(row_of) + 1))
        self.cell_row: Numbers = np.concatenate(
            (np.arange(len(row_of)), np.array(partial_row, dtype=np.int64))
        )
        self.partial_of = partial_of
        self.partial_lane: Numbers = np.array(
            [lane for lanes in partial_lanes for lane in lanes], dtype=np.int64
        )
        self.partial_starts: Numbers = np.cumsum([0, *(len(lanes) for lanes in partial_lanes)])

    def of(self, fault: int) -> slice:
        """The pairs of a class."""
        return slice(int(self.starts[fault]), int(self.starts[fault + 1]))

    def lanes(self, fault: int) -> Numbers:
        """The ways, of all observations, that a class is crossed by."""
        here = self.of(fault)
        whole = self.row[here][self.cell[here] < len(self.sent)]
        parts = [np.arange(self.first_lane[row], self.first_lane[row + 1]) for row in whole]
        for number in self.partial_of[fault]:
            parts.append(self.partial_lane[self.partial_starts[number] : self.partial_starts[number + 1]])
        return np.concatenate(parts)


class _Search:
    """A set of faults with the share of each, and what every single flip of it would gain."""

    def __init__(self, table: _Table, noise: float) -> None:
        self.table = table
        self.noise = noise
        self.price: Reals = np.repeat((table.odds - PRICE)[:, None], len(SHARES), axis=1)
        self.faults: dict[int, int] = {}
        self.lane: Reals = np.ones(len(table.lane_row))
        self.through: Reals = np.ones(len(table.sent))
        cells = np.arange(len(table.cell_row))
        self.terms = self._terms(cells)
        self.gain: Reals = np.add.reduceat(self.terms[table.cell], table.starts[:-1], axis=0)
        self.best: Reals = (self.gain + self.price).max(axis=1)

    def _terms(self, cells: Numbers) -> Reals:
        """What each share would add to the log-likelihood of each cell's observation: shape (cells, G)."""
        table = self.table
        rows = table.cell_row[cells]
        crossed = self.through[rows]
        for place in np.flatnonzero(cells >= len(table.sent)):
            number = int(cells[place]) - len(table.sent)
            lanes = table.partial_lane[table.partial_starts[number] : table.partial_starts[number + 1]]
            crossed[place] = (self.lane[lanes] * table.weight[lanes]).sum()
        through = self.through[rows]
        now = self._fit(rows, through[:, None])
        return self._fit(rows, through[:, None] - crossed[:, None] * SHARES) - now

    def _fit(self, rows: Numbers, through: Reals) -> Reals:
        """evidence.fit on arrays: `through` is the share that faults let through, shape (rows, any)."""
        sent, lost = self.table.sent[rows][:, None], self.table.lost[rows][:, None]
        passing = np.clip(through, 1e-12, 1.0) * (1 - self.noise)
        expected = lost * np.log1p(-passing) + (sent - lost) * np.log(passing)
        anything = self.table.anything[rows][:, None] + math.log(OUTLIER)
        excused = np.logaddexp(expected + math.log(1 - OUTLIER), anything)
        return np.where(lost >= (1 - passing) * sent, expected, excused)

    def flip(self, fault: int, share: int | None) -> None:
        """Give a class the share of that number, or none; all gains that this changes are brought up to date."""
        table = self.table
        lanes = table.lanes(fault)
        if fault in self.faults:
            self.lane[lanes] /= 1 - SHARES[self.faults.pop(fault)]
        if share is not None:
            self.lane[lanes] *= 1 - SHARES[share]
            self.faults[fault] = share
        rows = np.unique(table.row[table.of(fault)])
        for row in rows:
            here = slice(int(table.first_lane[row]), int(table.first_lane[row + 1]))
            self.through[row] = float((self.lane[here] * table.weight[here]).sum())
        pairs = np.concatenate(
            [table.by_row[table.row_starts[row] : table.row_starts[row + 1]] for row in rows]
        )
        cells, place = np.unique(table.cell[pairs], return_inverse=True)
        fresh = self._terms(cells)
        change = fresh - self.terms[cells]
        self.terms[cells] = fresh
        columns, where = np.unique(table.column[pairs], return_inverse=True)
        sums = np.zeros((len(columns), len(SHARES)))
        np.add.at(sums, where, change[place])
        self.gain[columns] += sums
        self.best[columns] = (self.gain[columns] + self.price[columns]).max(axis=1)
        self.best[list(self.faults)] = -np.inf

    def climb(self) -> None:
        """Add what pays most while anything pays, then exchange or drop faults until that gains nothing."""
        self._add()
        for _ in range(MOST_SWEEPS):
            exchanged = [self._exchange(fault) for fault in list(self.faults)]
            if not any(exchanged):
                return
            self._add()

    def cheapen(self) -> bool:
        """Expect more faults like those that were found, and say whether that changes any price.

        The faults of one outage resemble each other. Where ten links lose everything, an eleventh that seems to lose
        one packet of 300 is most probably chance; where five lose one packet of 300, a sixth that seems to is most
        probably faulty as well. Nothing becomes more probable than PRIOR by this.
        """
        usual = self.table.usual & (self.table.odds < USUAL_ODDS)
        found = np.log(SHARES[list(self.faults.values())])
        width = _width(found)
        like = np.exp(-(((np.log(SHARES)[:, None] - found) / width) ** 2) / 2).sum(axis=1) * LIKE / width
        plain = self.table.odds[:, None] - PRICE
        raised = np.minimum(plain + np.log1p(BOOST * like), USUAL_ODDS)
        price = np.where(usual[:, None], raised, plain)
        if np.abs(price - self.price).max() < ENOUGH:
            return False
        self.price = price
        self.best = (self.gain + price).max(axis=1)
        self.best[list(self.faults)] = -np.inf
        return True

    def _add(self) -> None:
        while len(self.faults) < MOST_FAULTS:
            first = int(self.best.argmax())
            if not self.best[first] > ENOUGH:
                return
            self.flip(first, self._share(first))

    def _share(self, fault: int) -> int:
        return int((self.gain[fault] + self.price[fault]).argmax())

    def _exchange(self, fault: int) -> bool:
        """Put the best in the place of a fault: itself, with a share that fits the others better, or another or none."""
        share = self.faults[fault]
        self.flip(fault, None)
        was = float(self.gain[fault, share] + self.price[fault, share])
        first = int(self.best.argmax())
        if self.best[first] <= max(was, 0.0) + ENOUGH:
            if was > 0:
                self.flip(fault, share)
            return was <= 0
        self.flip(first, self._share(first))
        return True

    def ranked(self) -> Ranked:
        """The best set beside what it is most easily mistaken for: sets with one fault exchanged, less or more.

        Probabilities are shares of all the sets that were looked at.
        """
        if not self.faults:
            return []
        mine = tuple(sorted(self.faults))
        found: list[tuple[float, Faults]] = [(0.0, mine)]
        whole = 1.0 + self._beside(mine, self.best, 0.0, found)
        for fault in mine:
            share = self.faults[fault]
            self.flip(fault, None)
            others = tuple(one for one in mine if one != fault)
            was = float(self.gain[fault, share] + self.price[fault, share])
            self.best[fault] = -np.inf
            whole += math.exp(-was) + self._beside(others, self.best, was, found)
            if others:
                found.append((-was, others))
            self.flip(fault, share)
        found.sort(key=lambda one: (-round(one[0], 9), one[1] != mine, len(one[1]), one[1]))
        likely = [(faults, math.exp(score) / whole) for score, faults in found[:MOST_SUSPECTS]]
        return [likely[0], *(one for one in likely[1:] if one[1] >= LEAST_PROBABLE)]

    @staticmethod
    def _beside(faults: Sequence[int], values: Reals, was: float, found: list[tuple[float, Faults]]) -> float:
        """Notes the best sets of `faults` and one more, and returns the weight of all such sets."""
        scores = values - was
        for one in np.argsort(-scores, kind="stable")[:MOST_SUSPECTS].tolist():
            if scores[one] > math.log(LEAST_PROBABLE):
                found.append((float(scores[one]), tuple(sorted((*faults, one)))))
        return float(np.exp(np.minimum(scores, 0.0)).sum())


def _width(logs: Reals) -> float:
    """How far around a share that was found others are expected, in logarithms: Silverman's rule of 1986.

    As long as few are known they are held to spread as LIKE says.
    """
    spread = float(np.square(logs - logs.mean()).sum()) if len(logs) else 0.0
    deviation = math.sqrt((spread + LIKE**2) / max(len(logs), 1))
    return float(max(1.06 * deviation * max(len(logs), 1) ** -0.2, LEAST_WIDTH))


def _beta(lost: Reals, sent: Reals) -> Reals:
    """The log-likelihood of a loss where every share is as likely as any other; shape (R,)."""
    pairs, place = np.unique(np.stack((lost, sent)), axis=1, return_inverse=True)
    known = [
        math.lgamma(some + 1) + math.lgamma(all_ - some + 1) - math.lgamma(all_ + 2) for some, all_ in pairs.T
    ]
    return np.array(known)[np.reshape(place, -1)]
