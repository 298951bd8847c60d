"""A checklist of 35 commands over SSH: one `ssh host cmd` after the other, as people do, and Seatrial's one exec.

What is in: one sshd on loopback with keys of its own, the same 35 commands and expectations for both, wall time from
the start of the first program to the end of the last, and the verdicts, which must be the same. What is not: a network;
on loopback a round trip costs nothing, so that the ratio is what it is at its worst.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from loopback import addresses, hosts

CMDS = 35
PORT = 22724
ROUNDS = 3
GOAL = 0.2
(HOST,) = addresses(1)

# What such files ask, without asking a network; every fifth is not as wanted, so that there are two verdicts.
COMMANDS = (
    ("test -r /etc/passwd && echo readable", "readable"),
    ("uname -s | tr A-Z a-z", "linux"),
    ("grep -c ^root: /etc/passwd", "1"),
    ("printf '%s' one two | wc -c", "6"),
    ("echo what is there", "what is wanted"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run of one contender: seconds, and for each command whether it was as wanted."""

    wall: float
    verdicts: tuple[bool, ...]


def checklist() -> list[tuple[str, str]]:
    return [COMMANDS[number % len(COMMANDS)] for number in range(CMDS)]


def one_after_the_other(room: Path, *more: str) -> Measured:
    verdicts = []
    began = time.monotonic()
    for cmd, wanted in checklist():
        argv = ["ssh", "-F", str(room / "ssh_config"), *more, HOST, cmd]
        done = subprocess.run(argv, capture_output=True, stdin=subprocess.DEVNULL, check=False)
        verdicts.append(
            done.returncode == 0 and done.stdout.decode().strip() == wanted and not done.stderr.strip()
        )
    return Measured(wall=time.monotonic() - began, verdicts=tuple(verdicts))


def one_connection(room: Path) -> Measured:
    """The same with a master connection, for those who have set one up."""
    began = time.monotonic()
    measured = one_after_the_other(
        room, "-o", "ControlMaster=auto", "-o", f"ControlPath={room / 'cm'}", "-o", "ControlPersist=60"
    )
    wall = time.monotonic() - began
    argv = ["ssh", "-F", str(room / "ssh_config"), "-o", f"ControlPath={room / 'cm'}", "-O", "exit", HOST]
    subprocess.run(argv, capture_output=True, check=False)
    return Measured(wall=wall, verdicts=measured.verdicts)


def seatrial(room: Path) -> Measured:
    """The whole program, from its start to its end."""
    argv = [
        sys.executable,
        "-m",
        "seatrial",
        "check",
        "--checklist",
        str(room / "list.yaml"),
        "--from",
        "there",
    ]
    began = time.monotonic()
    done = subprocess.run(
        [*argv, "-f", str(room / "fleet.yaml"), "--json"],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    wall = time.monotonic() - began
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr.decode())
    results = json.loads(done.stdout)["results"]
    return Measured(wall=wall, verdicts=tuple(result["outcome"] == "pass" for result in results))


CONTENDERS = {
    "ssh host cmd, one after the other": one_after_the_other,
    "the same through a ControlMaster": one_connection,
    "seatrial check --checklist --from": seatrial,
}


def furnish(room: Path) -> None:
    """The fleet file that Seatrial needs, and the checklist."""
    (room / "fleet.yaml").write_text(
        "version: 1\nname: bench\nstages: [{name: staging}]\n"
        "hosts: {h: {stage: staging, roles: [gateway], reach: {local: true}}}\n"
        f"vantages: {{there: {{ssh: {HOST}, ssh_config: {room / 'ssh_config'}}}}}\n"
    )
    tests = "".join(
        f"- name: t{number}\n  tests:\n    - cmd: {json.dumps(cmd)}\n      retcode: 0\n"
        f"      stdout: {json.dumps(wanted)}\n      stderr: ''\n"
        for number, (cmd, wanted) in enumerate(checklist())
    )
    (room / "list.yaml").write_text(tests)


def table(results: dict[str, list[Measured]], rounds: int) -> list[str]:
    wall = {name: statistics.median(run.wall for run in runs) for name, runs in results.items()}
    slowest = wall[next(iter(CONTENDERS))]
    lines = [
        f"{CMDS} commands over SSH on loopback, median of {rounds}; the goal is a ratio of at most {GOAL:g}",
        f"{'':36}{'wall s':>8}{'ratio':>8}{'as wanted':>11}",
    ]
    for name, seconds in wall.items():
        verdicts = results[name][0].verdicts
        lines.append(f"{name:36}{seconds:8.2f}{seconds / slowest:8.3f}{sum(verdicts):8}/{len(verdicts)}")
    same = len({run.verdicts for runs in results.values() for run in runs}) == 1
    lines.append(f"verdicts: {'the same' if same else 'NOT THE SAME'}")
    met = same and wall[next(reversed(CONTENDERS))] <= GOAL * slowest
    return [*lines, f"goal: {'met' if met else 'NOT MET'}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    chosen = parser.parse_args()
    with hosts(1, PORT) as room:
        furnish(room)
        results: dict[str, list[Measured]] = {name: [] for name in CONTENDERS}
        for _ in range(chosen.rounds):
            for name, run in CONTENDERS.items():
                results[name].append(run(room))
    lines = table(results, chosen.rounds)
    print("\n".join(lines))
    sys.exit(0 if lines[-1] == "goal: met" else 1)


if __name__ == "__main__":
    main()
