"""git_bayesect's own search on the faults of bench/bisection.py, in the environment of the peers; no verb of its own.

What is in: reading rows from standard input ({"last", "rates", "searches", "confidence", "most"}), and for each the share
of right answers and the mean number of boots as a JSON line. It knows that its oldest version is good, and is asked until
one version has the wanted confidence. What is not: anything of Seatrial, which is not installed there.
"""

from __future__ import annotations

import json
import random
import sys
from typing import Any

import numpy as np


def search(row: dict[str, Any], number: int) -> tuple[bool, int]:
    """Whether the right one was named, and how many boots that took."""
    from git_bayesect import Bisector  # type: ignore[import-not-found]

    last, (wrong_fails, wrong_passes) = row["last"], row["rates"]
    dice = random.Random(number)
    first_bad = dice.randint(1, last)
    # Its first place is the newest version, and the oldest one is not a candidate.
    prior = np.ones(last + 1)
    prior[last] = 0.0
    bisector = Bisector(prior)
    boots = 0
    while boots < row["most"] and bisector.distribution.max() < row["confidence"]:
        place = last - bisector.select()
        failed = dice.random() >= wrong_passes if place >= first_bad else dice.random() < wrong_fails
        bisector.record(last - place, failed)
        boots += 1
    return last - int(bisector.distribution.argmax()) == first_bad, boots


def main() -> None:
    """A line for each row."""
    # A candidate of no weight makes it take the logarithm of zero, which it means to.
    np.seterr(all="ignore")
    for line in sys.stdin:
        row = json.loads(line)
        ended = [search(row, number) for number in range(row["searches"])]
        right, boots = (sum(values) / len(ended) for values in zip(*ended, strict=True))
        print(json.dumps({"right": right, "boots": boots}), flush=True)


if __name__ == "__main__":
    main()
