"""200 hosts x 20 checks: `seatrial check`, and what people use today for the same questions.

What is in: sshd on loopback addresses, the same 20 commands with a wanted output for each on each host (one of them is
not as wanted anywhere), one process for each contender; wall time, CPU and the most memory of that process and of all
that it waited for, and how many of the 4,000 answers were as wanted, which must be the same for all. What is not: a
network, and what sshd and the commands use, which is alike for all.

`seatrial` is the whole program with a fleet file of 200 hosts and 20 checks declared once for their role. ClusterShell
runs each command on all hosts through ssh, pyinfra its own connections (paramiko), testinfra its ssh backend with a
ControlMaster for each host, from 50 threads.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from loopback import Used, addresses, hosts, measure, peers_python

HOSTS = 200
WIDTH = 50
PORT = 22725
ROUNDS = 1

# Asked everywhere, with what is wanted; the last is wanted differently from what it says.
CHECKS: tuple[tuple[str, str], ...] = (
    ("uname -s", "Linux"),
    ("cat /proc/sys/kernel/ostype", "Linux"),
    ("id -un", "root"),
    ("stat -c %F /etc/passwd", "regular file"),
    ("stat -c %F /dev/null", "character special file"),
    ("stat -c %F /proc", "directory"),
    ("stat -c %a /etc/passwd", "644"),
    ("stat -f -c %T /proc", "proc"),
    ("cat /proc/sys/kernel/panic_on_oops", "*"),
    ("cat /proc/sys/net/ipv4/ip_forward", "*"),
    ("getconf LONG_BIT", "64"),
    ("readlink /proc/self/ns/user", "*"),
    ("printenv SHLVL", "*"),
    ("cat /proc/sys/vm/swappiness", "*"),
    ("cat /sys/kernel/mm/transparent_hugepage/enabled", "*"),
    ("test -x /bin/sh", ""),
    ("test -d /boot", ""),
    ("dirname /usr/bin/env", "/usr/bin"),
    ("expr 6 + 7", "13"),
    ("echo what is there", "what is wanted"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run of one contender."""

    used: Used
    wanted: int


def as_wanted(said: str, wanted: str) -> bool:
    return wanted == "*" or said.strip() == wanted


def run_seatrial(room: Path) -> list[str]:
    everybody = addresses(HOSTS)
    config = json.dumps(str(room / "ssh_config"))
    lines = ["version: 1", "name: bench", "stages: [{name: staging}]", "hosts:"]
    lines += [
        f"  h{number}: {{stage: staging, roles: [bench], reach: {{ssh: {address}, ssh_config: {config}}}}}"
        for number, address in enumerate(everybody)
    ]
    lines.append("checks:")
    for number, (command, wanted) in enumerate(CHECKS):
        entry: dict[str, object] = {"kind": "command", "each": "bench", "argv": command.split()}
        if wanted == "*":
            entry["status"] = None
        elif wanted:
            entry["stdout"] = {"equals": wanted}
        lines.append(f"  c{number}: {json.dumps(entry)}")
    (room / "fleet.yaml").write_text("\n".join(lines) + "\n")
    fleet = str(room / "fleet.yaml")
    return [sys.executable, "-m", "seatrial", "check", "-f", fleet, "--format", "json"]


def seatrial_wanted(said: str) -> int:
    return sum(result["outcome"] == "pass" for result in json.loads(said)["results"])


def peer(name: str) -> Callable[[Path], list[str]]:
    def argv(room: Path) -> list[str]:
        return [peers_python(), __file__, "--contender", name, "--room", str(room), "--hosts", str(HOSTS)]

    return argv


def last_word(said: str) -> int:
    return int(said.split()[-1])


# --- the peers; each runs in a process of its own and prints how many answers were as wanted ---


def ask_clustershell(room: Path) -> int:
    from ClusterShell.Task import task_self  # type: ignore[import-not-found, unused-ignore]

    task = task_self()
    task.set_info("fanout", WIDTH)
    task.set_info("ssh_options", f"-F {room / 'ssh_config'}")
    found = 0
    for command, wanted in CHECKS:
        task.shell(command, nodes=",".join(addresses(HOSTS)))
        task.run()
        said = {str(name): bytes(out).decode() for out, names in task.iter_buffers() for name in names}
        for _, names in task.iter_retcodes():
            found += sum(as_wanted(said.get(str(name), ""), wanted) for name in names)
    return found


