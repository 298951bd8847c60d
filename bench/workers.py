"""Prints how a rollout over 200 simulated hosts ends when its three workers on one Postgres are killed at random 50 times.

python bench/workers.py [--hosts 200] [--kills 50]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.engine.many import Many  # noqa: E402 - the checkout has to be on the path first


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--hosts", type=int, default=200)
    words.add_argument("--kills", type=int, default=50)
    words.add_argument("--seed", type=int, default=1)
    given = words.parse_args()
    bad = tuple(f"h{number:03d}" for number in range(7, given.hosts, 50))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        many = Many(folder=Path(folder), hosts=given.hosts, bad=bad)
        try:
            done = many.run(given.kills, seed=given.seed)
        finally:
            many.close()
    ended = Counter(str(trial.state) for trial in done.state.trials.values())
    twice = {host: times for host, times in done.audit.ended.items() if times != 1}
    reboots = Counter(
        boots - 1 for host, (_, _, boots) in done.hosts.items() if done.state.trials[host].state == "blessed"
    )
    print(
        "| hosts | workers | killed | ended | ended twice | reboots of a blessed host | broken promises | most at once | s |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    print(
        f"| {given.hosts} | {many.workers} | {done.killed} | {', '.join(f'{n} {s}' for s, n in ended.items())} |"
        f" {len(twice)} | {', '.join(f'{n} x {b}' for b, n in reboots.items())} | {len(done.audit.broken)} |"
        f" {done.audit.most_at_once} | {done.seconds:.0f} |"
    )
    for line in done.audit.broken[:10]:
        print(line)
    for trial in done.state.trials.values():
        if trial.state != "blessed" and trial.host not in bad:
            print(f"{trial.host} {trial.state}: {trial.cause or trial.because}")


if __name__ == "__main__":
    main()
