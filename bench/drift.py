"""What `seatrial drift` costs: a thousand simulated hosts on the controller, and one audit on a host.

    python bench/drift.py

The thousand hosts say what a guest of the lab said, each under its own name, with as many packages and units more as a
server has. CPU is that of the process; the network is left out, which bench/hosts.py measures.
"""

from __future__ import annotations

import asyncio
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.drift.said import captured, section
from tests.drift.test_findings import unit

from seatrial.clock import SystemClock
from seatrial.drift.facts import script
from seatrial.model.command import Command, Output
from seatrial.model.finding import Severity
from seatrial.model.fleet import Fleet, Group, Host, Reach, Stage
from seatrial.perform.drifting import audit
from seatrial.perform.world import World
from seatrial.report.drifted import as_document

HOSTS = 1000
PACKAGES, UNITS = 1200, 150


def answer(number: int) -> str:
    """What a server would say: the guest's words, with more of everything. Every tenth host has something to find."""
    said = captured("guest.facts").replace("|host gw-s1", f"|host h{number}")
    packages = "\n".join(f"package-{each} 1.{each}-1 ii" for each in range(PACKAGES))
    said = section(said, "packages", packages, more=True)
    units = "\n".join(unit(f"service-{each}.service", MainPID=str(3000 + each)) for each in range(UNITS))
    said = section(said, "units", units, more=True)
    processes = "\n".join(f"{3000 + each} 1 1000 service-{each}" for each in range(UNITS))
    said = section(said, "processes", processes, more=True)
    groups = "\n".join(f"{3000 + each} /system.slice/service-{each}.service" for each in range(UNITS))
    said = section(said, "groups", groups, more=True)
    if number % 10 == 0:
        said = section(said, "qdiscs", "qdisc tbf 8001: dev lan0 root refcnt 2 rate 1Mbit")
    return said


class Saying:
    """A place that says what it was given."""

    def __init__(self, name: str, said: str) -> None:
        self.name = name
        self._said = said

    async def run(self, commands: Sequence[Command]) -> list[Output]:
        """The boot loader's answer and the host's."""
        texts = {"boot.facts": captured("guest.grub"), "drift.facts": self._said}
        return [Output(command=command, status=0, stdout=texts[command.name]) for command in commands]

    async def fresh(self) -> None:
        """There is no connection."""

    async def close(self) -> None:
        """There is nothing to close."""


def thousand() -> None:
    """A thousand hosts in pairs: reading, all questions, and the comparison of each pair."""
    names = [f"h{number}" for number in range(HOSTS)]
    fleet = Fleet(
        version=1,
        name="bench",
        stages=(Stage(name="production"),),
        hosts={
            name: Host(stage="production", roles=("server",), reach=Reach(simulated=True)) for name in names
        },
    )
    mover = {"driver": "keepalived", "address": "192.0.2.1"}
    pairs = {
        f"pair-{at}": Group.model_validate(
            {
                "hosts": (names[at], names[at + 1]),
                "mover": {**mover, "address": f"192.0.{at // 200}.{at % 200 + 1}"},
            }
        )
        for at in range(0, HOSTS, 2)
    }
    fleet = fleet.model_copy(update={"groups": pairs})
    texts = [answer(number) for number in range(HOSTS)]
    world = World(
        fleet=fleet,
        places={name: Saying(name, said) for name, said in zip(names, texts, strict=True)},
        clock=SystemClock(),
    )
    before = time.process_time()
    found = asyncio.run(audit(world, names))
    document = as_document(found.audits, Severity.WARNING)
    spent = time.process_time() - before
    size = sum(map(len, texts)) / HOSTS / 1024
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {HOSTS} | {size:.0f} | {spent:.1f} | {memory:.0f} | {len(document['findings'])} |")


def here() -> None:
    """One audit of this machine by two shells, five times: the CPU of the script and of all that it starts."""
    for shell in (["dash", "-s"], ["bash", "-s"]):
        costs = []
        for _ in range(5):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            began = time.monotonic()
            subprocess.run(
                shell, input=script(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True
            )
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            costs.append(
                (
                    after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
                    time.monotonic() - began,
                )
            )
        cpu, wall = sorted(costs)[2]
        processes = sum(1 for each in Path("/proc").iterdir() if each.name.isdecimal())
        print(f"| {shell[0]} | {processes} | {cpu:.2f} | {wall:.2f} |")


def main() -> None:
    """Print all tables."""
    print(f"Python {platform.python_version()}, {platform.machine()}\n")
    print(
        "| simulated hosts | KiB each says | CPU s of the controller | memory MiB | findings |\n|---|---|---|---|---|"
    )
    thousand()
    print("\n| an audit by | processes on the machine | CPU s | wall s |\n|---|---|---|---|")
    here()


if __name__ == "__main__":
    main()