def ask_pyinfra(room: Path) -> int:
    from pyinfra.api import Config, Inventory, State  # type: ignore[import-not-found, unused-ignore]
    from pyinfra.api.connect import connect_all  # type: ignore[import-not-found, unused-ignore]
    from pyinfra.api.facts import get_facts  # type: ignore[import-not-found, unused-ignore]
    from pyinfra.facts.server import Command  # type: ignore[import-not-found, unused-ignore]

    data = {"ssh_config_file": str(room / "ssh_config"), "ssh_known_hosts_file": str(room / "known_hosts")}
    inventory = Inventory((addresses(HOSTS), data))
    state = State(inventory, Config(PARALLEL=WIDTH))
    connect_all(state)
    found = 0
    for command, wanted in CHECKS:
        # A fact that ends with another status than 0 is an error; the others do not look at it either.
        answers = get_facts(state, Command, args=(f"{command} || true",))
        found += sum(as_wanted(said or "", wanted) for said in answers.values())
    return found


def ask_testinfra(room: Path) -> int:
    from concurrent.futures import ThreadPoolExecutor

    import testinfra  # type: ignore[import-not-found, import-untyped, unused-ignore]

    def one(address: str) -> int:
        host = testinfra.get_host(f"ssh://{address}", ssh_config=str(room / "ssh_config"))
        return sum(as_wanted(host.run(command).stdout, wanted) for command, wanted in CHECKS)

    with ThreadPoolExecutor(WIDTH) as threads:
        return sum(threads.map(one, addresses(HOSTS)))


ASK = {"ClusterShell": ask_clustershell, "pyinfra": ask_pyinfra, "testinfra": ask_testinfra}
CONTENDERS: dict[str, tuple[Callable[[Path], list[str]], Callable[[str], int]]] = {
    "seatrial": (run_seatrial, seatrial_wanted),
    **{name: (peer(name), last_word) for name in ASK},
}


# --- measuring ---


def run_once(name: str, room: Path) -> Measured:
    argv, wanted = CONTENDERS[name]
    used = measure(argv(room), output=room / f"{name}.out", allowed=(0, 1))
    return Measured(used=used, wanted=wanted(used.said))


def table(results: dict[str, list[Measured]], rounds: int) -> list[str]:
    lines = [
        f"{HOSTS} hosts x {len(CHECKS)} checks, concurrency {WIDTH}, median of {rounds}",
        f"{'':16}{'wall s':>8}{'CPU s':>8}{'memory MiB':>12}{'as wanted':>12}",
    ]
    for name, runs in results.items():
        wall, cpu, memory = (
            statistics.median(getattr(run.used, key) for run in runs) for key in ("wall", "cpu", "memory")
        )
        lines.append(f"{name:16}{wall:8.1f}{cpu:8.1f}{memory:12.0f}{runs[0].wanted:7}/{HOSTS * len(CHECKS)}")
    same = len({run.wanted for runs in results.values() for run in runs}) == 1
    return [*lines, f"answers: {'the same' if same else 'NOT THE SAME'}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contender", choices=tuple(ASK), help=argparse.SUPPRESS)
    parser.add_argument("--room", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--only", nargs="+", choices=tuple(CONTENDERS), default=tuple(CONTENDERS))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--hosts", type=int, default=HOSTS)
    chosen = parser.parse_args()
    globals()["HOSTS"] = chosen.hosts
    if chosen.contender:
        print(ASK[chosen.contender](chosen.room))
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with hosts(HOSTS, PORT) as room:
        results: dict[str, list[Measured]] = {name: [] for name in chosen.only}
        for _ in range(chosen.rounds):
            for name in chosen.only:
                results[name].append(run_once(name, room))
        lines = table(results, chosen.rounds)
    print("\n".join(lines))
    sys.exit(0 if lines[-1] == "answers: the same" else 1)


if __name__ == "__main__":
    main()
