"""Searches on paper: a test that is wrong at given rates, asked until the rules have an answer."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from dataclasses import dataclass

from seatrial.bisect.search import Answer, Rules, Tally, Try, next_step

Test = Callable[[int], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """The answer, what each version's boots came to, and the places in the order in which they were tried."""

    answer: Answer
    tallies: tuple[Tally, ...]
    tried: tuple[int, ...]


def fails_from(first_bad: int, dice: random.Random, *, wrong_fails: float, wrong_passes: float) -> Test:
    """A test that fails from `first_bad` on, and errs at those rates."""

    def fails(place: int) -> bool:
        return dice.random() >= wrong_passes if place >= first_bad else dice.random() < wrong_fails

    return fails


def search(last: int, fails: Test, *, rules: Rules | None = None, dead: Collection[int] = ()) -> Searched:
    """Search places 0 to `last`; those in `dead` would not boot."""
    rules = rules or Rules()
    tallies = [Tally() for _ in range(last + 1)]
    tried: list[int] = []
    while isinstance(step := next_step(tallies, rules), Try):
        tried.append(step.place)
        before = tallies[step.place]
        if step.place in dead:
            tallies[step.place] = Tally(skipped=True)
        elif fails(step.place):
            tallies[step.place] = Tally(failed=before.failed + 1, passed=before.passed)
        else:
            tallies[step.place] = Tally(failed=before.failed, passed=before.passed + 1)
    return Searched(answer=step, tallies=tuple(tallies), tried=tuple(tried))
