"""Planned failovers of the lab's NFS pair under continuous synced writes, and how long its clients waited in each.

What is in: a lab of the topology `nfs-pair` (or one that is up: --lab), a client that appends records with fsync and one that
holds a lock, --moves failovers back and forth, and every acknowledged record read again by the other client. With --by-hand
each of them is followed by one that a person would do, two logins one after the other (`pair.sh give` here, `pair.sh take` there),
on the same lab in the same run. The tables go to the terminal. What is not: Pacemaker, which the lab's image does not have.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from seatrial.cli.lab import lab_fleet
from seatrial.clock import monotonic
from seatrial.engine import failover
from seatrial.fleetfile import parse
from seatrial.journal.store import Journal
from seatrial.lab.clients import Checked, Work
from seatrial.lab.lab import Lab
from seatrial.lab.nfspair import GROUP
from seatrial.model.failover import Ending
from seatrial.perform.look import carriers_of
from seatrial.perform.world import World, open_world


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One failover: where to, how it ended, what the client felt, whether the lock was still held."""

    to: str
    outcome: str
    seconds: float
    pause: float
    records: int
    locked: bool


async def move(world: World, journal: Journal, work: Work) -> Move:
    """One failover to the other side, watched by the client."""
    mark = await work.mark()
    began = monotonic()
    name = await failover.begin(journal, world, GROUP, by="bench")
    ended = await failover.run(journal, world, name)
    seconds = monotonic() - began
    # Asked when it is over: what was acknowledged before the pause is no sign of its end.
    await work.goes_on()
    locked = await work.is_refused()
    felt = await work.felt(mark)
    if ended.outcome != Ending.MOVED:
        print(f"{name}: {ended.outcome}: {ended.because}", flush=True)
    return Move(
        to=ended.to,
        outcome=ended.outcome,
        seconds=seconds,
        pause=felt.pause,
        records=felt.records,
        locked=locked,
    )


async def move_by_hand(lab: Lab, world: World, work: Work) -> Move:
    """The same by the lab's own scripts: the old side gives to the end, then the new one takes."""
    carriers = await carriers_of(world, world.fleet.groups[GROUP])
    here = min(carriers or ("nfs-1",))
    to = next(host for host in world.fleet.groups[GROUP].hosts if host != here)
    mark = await work.mark()
    began = monotonic()
    await lab.ssh(here, ["/etc/seatrial-lab/pair.sh", "give"], timeout=300.0)
    await lab.ssh(to, ["/etc/seatrial-lab/pair.sh", "take"], timeout=300.0)
    seconds = monotonic() - began
    await work.goes_on()
    locked = await work.is_refused()
    felt = await work.felt(mark)
    return Move(
        to=to, outcome=Ending.MOVED, seconds=seconds, pause=felt.pause, records=felt.records, locked=locked
    )


def tell(who: str, moves: list[Move], checked: Checked) -> None:
    """The tables."""
    print(
        "\n| # | to | ended | pause s | whole s | records meanwhile | lock held |\n|---|---|---|---|---|---|---|"
    )
    for number, one in enumerate(moves, 1):
        lock = "yes" if one.locked else "NO"
        print(
            f"| {number} | {one.to} | {one.outcome} | {one.pause:.1f} | {one.seconds:.1f} | {one.records} | {lock} |"
        )
    pauses = sorted(one.pause for one in moves)
    print(
        f"\n{who}: {len(moves)} failovers; the client waited {statistics.median(pauses):.1f} s in the median, "
        f"{pauses[-1]:.1f} s at most, {pauses[0]:.1f} s at least; {checked.acknowledged} records acknowledged, "
        f"{checked.lost} lost, {checked.broken} broken; the lock was held after {sum(one.locked for one in moves)} of "
        f"{len(moves)}; {len(checked.problems)} errors at the client"
    )
    for problem in checked.problems[:5]:
        print(f"  {problem}")


async def measure(arguments: argparse.Namespace) -> int:
    """The whole run."""
    lab = (
        Lab.attach(arguments.lab)
        if arguments.lab
        else await Lab.up(
            "bench-failover",
            "nfs-pair",
            progress=lambda step, _part: print(step, flush=True),
            owner_pid=os.getpid(),
        )
    )
    world = open_world(parse(lab_fleet(lab), filename="the lab's fleet"))
    work = Work(lab, f"run-{os.getpid()}")
    try:
        with TemporaryDirectory() as folder:
            journal = Journal(f"sqlite:///{Path(arguments.journal or folder) / 'journal.db'}")
            await work.begin()
            moves, by_hand = [], []
            for number in range(1, arguments.moves + 1):
                moves.append(await move(world, journal, work))
                print(f"{number}: {moves[-1]}   load {os.getloadavg()[0]:.1f}", flush=True)
                if arguments.by_hand:
                    by_hand.append(await move_by_hand(lab, world, work))
                    print(f"{number} by hand: {by_hand[-1]}   load {os.getloadavg()[0]:.1f}", flush=True)
            checked = await work.end()
            tell("seatrial", moves, checked)
            if by_hand:
                tell("by hand", by_hand, checked)
                ratio = statistics.median(one.pause for one in moves) / statistics.median(
                    one.pause for one in by_hand
                )
                print(f"\nseatrial's median pause is {ratio:.2f} of that by hand")
            return 0 if not checked.lost and all(one.outcome == Ending.MOVED for one in moves) else 1
    finally:
        await world.close()
        if not arguments.lab:
            await lab.down()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--moves", type=int, default=20, help="how many failovers")
    parser.add_argument("--lab", help="a lab that is up, instead of one of its own")
    parser.add_argument("--by-hand", action="store_true", help="each failover is followed by one by hand")
    parser.add_argument("--journal", help="a directory for the journal, which is kept")
    raise SystemExit(asyncio.run(measure(parser.parse_args())))
