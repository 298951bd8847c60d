"""Searches for the first bad version on paper, beside two peers.

What is in: for each number of versions and each pair of error rates, --searches random searches by our rules and by those
of the peers, on the same faults: the share that named the right version, and boots. "majority" is what `git bisect run`
does with a script that takes the majority of three boots; it tries neither end. git_bayesect (1.2, PyPI) learns the rates
as we do and is asked until it is as sure; it runs in the environment of the peers ($PEERS), with a tenth of the searches,
since it is slower. What is not: kernels.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from seatrial.bisect.search import Ending, Rules, Tally, Try, next_step

REPEATS = 3
RATES = ((0.0, 0.0), (0.05, 0.05), (0.0, 0.2), (0.2, 0.0), (0.2, 0.2), (0.3, 0.3))
Test = Callable[[int], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What a rule came to over all searches; `most` is the longest one in boots."""

    right: float
    wrong: float
    boots: float
    most: int


def ours(last: int, fails: Test, rules: Rules) -> tuple[int | None, int]:
    """The place that is named, None for none, and how many boots that took."""
    tallies = [Tally() for _ in range(last + 1)]
    boots = 0
    while isinstance(step := next_step(tallies, rules), Try):
        boots += 1
        before, failed = tallies[step.place], fails(step.place)
        tallies[step.place] = Tally(failed=before.failed + failed, passed=before.passed + (not failed))
    return (step.first if step.ending is Ending.FOUND else None), boots


def peers(last: int, fails: Test, rules: Rules) -> tuple[int | None, int]:
    """Halve what is left by the majority of three."""
    good, bad, boots = 0, last, 0
    while bad - good > 1:
        middle = (good + bad) // 2
        failed = sum(fails(middle) for _ in range(REPEATS))
        boots += REPEATS
        good, bad = (good, middle) if 2 * failed > REPEATS else (middle, bad)
    return bad, boots


def score(
    rule: Callable[[int, Test, Rules], tuple[int | None, int]],
    last: int,
    rates: tuple[float, float],
    searches: int,
) -> Score:
    """That many searches of one rule; the same faults for every rule."""
    right = wrong = boots = most = 0
    for number in range(searches):
        dice = random.Random(number)
        first_bad = dice.randint(1, last)

        def fails(place: int, dice: random.Random = dice, first_bad: int = first_bad) -> bool:
            return dice.random() >= rates[1] if place >= first_bad else dice.random() < rates[0]

        named, took = rule(last, fails, Rules())
        right += named == first_bad
        wrong += named is not None and named != first_bad
        boots += took
        most = max(most, took)
    return Score(right=right / searches, wrong=wrong / searches, boots=boots / searches, most=most)


def bayesect(last: int, rates: tuple[float, float], searches: int) -> str:
    """The two cells of git_bayesect."""
    row = {
        "last": last,
        "rates": rates,
        "searches": max(searches // 10, 1),
        "confidence": Rules().confidence,
        "most": Rules().most_boots,
    }
    peers = os.environ.get("PEERS", sys.executable)
    argv = [peers, str(Path(__file__).with_name("bayesect.py"))]
    ended = subprocess.run(argv, input=json.dumps(row), capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        return "not installed | "
    said = json.loads(ended.stdout)
    return f"{said['right']:.1%} | {said['boots']:.1f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--searches", type=int, default=10_000)
    given = parser.parse_args()
    print(
        f"{given.searches} searches a row, {max(given.searches // 10, 1)} of git_bayesect; "
        f"confidence {Rules().confidence:.0%}, rates up to {Rules().flaky:.0%}\n"
    )
    print(
        "| versions | fails on good | passes on bad | Seatrial: right | wrong | boots (most) "
        "| majority: right | boots | git_bayesect: right | boots |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|", flush=True)
    for last in (9, 40):
        for rates in RATES:
            mine, other = (score(rule, last, rates, given.searches) for rule in (ours, peers))
            print(
                f"| {last + 1} | {rates[0]:.0%} | {rates[1]:.0%} | {mine.right:.1%} | {mine.wrong:.1%} "
                f"| {mine.boots:.1f} ({mine.most}) | {other.right:.1%} | {other.boots:.1f} | {bayesect(last, rates, given.searches)} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
