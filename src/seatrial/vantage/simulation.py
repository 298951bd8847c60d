"""A platform that exists on paper: hosts with kernels, boot loaders and guards, and a clock that runs as fast as wished.

It is a public part of the product, for rehearsals and for faults that nobody wants to make on real machines. It is
never the only proof of anything. What is in: what happens to the hosts when time passes or something is done to
them. What is not: the words in which they answer (simulated.py). Its state is a file, replaced whole with every
change, so that it outlives a controller that is killed, as real hosts do.
"""

from __future__ import annotations

import json
import os
import signal
import uuid
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from seatrial.ha.drbdnfs.machine import PairState, crash, kept_pair, read_pair, served_by_first
from seatrial.model.fleet import Fleet

BOOT_SECONDS = 40.0
EXEC_SECONDS = 0.4

FaultKind = Literal[
    "replies-lost",
    "dead-network",
    "panic",
    "disk-full",
    "grubenv-unwritable",
    "no-good-kernel",
    "unreachable",
    "slow-disk",
    "no-load",
    "busy-volume",
    "no-mount",
    "nfsd-stuck",
    "cut-link",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that is wrong with a host; with `kernel`, only while that kernel runs."""

    host: str
    kind: FaultKind
    kernel: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerFault:
    """Where the controller is killed: behind the n-th journaled event, or behind the n-th command that changes a host."""

    after_event: int = 0
    after_change: int = 0


@dataclass(slots=True, kw_only=True)
class SimulatedGuard:
    """The guard as it stands on a simulated host; the fields are those of GuardFacts."""

    phase: str = "absent"
    trial: str = ""
    candidate: str = ""
    good: str = ""
    deadline: float = 0.0
    armed_boot_id: str = ""
    blessed_boot_id: str = ""
    because: str = ""


@dataclass(slots=True, kw_only=True)
class SimulatedHost:
    """One host: what is installed, what runs, what the next boot takes; times are seconds on the platform's clock."""

    kernels: list[str]
    running: str
    default: str
    next: str = ""
    boots: int = 1
    booted_at: float = -1000.0
    yields: bool = False
    guard: SimulatedGuard = field(default_factory=SimulatedGuard)

    def boot_id(self, name: str) -> str:
        """A boot id that looks like the kernel's."""
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.boot{self.boots}.example"))


class Simulation:
    """The hosts of a fleet, their groups' addresses, the faults, and the platform's clock."""

    def __init__(self, path: Path, fleet: Fleet) -> None:
        self.path = path
        self.fleet = fleet
        self.start = datetime(2026, 1, 1, tzinfo=UTC)
        self.seconds = 0.0
        self.hosts: dict[str, SimulatedHost] = {}
        self.owners: dict[str, str] = {}
        # Groups whose service is moved by hand: how their two hosts stand.
        self.pairs: dict[str, PairState] = {}
        self.faults: tuple[Fault, ...] = ()
        self.changes = 0
        self.kill_after_change = 0
        # What the probes of a round met, by run and flow: it lives no longer than the controller that sends them.
        self.rounds: dict[str, dict[str, dict[str, Any]]] = {}

    @classmethod
    def create(
        cls,
        path: Path,
        fleet: Fleet,
        *,
        good: str,
        candidate: str,
        faults: tuple[Fault, ...] = (),
        start: datetime | None = None,
    ) -> Simulation:
        """A platform on which every host runs `good` and has `candidate` installed."""
        made = cls(path, fleet)
        made.start = start or made.start
        made.faults = faults
        made.hosts = {
            name: SimulatedHost(kernels=[good, candidate], running=good, default=good) for name in fleet.hosts
        }
        made.owners = {name: group.hosts[0] for name, group in fleet.groups.items()}
        made.pairs = {
            name: served_by_first()
            for name, group in fleet.groups.items()
            if group.mover.driver == "drbd-nfs"
        }
        made.save()
        return made

    @classmethod
    def load(cls, path: Path, fleet: Fleet) -> Simulation:
        """The platform as it was left in the file."""
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        made = cls(path, fleet)
        made.start = datetime.fromisoformat(kept["start"])
        made.seconds = kept["seconds"]
        made.hosts = {
            name: SimulatedHost(**{**host, "guard": SimulatedGuard(**host["guard"])})
            for name, host in kept["hosts"].items()
        }
        made.owners = kept["owners"]
        made.pairs = {name: read_pair(pair) for name, pair in kept.get("pairs", {}).items()}
        made.faults = tuple(Fault(**fault) for fault in kept["faults"])
        made.changes = kept["changes"]
        return made

    def save(self) -> None:
        """Replace the file, whole."""
        kept = {
            "start": self.start.isoformat(),
            "seconds": self.seconds,
            "hosts": {name: asdict(host) for name, host in self.hosts.items()},
            "owners": self.owners,
            "pairs": {name: kept_pair(pair) for name, pair in self.pairs.items()},
            "faults": [asdict(fault) for fault in self.faults],
            "changes": self.changes,
        }
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(kept), encoding="utf-8")
        fresh.replace(self.path)

    def now(self) -> datetime:
        """The platform's time; with `sleep` this makes it a Clock."""
        return self.start + timedelta(seconds=self.seconds)

    async def sleep(self, seconds: float) -> None:
        """Time passes at once."""
        self.pass_time(seconds)
        self.save()

    def pass_time(self, seconds: float) -> None:
        """Let time pass; guards whose deadline is over act in it."""
        self.seconds += seconds
        for name, host in self.hosts.items():
            over = host.booted_at + host.guard.deadline
            if host.guard.phase == "armed" and host.running == host.guard.candidate and self.seconds >= over:
                host.guard.because = f"the deadline of {host.guard.deadline:.0f} s passed without a blessing"
                self.reboot(name)

    def has(self, name: str, kind: FaultKind) -> bool:
        """Whether a fault is in force on a host now."""
        running = self.hosts[name].running
        return any(f.kind == kind and f.host == name and f.kernel in ("", running) for f in self.faults)

    def is_up(self, name: str) -> bool:
        """Whether a host would answer."""
        if self.has(name, "unreachable") or self.has(name, "dead-network"):
            return False
        return self.seconds >= self.hosts[name].booted_at

    def uptime(self, name: str) -> float:
        """Seconds since the host's boot."""
        return max(0.0, self.seconds - self.hosts[name].booted_at)

    def reboot(self, name: str) -> None:
        """Go down, and come up on the kernel that the boot loader takes, a while later."""
        host = self.hosts[name]
        host.running, host.next = host.next or host.default, ""
        host.boots += 1
        host.yields = False
        host.booted_at = self.seconds + BOOT_SECONDS
        if self.has(name, "panic"):
            host.running = host.default
            host.boots += 1
            host.booted_at += BOOT_SECONDS
        guard = host.guard
        if guard.phase == "armed" and host.running == guard.good:
            guard.phase = "reverted"
            guard.because = guard.because or f"{guard.candidate} never reached userspace"
        for group, pair in self.pairs.items():
            if name in self.fleet.groups[group].hosts:
                self.pairs[group] = crash(pair, self.fleet.groups[group].hosts.index(name))
        for group, owner in self.owners.items():
            if owner == name:
                self.elect(group)

    def elect(self, group: str) -> None:
        """Give the group's address to a host that is up and does not yield it; the owner keeps it if it can."""
        able = [host for host in self.fleet.groups[group].hosts if self.seconds >= self.hosts[host].booted_at]
        willing = [host for host in able if not self.hosts[host].yields] or able
        if willing and self.owners[group] not in willing:
            self.owners[group] = willing[0]

    def changed(self) -> None:
        """A command has changed a host: keep it, and kill the controller where a fault says so."""
        self.changes += 1
        self.save()
        if self.changes == self.kill_after_change:
            os.kill(os.getpid(), signal.SIGKILL)
