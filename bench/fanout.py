"""One question to 100 hosts: ten commands on each, by Seatrial and by what people use today.

What is in: sshd on 127.0.1.1 to 127.0.1.100 (loopback only, keys and config of its own), one process for each
contender and round, CPU (user and system, of the process and all that it waited for, by wait4) and wall time.
What is not: results on disk; the table goes to the terminal. `--profile` shows where Seatrial's CPU goes.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import os
import pstats
import resource
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from loopback import addresses, hosts, measure, peers_python, spawn

HOSTS = 100
WIDTH = 50
PORT = 22723
ROUNDS = 3
QUESTIONS = (
    ("uname", "-r"),
    ("cat", "/proc/sys/kernel/random/boot_id"),
    ("cat", "/proc/loadavg"),
    ("cat", "/proc/meminfo"),
    ("cat", "/proc/cmdline"),
    ("cat", "/proc/net/dev"),
    ("ls", "/sys/class/net"),
    ("id", "-un"),
    ("date", "+%s"),
    ("df", "-P", "/"),
)
CONTENDERS = ("seatrial", "asyncssh", "clustershell", "ansible")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run of one contender: seconds, and how many of the 1,000 commands answered."""

    wall: float
    cpu: float
    answers: int


# --- the contenders; each runs in a process of its own and prints how many commands answered ---


def run_seatrial(room: Path) -> int:
    from seatrial.model.command import Bundle, Command
    from seatrial.vantage.open import ask
    from seatrial.vantage.pool import Pool
    from seatrial.vantage.ssh import SshVantage

    async def fan_out() -> int:
        pool = Pool(width=WIDTH)
        config = str(room / "ssh_config")
        board = pool.switchboard
        vantages = {
            name: SshVantage(name, alias=name, ssh_config=config, board=board) for name in addresses(HOSTS)
        }
        commands = tuple(Command(name=f"bench.{argv[0]}", argv=argv) for argv in QUESTIONS)
        answers = await ask(vantages, [Bundle(vantage=name, commands=commands) for name in vantages])
        await pool.close()
        return sum(output.ok for outputs in answers.values() for output in outputs)

    return asyncio.run(fan_out())


def run_asyncssh(room: Path) -> int:
    import asyncssh

    async def fan_out() -> int:
        places = asyncio.Semaphore(WIDTH)

        async def one(name: str) -> int:
            async with places, asyncssh.connect(name, config=[str(room / "ssh_config")]) as connection:
                done = [await connection.run(" ".join(argv)) for argv in QUESTIONS]
                return sum(result.exit_status == 0 for result in done)

        return sum(await asyncio.gather(*map(one, addresses(HOSTS))))

    return asyncio.run(fan_out())


def run_clustershell(room: Path) -> int:
    from ClusterShell.Task import task_self  # type: ignore[import-not-found, unused-ignore]

    task = task_self()
    task.set_info("fanout", WIDTH)
    task.set_info("ssh_options", f"-F {room / 'ssh_config'}")
    answers = 0
    for argv in QUESTIONS:
        task.shell(" ".join(argv), nodes=f"127.0.1.[1-{HOSTS}]")
        task.run()
        answers += sum(len(list(nodes)) for code, nodes in task.iter_retcodes() if code == 0)
    return answers


def run_ansible(room: Path) -> int:
    inventory = room / "inventory"
    inventory.write_text("\n".join(addresses(HOSTS)) + "\n")
    tasks = "".join(f"    - ansible.builtin.command: {' '.join(argv)}\n" for argv in QUESTIONS)
    playbook = room / "playbook.yaml"
    playbook.write_text(f"- hosts: all\n  gather_facts: false\n  tasks:\n{tasks}")
    environment = {
        **os.environ,
        "ANSIBLE_FORKS": str(WIDTH),
        "ANSIBLE_HOME": str(room / "ansible"),
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(room / "cp"),
        "ANSIBLE_SSH_COMMON_ARGS": f"-F {room / 'ssh_config'}",
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "ANSIBLE_NOCOLOR": "1",
        "LC_ALL": "C.UTF-8",
    }
    log = room / "ansible.log"
    program = str(Path(peers_python()).parent / "ansible-playbook")
    pid = spawn([program, "-i", str(inventory), str(playbook)], output=log, environment=environment)
    os.waitpid(pid, 0)
    return sum(
        int(word.removeprefix("ok="))
        for line in log.read_text().splitlines()
        for word in line.split()
        if word.startswith("ok=")
    )


RUN = {
    "seatrial": run_seatrial,
    "asyncssh": run_asyncssh,
    "clustershell": run_clustershell,
    "ansible": run_ansible,
}


# --- measuring ---


def run_once(contender: str, room: Path) -> Measured:
    python = sys.executable if contender in ("seatrial", "asyncssh") else peers_python()
    argv = [python, __file__, "--contender", contender, "--room", str(room)]
    used = measure(argv, output=room / f"{contender}.out")
    return Measured(wall=used.wall, cpu=used.cpu, answers=int(used.said.split()[-1]))


def table(results: dict[str, list[Measured]], rounds: int) -> list[str]:
    middle = {
        name: (statistics.median(run.wall for run in runs), statistics.median(run.cpu for run in runs))
        for name, runs in results.items()
    }
    best = min((cpu for name, (_, cpu) in middle.items() if name != "seatrial"), default=float("nan"))
    lines = [
        f"{HOSTS} hosts x {len(QUESTIONS)} commands, concurrency {WIDTH}, median of {rounds}",
        f"{'':24}{'wall s':>8}{'CPU s':>8}{'CPU / best peer':>17}{'answers':>9}",
    ]
    for name, (wall, cpu) in middle.items():
        answers = min(run.answers for run in results[name])
        lines.append(f"{named(name):24}{wall:8.2f}{cpu:8.2f}{cpu / best:17.2f}{answers:9}")
    return lines


def named(contender: str) -> str:
    return {"clustershell": "ClusterShell", "ansible": "ansible-core"}.get(contender, contender)


def profile(room: Path) -> None:
    # CPU time, not wall time: on a busy machine a system call seems to take what others took.
    profiler = cProfile.Profile(time.process_time)
    profiler.runcall(run_seatrial, room)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(30)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--room", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=CONTENDERS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--profile", action="store_true", help="where Seatrial's CPU goes")
    chosen = parser.parse_args()
    if chosen.contender:
        print(RUN[chosen.contender](chosen.room))
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with hosts(HOSTS, PORT) as room:
        if chosen.profile:
            profile(room)
            return
        results: dict[str, list[Measured]] = {name: [] for name in chosen.only}
        for _ in range(chosen.rounds):
            for name in chosen.only:
                results[name].append(run_once(name, room))
        print("\n".join(table(results, chosen.rounds)))


if __name__ == "__main__":
    main()
