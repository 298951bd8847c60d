"""Prints what ten thousand random schedules of faults and wishes came to, and the shortest that breaks a promise, if any.

    python bench/schedules.py [--schedules 10000] [--seed 1]

Each is a rollout over eight simulated hosts, walked through by a state machine of hypothesis (tests/engine/machine.py).
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.engine.machine import TOLD, Schedule  # noqa: E402 - the checkout has to be on the path first


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--schedules", type=int, default=10000)
    words.add_argument("--steps", type=int, default=20)
    words.add_argument("--seed", type=int, default=1)
    given = words.parse_args()
    began, broken = time.monotonic(), ""
    wanted = settings(
        max_examples=given.schedules,
        stateful_step_count=given.steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(seed(given.seed)(Schedule), settings=wanted)
    except Exception as error:
        broken = "".join(traceback.format_exception_only(error))
    used = resource.getrusage(resource.RUSAGE_SELF)
    print("| | |")
    print("|---|---|")
    print(f"| schedules | {TOLD.schedules}, of up to {given.steps} steps, seed {given.seed} |")
    print(f"| events | {TOLD.events} |")
    print(f"| faults | {TOLD.faults.total()}: {told(TOLD.faults)} |")
    print(f"| wishes | {TOLD.wishes.total()}: {told(TOLD.wishes)} |")
    print(f"| rollouts | {told(TOLD.rollouts)} |")
    print(f"| trials | {told(TOLD.trials)} |")
    print(f"| broken promises | {'the shortest is below' if broken else 0} |")
    print(f"| took | {time.monotonic() - began:.0f} s, {used.ru_utime + used.ru_stime:.0f} of CPU |")
    if broken:
        print(f"\n{broken}")
    return 1 if broken else 0


def told(some: Counter[str]) -> str:
    return ", ".join(f"{number} {name}" for name, number in some.most_common())


if __name__ == "__main__":
    sys.exit(main())
