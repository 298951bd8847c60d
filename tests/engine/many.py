"""A rollout over a shared simulated platform by several workers on one Postgres, of which some are killed on the way."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seatrial.engine import controller
from seatrial.engine.rehearsal import CANDIDATE
from seatrial.fleetfile import parse
from seatrial.journal.store import Journal
from seatrial.model.event import Event, Kind
from seatrial.model.fleet import Fleet
from seatrial.model.fold import RolloutState
from seatrial.rollout.audit import Audit, audit
from tests.engine.postgres import Postgres
from tests.engine.shared import ScaledClock, hosts_of

ROOT = Path(__file__).parents[2]
# Nothing here may take longer, however busy the machine is.
PATIENCE = 1500.0


def fleet_text(hosts: int) -> str:
    names = [f"h{number:03d}" for number in range(hosts)]
    lines = [
        "version: 1",
        "name: shared",
        "stages: [{name: production}]",
        "rollout:",
        "  canaries: 2",
        f"  waves: [{max(2, hosts // 10)}, {max(2, hosts // 2)}]",
        f"  at_once: {max(4, hosts // 5)}",
        f"  max_failed: {hosts}",
        "  survey: 1h",
        "  budgets: [{per: rack, most: 2}, {per: site, percent: 30}]",
        "policies: {cache: {guard: 60m, reboot: 30m, probes: 8}}",
        "vantages: {inside: {simulated: true}, outside: {simulated: true}}",
        "hosts:",
    ]
    lines += [
        f"  {name}: {{stage: production, roles: [cache], site: s{n % 2}, rack: r{n // 8}, reach: {{simulated: true}}}}"
        for n, name in enumerate(names)
    ]
    lines += ["groups:"]
    pairs = list(zip(names[0::2], names[1::2], strict=False))
    lines += [f"  g{n}: {{hosts: [{one}, {other}]}}" for n, (one, other) in enumerate(pairs)]
    lines += ["flows:"]
    lines += [
        f"  f-{name}: {{stage: production, from: inside, to: outside, address: 198.51.100.7, protocol: udp,"
        f" port: {2000 + n}, by: {name}}}"
        for n, name in enumerate(names)
    ]
    return "\n".join(lines) + "\n"


@dataclass(kw_only=True)
class Outcome:
    """What came of it. `boots` is how often each host was booted, its first boot among them."""

    state: RolloutState
    events: list[Event]
    audit: Audit
    hosts: dict[str, list[Any]]
    killed: int
    seconds: float


@dataclass(kw_only=True)
class Many:
    """Workers, their platform and their database; `bad` hosts lose their replies on the candidate."""

    folder: Path
    hosts: int
    workers: int = 3
    speed: float = 30.0
    bad: tuple[str, ...] = ()
    more: str = ""
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.text = fleet_text(self.hosts) + self.more
        self.file = self.folder / "fleet.yaml"
        self.file.write_text(self.text)
        self.fleet: Fleet = parse(self.text, filename="fleet")
        self.socket = str(self.folder / "platform")
        self.began = time.monotonic()
        self.postgres = Postgres(self.folder)
        self.journal = Journal(self.postgres.url)
        self.journal.set_clock(ScaledClock(self.began, self.speed))
        self.platform = self._start("tests.engine.shared", ",".join(self.bad))

    def _start(self, module: str, *words: str, wait: bool = True) -> subprocess.Popen[str]:
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
        argv = [
            sys.executable,
            "-m",
            module,
            str(self.file),
            self.socket,
            str(self.began),
            str(self.speed),
            *words,
        ]
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT)
        assert process.stdout is not None
        if wait:
            assert process.stdout.readline(), f"{module} did not start"
        return process

    def worker(self) -> subprocess.Popen[str]:
        process = self._start("tests.engine.worker", self.postgres.url, str(self.hosts), wait=False)
        self.processes.append(process)
        return process

    def start(self) -> None:
        controller.start(
            self.journal,
            self.fleet,
            fleet_text=self.text,
            candidate=CANDIDATE,
            hosts=tuple(self.fleet.hosts),
            by="test",
            why="test",
        )
        for _ in range(self.workers):
            self.worker()

    def until(self, true: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < end, "it did not come to that"
            for process in list(self.processes):
                if process.poll() not in (None, 0, -signal.SIGKILL):
                    raise AssertionError(f"a worker ended with {process.returncode}")
            time.sleep(0.05)

    def run(self, kills: int, *, seed: int) -> Outcome:
        """Kill a worker at random `kills` times, each after some more Events, and start another one in its place."""
        dice = random.Random(seed)
        began = time.monotonic()
        self.start()
        killed = 0
        while killed < kills:
            seen = len(self.journal.read("r1"))
            more = dice.randint(1, max(2, self.hosts * 8 // kills))

            def enough(seen: int = seen, more: int = more) -> bool:
                return controller_ended(self.journal) or len(self.journal.read("r1")) >= seen + more

            self.until(enough)
            if controller_ended(self.journal):
                break
            victim = dice.choice([process for process in self.processes if process.poll() is None])
            victim.kill()
            victim.wait()
            self.processes.remove(victim)
            killed += 1
            self.worker()
        self.until(lambda: controller_ended(self.journal))
        return self.outcome(killed, time.monotonic() - began)

    def outcome(self, killed: int, seconds: float) -> Outcome:
        events = self.journal.read("r1")
        return Outcome(
            state=controller.state_of(self.journal, "r1"),
            events=events,
            audit=audit(events, self.fleet),
            hosts=asyncio.run(hosts_of(self.socket)),
            killed=killed,
            seconds=seconds,
        )

    def close(self) -> None:
        for process in (*self.processes, self.platform):
            process.kill()
            process.wait()
        self.journal.close()
        self.postgres.stop()


def controller_ended(journal: Journal) -> bool:
    return bool(journal.read("r1", kinds=(Kind.ROLLOUT_ENDED,)))
