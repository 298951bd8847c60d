"""Ten searches at once on real Debian kernels in one guest of the lab, each for a fault of its own with a flaky test.

What is in: the kernels that apt offers between the image's two, a fault (answers to translated flows are dropped) that
begins at another kernel for each search, and dice that turn it around in a share of all asks. A boot is shared: when
every search waits and none of them wants the kernel that runs, the one that most of them want is booted, and each of
those asks it by itself, through the guest and with dice of its own. What is not: results on disk; the table goes to the
terminal.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from seatrial.bisect.course import Course, Version
from seatrial.bisect.search import Ending, Rules
from seatrial.cli.lab import Shown, lab_fleet, lab_up
from seatrial.cli.options import console
from seatrial.clock import monotonic
from seatrial.engine.bisecting import loop
from seatrial.engine.bisecting.asked import Said
from seatrial.engine.bisecting.ground import Tried
from seatrial.engine.bisecting.guest import Guest
from seatrial.engine.bisecting.kernels import LabKernels
from seatrial.fleetfile import parse
from seatrial.journal.store import Journal
from seatrial.kernels.packages import between
from seatrial.lab import kernels, scenario
from seatrial.lab.lab import Lab
from seatrial.model.command import Command
from seatrial.model.result import Outcome
from seatrial.perform.asking import ask_checks
from seatrial.perform.world import World, open_world

# A web page beyond the gateway, whose answers the fault drops.
HOST, CHECK = "gw-s1", "s-http"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An attempt that a search waits for."""

    version: str
    first_bad: str
    answer: asyncio.Future[Tried]


class Fault:
    """Asks with the fault of one search on the guest; the dice are thrown there, anew for each ask."""

    def __init__(self, world: World, versions: list[str], flaky: float) -> None:
        self._world = world
        self.versions = versions
        self._flaky = flaky
        self.first_bad = ""

    @property
    def says(self) -> str:
        """What is asked."""
        return CHECK

    async def ask(self, guest: Guest, release: str, *, login: bool) -> Said:
        """Put the fault as it is for this search, throw the dice, ask."""
        bad = self.versions[self.versions.index(self.first_bad) :]
        script, *_ = scenario.put_from(bad, self._flaky)
        now = f"{script.script}; nft -f /etc/nftables.conf; sh /etc/seatrial-lab/fault.sh"
        put = Command(
            name="bench.fault", argv=("sh", "-c", now), stdin=script.stdin, safe=False, timeout=120.0
        )
        done = (await self._world.ask(HOST, put))[0]
        if not done.ok:
            return Said(outcome=Outcome.UNKNOWN, because=f"{done.problem or done.stderr}")
        (result,) = await ask_checks(self._world, (CHECK,))
        return Said(outcome=result.outcome, because=result.because, results=(result,))

    async def booted(self) -> None:
        """Forget the connection to a guest that has started again."""
        await self._world.places[HOST].fresh()


@dataclass(slots=True)
class Shared:
    """One guest for all searches. `boots` counts the real ones."""

    ground: LabKernels
    guest: Guest
    fault: Fault
    active: int
    waiting: list[Wanted] = field(default_factory=list)
    boots: int = 0
    running: str = ""
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self) -> None:
        """Boot what most of the searches want, until none is left."""
        while self.active:
            await self.changed.wait()
            self.changed.clear()
            if self.active and len(self.waiting) == self.active:
                await self._serve_one()

    async def _serve_one(self) -> None:
        wanted = Counter(one.version for one in self.waiting)
        version = self.running if self.running in wanted else wanted.most_common(1)[0][0]
        mine = [one for one in self.waiting if one.version == version]
        self.waiting = [one for one in self.waiting if one.version != version]
        if version != self.running:
            await self._boot(version, mine.pop(0), len(mine) + 1)
            if self.running != version:
                # It did not come up; it is booted anew for the next one who wants it.
                self.waiting += mine
                return
        for one in mine:
            self.fault.first_bad = one.first_bad
            began = monotonic()
            said = await self.fault.ask(self.guest, version, login=True)
            one.answer.set_result(
                Tried(
                    outcome=said.outcome,
                    because=said.because,
                    seconds=monotonic() - began,
                    results=said.results,
                )
            )

    async def _boot(self, version: str, first: Wanted, wanted: int) -> None:
        self.fault.first_bad = first.first_bad
        await self.fault.booted()
        tried = await self.ground.attempt(version, 0, self.fault.versions)
        self.boots += 1
        self.running = "" if tried.outcome is Outcome.SKIP else version
        seconds = f"{tried.boot_seconds:.0f} s" if tried.boot_seconds else "-"
        print(f"boot {self.boots}: {version} for {wanted} of {self.active}: {seconds}", flush=True)
        first.answer.set_result(tried)
        self.changed.set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """The ground of one search: a seat at the shared guest."""

    shared: Shared
    first_bad: str
    platform: str = "a shared guest"

    async def attempt(self, version: str, number: int, likely: Sequence[str]) -> Tried:
        """Wait until somebody has booted it."""
        answer: asyncio.Future[Tried] = asyncio.get_running_loop().create_future()
        self.shared.waiting.append(Wanted(version=version, first_bad=self.first_bad, answer=answer))
        self.shared.changed.set()
        return await answer


