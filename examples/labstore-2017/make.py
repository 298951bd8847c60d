"""The load of 2017-06-27 to 30 as the incident report tells it, made up: it prints load.csv, the same each time.

Below 5 on the good kernel for days; 20 to 25 on the candidate from the failover on, less spiky behind the change of the
I/O scheduler and no better; below 5 again behind the failback to the good kernel.
"""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime

STEP = 300
BEGIN, FAILOVER, SCHEDULER, FAILBACK, END = (
    int(datetime.fromisoformat(f"2017-06-{text}:00").replace(tzinfo=UTC).timestamp())
    for text in ("27T12:00", "29T15:36", "29T22:16", "30T01:23", "30T06:00")
)


def main() -> None:
    """Print the samples."""
    dice = random.Random(20170629)  # noqa: S311 - a story, no secret
    slow = 0.0
    print("series,arm,t,value")
    for t in range(BEGIN, END, STEP):
        slow = 0.6 * slow + dice.gauss(0, 1)
        day = math.sin(2 * math.pi * (t % 86400) / 86400 - 2.4)
        arm = "candidate" if FAILOVER <= t < FAILBACK else "good"
        if arm == "good":
            load, waiting = 2.6 + 0.7 * day + 0.3 * slow, 1.2 + 0.4 * dice.random()
        else:
            # It was high soon after the failover, and behind the scheduler's change less spiky for a while.
            warm = min(1.0, (t - FAILOVER + 300) / 900)
            spike = dice.expovariate(1 / 4.0) if t < SCHEDULER else dice.expovariate(1 / 1.5)
            trend = -2.5 * max(0.0, min(1.0, (t - SCHEDULER) / 5400)) + 5 * max(
                0.0, (t - SCHEDULER - 6000) / 5400
            )
            load = 3 + warm * (16.5 + spike + 1.2 * slow + trend)
            waiting = 2 + warm * (11 + 0.6 * spike + 1.5 * dice.random() + 0.5 * trend)
        print(f"load.5,{arm},{t},{max(0.2, load):.2f}")
        print(f"waiting.nfsd,{arm},{t},{max(0.1, waiting):.2f}")


if __name__ == "__main__":
    main()
