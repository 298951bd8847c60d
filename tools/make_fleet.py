"""Writes a fleet of any size, for rehearsals: hosts in groups, racks and sites, two stages, budgets and waves.

    python tools/make_fleet.py --hosts 10000 --groups 200 FILE

What is not in: anything that would be asked for real; every place is simulated.
"""

from __future__ import annotations

import argparse
from pathlib import Path

HEAD = """version: 1
name: made-{hosts}
# {hosts} hosts in {groups} groups, written by `make fleet-10k`
stages:
  - {{name: staging}}
  - {{name: production}}
rollout:
  canaries: {canaries}
  waves: [{waves}]
  at_once: {at_once}
  max_failed: {max_failed}
  survey: 30m
  budgets:
    - {{per: rack, percent: 10}}
    - {{per: site, percent: 5}}
policies:
  cache: {{guard: 10m, reboot: 10m, probes: 8}}
vantages:
  inside: {{simulated: true}}
  outside: {{simulated: true}}
"""


def text(hosts: int, groups: int) -> str:
    """The fleet file: a fiftieth of the groups is staging, the others are production."""
    groups = min(groups, hosts // 2)
    canaries = max(1, hosts // 2000)
    head = HEAD.format(
        hosts=hosts,
        groups=groups,
        canaries=canaries,
        waves=", ".join(str(max(1, hosts // part)) for part in (500, 100, 20, 5)),
        at_once=max(2, min(groups, hosts // 50)),
        max_failed=max(1, hosts // 20),
    )
    names = [f"h{number:05d}" for number in range(1, hosts + 1)]
    staging = max(1, groups // 50)
    lines = [head + "hosts:"]
    for number, name in enumerate(names):
        stage = "staging" if number % groups < staging else "production"
        rack = f"r{number // max(2, hosts // 100)}"
        site = f"s{number % 4}"
        lines.append(
            f"  {name}: {{stage: {stage}, roles: [cache], site: {site}, rack: {rack}, reach: {{simulated: true}}}}"
        )
    lines.append("groups:")
    for group in range(groups):
        lines.append(f"  g{group:03d}: {{hosts: [{', '.join(names[group::groups])}]}}")
    lines.append("flows:")
    for number, name in enumerate(names):
        stage = "staging" if number % groups < staging else "production"
        address = f"198.51.100.{number % 250 + 1}"
        lines.append(
            f"  {name}-out: {{stage: {stage}, from: inside, to: outside, address: {address}, protocol: udp,"
            f" port: {1024 + number}, by: {name}}}"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the file."""
    words = argparse.ArgumentParser(description="Writes a fleet file of simulated hosts.")
    words.add_argument("--hosts", type=int, default=10000)
    words.add_argument("--groups", type=int, default=200)
    words.add_argument("file", type=Path)
    given = words.parse_args()
    given.file.write_text(text(given.hosts, given.groups), encoding="utf-8")
    print(f"fleet     {given.file}: {given.hosts} hosts in {min(given.groups, given.hosts // 2)} groups")


if __name__ == "__main__":
    main()
