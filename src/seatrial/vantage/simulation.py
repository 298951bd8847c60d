"""A platform that exists on paper: hosts with kernels, boot loaders and guards, and a clock that runs as fast as wished.

It is a public part of the product, for rehearsals and for faults that nobody wants to make on real machines. It is
never the only proof of anything. What is in: what happens to the hosts when time passes or something is done to
them. What is not: the words in which they answer (simulated.py). Its state is a file, replaced whole with every
change, so that it outlives a controller that is killed, as real hosts do.
"""

from __future__ import annotations

import heapq
import json
import math
import os
import random
import signal
import uuid
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from seatrial.clock import Clock, LoopClock
from seatrial.ha.drbdnfs.machine import PairState, crash, kept_pair, read_pair, served_by_first
from seatrial.model.fleet import Fleet

BOOT_SECONDS = 40.0
EXEC_SECONDS = 0.4

FaultKind = Literal[
    "replies-lost",
    "answers-lost",
    "dead-network",
    "panic",
    "disk-full",
    "grubenv-unwritable",
    "no-good-kernel",
    "unreachable",
    "slow-disk",
    "no-load",
    "does-not-come-back",
    "comes-back-late",
    "wrong-kernel",
    "cut-off",
    "flaky",
    "busy-volume",
    "no-mount",
    "nfsd-stuck",
    "cut-link",
]
# Rounds whose probes are remembered; a round is over within seconds.
ROUNDS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that is wrong with a host or a vantage; with `kernel`, only while that kernel runs or is booted.

    It is so between `begin` and `until`, in seconds of the platform's clock. `seconds` is how much later one comes back,
    `percent` how often one that is flaky does not answer.
    """

    host: str
    kind: FaultKind
    kernel: str = ""
    begin: float = 0.0
    until: float = math.inf
    seconds: float = 0.0
    percent: float = 0.0


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

    def __init__(self, path: Path | None, fleet: Fleet, *, clock: Clock | None = None) -> None:
        self.path = path
        self.fleet = fleet
        self.start = datetime(2026, 1, 1, tzinfo=UTC)
        self._passed = 0.0
        self._clock = clock
        self.grain = 0.0
        self.hosts: dict[str, SimulatedHost] = {}
        self.owners: dict[str, str] = {}
        # Groups whose service is moved by hand: how their two hosts stand.
        self.pairs: dict[str, PairState] = {}
        self.faults: tuple[Fault, ...] = ()
        self._faults_of: dict[str, list[Fault]] | None = None
        self.changes = 0
        self.kill_after_change = 0
        # What the probes of a round met, by run and flow: it lives no longer than the controller that sends them.
        self.rounds: dict[str, dict[str, dict[str, Any]]] = {}
        self._newest: dict[str, dict[str, Any]] = {}
        # Moments at which a guard may have to act, and of which host.
        self._due: list[tuple[float, str]] = []

    @classmethod
    def create(
        cls,
        path: Path | None,
        fleet: Fleet,
        *,
        good: str,
        candidate: str,
        faults: tuple[Fault, ...] = (),
        start: datetime | None = None,
        clock: Clock | None = None,
        grain: float = 0.0,
    ) -> Simulation:
        """A platform on which every host runs `good` and has `candidate` installed.

        Without a `path` it is kept nowhere. With a `clock` its time is that one's, from `start` on, and many may wait
        in it side by side; without one it passes by what is done. Nobody looks again sooner than after `grain` seconds.
        """
        made = cls(path, fleet, clock=clock)
        made.grain = grain
        made.start = start or made.start
        made.faults = faults
        made.hosts = {
            name: SimulatedHost(kernels=[good, candidate], running=good, default=good) for name in fleet.hosts
        }
        made.owners = {
            name: group.hosts[0] for name, group in fleet.groups.items() if group.mover.driver != "none"
        }
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
        made._passed = kept["seconds"]
        made.hosts = {
            name: SimulatedHost(**{**host, "guard": SimulatedGuard(**host["guard"])})
            for name, host in kept["hosts"].items()
        }
        made.owners = kept["owners"]
        made.pairs = {name: read_pair(pair) for name, pair in kept.get("pairs", {}).items()}
        made.faults = tuple(Fault(**fault) for fault in kept["faults"])
        made.changes = kept["changes"]
        for name in made.hosts:
            made.watch(name)
        return made

    def save(self) -> None:
        """Replace the file, whole; nothing without one."""
        if self.path is None:
            return
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

    @property
    def has_clock(self) -> bool:
        """Whether time passes by itself."""
        return self._clock is not None

    @property
    def seconds(self) -> float:
        """Seconds since the platform's start."""
        if self._clock is None:
            return self._passed
        if isinstance(self._clock, LoopClock):
            return self._clock.passed()
        return (self._clock.now() - self.start).total_seconds()

    def now(self) -> datetime:
        """The platform's time; with `sleep` this makes it a Clock."""
        return self.start + timedelta(seconds=self.seconds)

    async def sleep(self, seconds: float) -> None:
        """Time passes: at once, or on the clock that was given."""
        await self.spend(max(seconds, self.grain))
        self.save()

    async def spend(self, seconds: float) -> None:
        """Let time pass, and guards whose deadline is over act in it."""
        if self._clock is None:
            self._passed += seconds
        else:
            await self._clock.sleep(seconds)
        self.settle()

    def pass_time(self, seconds: float) -> None:
        """Let time pass where nobody waits; on a clock that was given it does not, since others live by it."""
        if self._clock is None:
            self._passed += seconds
        self.settle()

    def settle(self) -> None:
        """What has come to pass by now: guards whose deadline is over have rebooted their hosts."""
        now = self.seconds
        while self._due and self._due[0][0] <= now:
            moment, name = heapq.heappop(self._due)
            host = self.hosts[name]
            over = host.booted_at + host.guard.deadline
            if host.guard.phase == "armed" and host.running == host.guard.candidate and now >= over:
                host.guard.because = f"the deadline of {host.guard.deadline:.0f} s passed without a blessing"
                self.reboot(name, at=moment if self._clock is not None else now)

    def watch(self, name: str) -> None:
        """See to a guard when its deadline is over."""
        guard = self.hosts[name].guard
        if guard.phase == "armed":
            heapq.heappush(self._due, (self.hosts[name].booted_at + guard.deadline, name))

    def fault(self, name: str, kind: FaultKind, *, kernel: str | None = None) -> Fault | None:
        """The fault of a kind that is in force on a place now, or would be under `kernel`."""
        if self._faults_of is None:
            self._faults_of = {}
            for fault in self.faults:
                self._faults_of.setdefault(fault.host, []).append(fault)
        mine = self._faults_of.get(name)
        if mine is None:
            return None
        running = kernel or (self.hosts[name].running if name in self.hosts else "")
        now = self.seconds
        return next(
            (f for f in mine if f.kind == kind and f.kernel in ("", running) and f.begin <= now < f.until),
            None,
        )

    def hurt(self, fault: Fault) -> None:
        """One more thing is wrong."""
        self.faults = (*self.faults, fault)
        self._faults_of = None

    def has(self, name: str, kind: FaultKind) -> bool:
        """Whether a fault is in force on a host now."""
        return self.fault(name, kind) is not None

    def answers(self, name: str) -> bool:
        """Whether a place answers this time; one that is flaky does not always."""
        if name in self.hosts and not self.is_up(name):
            return False
        if self.has(name, "cut-off"):
            return False
        flaky = self.fault(name, "flaky")
        if flaky is None:
            return True
        dice = random.Random(f"{name} {self.seconds}")  # noqa: S311 - a simulation, and the same each time
        return dice.uniform(0, 100) >= flaky.percent

    def is_up(self, name: str) -> bool:
        """Whether a host would answer."""
        if self.has(name, "unreachable") or self.has(name, "dead-network"):
            return False
        return self.seconds >= self.hosts[name].booted_at

    def uptime(self, name: str) -> float:
        """Seconds since the host's boot."""
        return max(0.0, self.seconds - self.hosts[name].booted_at)

    def reboot(self, name: str, *, at: float | None = None) -> None:
        """Go down, at a moment or now, and come up on the kernel that the boot loader takes, a while later."""
        host = self.hosts[name]
        wanted, host.next = host.next or host.default, ""
        late = self.fault(name, "comes-back-late", kernel=wanted)
        lost = self.fault(name, "does-not-come-back", kernel=wanted)
        host.running = host.default if self.fault(name, "wrong-kernel", kernel=wanted) else wanted
        host.boots += 1
        host.yields = False
        host.booted_at = (self.seconds if at is None else at) + BOOT_SECONDS + (late.seconds if late else 0.0)
        if self.has(name, "panic"):
            host.running = host.default
            host.boots += 1
            host.booted_at += BOOT_SECONDS
        guard = host.guard
        if lost is not None:
            # It hangs where neither a guard nor a watchdog is yet; only a person at its console helps.
            host.booted_at = math.inf
        elif guard.phase == "armed" and host.running == guard.good:
            guard.phase = "reverted"
            guard.because = guard.because or f"{guard.candidate} never reached userspace"
        else:
            self.watch(name)
        group = self.fleet.group_of(name)
        if group is not None and group in self.pairs:
            place = self.fleet.groups[group].hosts.index(name)
            self.pairs[group] = crash(self.pairs[group], place)
        if group is not None and self.owners.get(group) == name:
            self.elect(group)

    def elect(self, group: str) -> None:
        """Give the group's address to a host that is up and does not yield it; the owner keeps it if it can."""
        able = [host for host in self.fleet.groups[group].hosts if self.seconds >= self.hosts[host].booted_at]
        willing = [host for host in able if not self.hosts[host].yields] or able
        if willing and self.owners[group] not in willing:
            self.owners[group] = willing[0]

    def began(self, run: str, flow: str, seen: dict[str, Any]) -> None:
        """Remember what the probes of one flow met."""
        self.rounds.setdefault(run, {})[flow] = seen
        self._newest[flow] = seen
        while len(self.rounds) > ROUNDS:
            del self.rounds[next(iter(self.rounds))]

    def newest(self, flow: str) -> dict[str, Any] | None:
        """What the newest probes of a flow met."""
        return self._newest.get(flow)

    def changed(self) -> None:
        """A command has changed a host: keep it, and kill the controller where a fault says so."""
        self.changes += 1
        self.save()
        if self.changes == self.kill_after_change:
            os.kill(os.getpid(), signal.SIGKILL)
