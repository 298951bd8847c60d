"""Prints how long `seatrial rehearse` takes from 100 hosts to 10,000, with one host in a hundred going wrong.

    python bench/rehearse.py [--hosts 100 300 1000 3000 10000]

Each row is the verb in a process of its own; `CPU s` is what it used. `forecast CPU s` is what `seatrial plan` uses to say
how long all of it takes, where no journal knows how long a trial does.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from seatrial.fleetfile import parse
from seatrial.rollout.forecast import forecast
from seatrial.rollout.lengths import Lengths

ROOT = Path(__file__).parents[1]
FAULTS = """seed: 7
faults:
  - {kind: comes-back-late, percent: 0.3, late: 5m}
  - {kind: wrong-kernel, percent: 0.2}
  - {kind: answers-lost, percent: 0.2}
  - {kind: panic, percent: 0.3}
  - {kind: controller-killed, at: [10m, 1h]}
"""


def spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--hosts", type=int, nargs="+", default=[100, 300, 1000, 3000, 10000])
    given = words.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(
        "| hosts | groups | events | ends | blessed | broken promises | s | CPU s | CPU ms a host | MiB | forecast CPU s |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        faults = Path(folder) / "faults.yaml"
        faults.write_text(FAULTS)
        for hosts in given.hosts:
            row(Path(folder) / "fleet.yaml", faults, hosts)


def row(fleet: Path, faults: Path, hosts: int) -> None:
    groups = max(2, hosts // 50)
    make = [
        sys.executable,
        str(ROOT / "tools/make_fleet.py"),
        "--hosts",
        str(hosts),
        "--groups",
        str(groups),
        str(fleet),
    ]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
    before = spent()
    argv = [sys.executable, "-m", "seatrial", "rehearse", "-f", str(fleet), "--faults", str(faults), "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    said = subprocess.run(
        [*argv, "--begin", "2026-01-05T09:00"], capture_output=True, text=True, env=environment, check=False
    )
    cpu = spent() - before
    told = json.loads(said.stdout)
    blessed = sum(trial["state"] == "blessed" for trial in told["trials"])
    print(
        f"| {hosts} | {groups} | {told['events']} | {told['outcome']} | {blessed} | {len(told['broken'])} |"
        f" {told['seconds']:.1f} | {cpu:.1f} | {1000 * cpu / hosts:.1f} | {told['memory_mib']} |"
        f" {ahead(fleet):.1f} |",
        flush=True,
    )


def ahead(file: Path) -> float:
    fleet = parse(file.read_text(), filename=str(file))
    before = time.process_time()
    forecast(
        fleet,
        Lengths(fleet=fleet, past=()),
        hosts=tuple(fleet.hosts),
        begin=datetime(2026, 1, 5, 9, tzinfo=UTC),
        explain=tuple(fleet.hosts)[-1],
    )
    return time.process_time() - before


if __name__ == "__main__":
    main()