async def search(store: Journal, shared: Shared, versions: list[Version], first_bad: str) -> Course:
    """One search, and a line when it is over."""
    name = loop.start(
        store, versions=versions, rules=Rules(), asked=shared.fault.says, ground={}, by="bench", why=""
    )
    try:
        course = await loop.carry_out(store, name, Seat(shared=shared, first_bad=first_bad))
    finally:
        shared.active -= 1
        shared.changed.set()
    tell(course, first_bad)
    return course


def is_right(course: Course, first_bad: str) -> bool:
    """Whether that one kernel was named."""
    answer = course.answer
    return (
        answer is not None
        and answer.ending is Ending.FOUND
        and course.versions[answer.first].name == first_bad
    )


def tell(course: Course, first_bad: str) -> None:
    """A row of the table."""
    answer = course.answer
    assert answer is not None
    named = course.versions[answer.first].name if answer.ending is Ending.FOUND else str(answer.ending)
    asks = Counter(str(attempt.outcome) for attempt in course.attempts)
    print(
        f"| {course.id} | {first_bad} | {named} | {'yes' if is_right(course, first_bad) else 'NO'} "
        f"| {100 * answer.confidence:.1f} % | {len(course.attempts)} | {asks['pass']} | {asks['fail']} | {asks['unknown']} |",
        flush=True,
    )


async def run(searches: int, most: int, flaky: float, seed: int, state: Path, given: str | None) -> None:
    """Bring a lab up, put all kernels on it, let the searches run."""
    began = monotonic()
    lab = (
        Lab.attach(given)
        if given
        else await lab_up("bench-bisect", "gateway-staging", quiet=False, owner_pid=os.getpid())
    )
    try:
        good, bad = lab.kernels.good, lab.kernels.candidate
        packages = between(
            await kernels.offered(good.partition("-")[2].partition("-")[2]), good, bad, where="the archive"
        )
        # Evenly spread over what there is, with both ends.
        steps = min(most, len(packages)) - 1
        packages = tuple(packages[round(place * (len(packages) - 1) / steps)] for place in range(steps + 1))
        names = [one.release for one in packages]
        declared = parse(lab_fleet(lab), filename="the lab's fleet")
        fault = Fault(open_world(declared), names, flaky)
        guest = Guest(lab, HOST)
        with Shown(console()) as shown:
            ground = LabKernels(
                guest, {one.release: one for one in packages}, fault, folder=None, progress=shown
            )
            shared = Shared(ground=ground, guest=guest, fault=fault, active=searches)
            dice = random.Random(seed)
            bads = [dice.choice(names[1:]) for _ in range(searches)]
            print(
                f"{len(names)} kernels, {searches} searches, {flaky:.0%} of asks turned around\n", flush=True
            )
            print("| search | first bad | named | right | sure | asks | passed | failed | unknown |")
            print("|---|---|---|---|---|---|---|---|---|", flush=True)
            versions = [Version(name=one.release, says=f"{one.package} {one.version}") for one in packages]
            store = Journal(f"sqlite:///{state / 'journal.db'}")
            # A guest that breaks ends the searches that wait for it.
            async with asyncio.TaskGroup() as group:
                group.create_task(shared.serve())
                tasks = [group.create_task(search(store, shared, versions, first)) for first in bads]
            courses = [task.result() for task in tasks]
    finally:
        if given is None:
            await lab.down()
    right = sum(is_right(course, first) for course, first in zip(courses, bads, strict=True))
    asks = sum(len(course.attempts) for course in courses)
    print(
        f"\nright {right} of {searches}; {asks} asks, {asks / searches:.1f} a search, in {shared.boots} boots; "
        f"{(monotonic() - began) / 60:.0f} minutes"
    )


def main() -> None:
    """Run it with a journal that nobody keeps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--searches", type=int, default=10)
    parser.add_argument("--kernels", type=int, default=5, help="so many of those that the archive offers")
    parser.add_argument("--flaky", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=1, help="of which kernel each search looks for")
    parser.add_argument("--lab", help="a lab of the topology gateway-staging that is up")
    given = parser.parse_args()
    with TemporaryDirectory(prefix="seatrial-bench-") as state:
        asyncio.run(run(given.searches, given.kernels, given.flaky, given.seed, Path(state), given.lab))


if __name__ == "__main__":
    main()
