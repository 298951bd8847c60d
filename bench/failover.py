"""Planned failovers of the lab's NFS pair under continuous synced writes, and how long its clients waited in each.

What is in: a lab of the topology `nfs-pair` (or one that is up: --lab), a client that appends records with fsync and one that
holds a lock, --moves failovers back and forth, and every acknowledged record read again by the other client. Beside them, on
the same guests in the same run, a peer (--peer): `pacemaker` forms a cluster over the two servers and moves the same service by
`crm_resource --move`, in blocks of --block moves in turn with ours, during which the other one keeps its hands off; `hand` is
what a person would do after each of ours, two logins one after the other (`pair.sh give` here, `pair.sh take` there). The
tables go to the terminal.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from seatrial.cli.lab import lab_fleet
from seatrial.clock import monotonic
from seatrial.engine import failover
from seatrial.fleetfile import parse
from seatrial.journal.store import Journal
from seatrial.lab.clients import Checked, Work
from seatrial.lab.lab import Lab
from seatrial.lab.nfspair import GROUP, SERVERS
from seatrial.lab.pacemaker import PacemakerPair
from seatrial.model.failover import Ending
from seatrial.perform.look import carriers_of
from seatrial.perform.world import World, open_world


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One failover: where to, how it ended, what the client felt, whether the lock was still held, how loaded this machine was."""

    to: str
    outcome: str
    seconds: float
    pause: float
    records: int
    locked: bool
    load: float


@dataclass(slots=True, kw_only=True)
class Run:
    """What came of one who moves: the moves, and what was read again after them."""

    who: str
    moves: list[Move] = field(default_factory=list)
    checked: list[Checked] = field(default_factory=list)

    @property
    def lost(self) -> int:
        """Records that were acknowledged and are not there, or not as they were written."""
        return sum(one.lost + one.broken for one in self.checked)

    @property
    def median(self) -> float:
        """The median of the pauses in seconds."""
        return statistics.median(one.pause for one in self.moves)


async def watched(work: Work, to: str, deed: Awaitable[tuple[str, str]]) -> Move:
    """Do a move (it says how it ended and where), and ask the clients how it was for them."""
    mark = await work.mark()
    began = monotonic()
    outcome, where = await deed
    seconds = monotonic() - began
    # Asked when it is over: what was acknowledged before the pause is no sign of its end.
    await work.goes_on()
    locked = await work.is_refused()
    felt = await work.felt(mark)
    return Move(
        to=where or to,
        outcome=outcome,
        seconds=seconds,
        pause=felt.pause,
        records=felt.records,
        locked=locked,
        load=os.getloadavg()[0],
    )


async def by_seatrial(world: World, journal: Journal) -> tuple[str, str]:
    """One failover to the other side, as `seatrial failover` does it."""
    name = await failover.begin(journal, world, GROUP, by="bench")
    ended = await failover.run(journal, world, name)
    if ended.outcome != Ending.MOVED:
        print(f"{name}: {ended.outcome}: {ended.because}", flush=True)
    return str(ended.outcome), ended.to


async def by_hand(lab: Lab, here: str, to: str) -> tuple[str, str]:
    """The same by the lab's own scripts: the old side gives to the end, then the new one takes."""
    await lab.ssh(here, ["/etc/seatrial-lab/pair.sh", "give"], timeout=300.0)
    await lab.ssh(to, ["/etc/seatrial-lab/pair.sh", "take"], timeout=300.0)
    return str(Ending.MOVED), to


async def by_cluster(cluster: PacemakerPair, to: str) -> tuple[str, str]:
    """The same by Pacemaker, which is asked to move its group and waited for."""
    await cluster.move(to)
    return str(Ending.MOVED), to


async def ours(lab: Lab, world: World, journal: Journal, run: Run, hand: Run | None, count: int) -> None:
    """A block of our moves under work of its own; with `hand` each of them is followed by one by hand."""
    work = await begun(lab)
    for _ in range(count):
        run.moves.append(await watched(work, "", by_seatrial(world, journal)))
        said(run)
        if hand is not None:
            here = min(await carriers_of(world, world.fleet.groups[GROUP]) or ("nfs-1",))
            to = next(host for host in SERVERS if host != here)
            hand.moves.append(await watched(work, to, by_hand(lab, here, to)))
            said(hand)
    run.checked.append(await work.end())
    if hand is not None:
        hand.checked.append(run.checked[-1])


async def theirs(lab: Lab, cluster: PacemakerPair, run: Run, count: int) -> None:
    """A block of the cluster's moves under work of its own."""
    work = await begun(lab)
    for _ in range(count):
        to = await cluster.standby()
        run.moves.append(await watched(work, to, by_cluster(cluster, to)))
        said(run)
        await cluster.settle()
    run.checked.append(await work.end())


async def begun(lab: Lab) -> Work:
    """The clients at work, on files of their own."""
    work = Work(lab, f"run-{os.getpid()}-{int(monotonic())}")
    await work.begin()
    return work


def said(run: Run) -> None:
    """The latest move, for whoever waits."""
    one = run.moves[-1]
    print(
        f"{run.who} {len(run.moves)}: to {one.to} {one.outcome}, pause {one.pause:.2f} s, whole {one.seconds:.1f} s, "
        f"{one.records} records, lock {'held' if one.locked else 'LOST'}, load {one.load:.1f}",
        flush=True,
    )


def tell(run: Run) -> None:
    """The table of one who moves, and a line about it."""
    print("\n| # | to | ended | pause s | whole s | records meanwhile | lock held | load |")
    print("|---|---|---|---|---|---|---|---|")
    for number, one in enumerate(run.moves, 1):
        lock = "yes" if one.locked else "NO"
        print(
            f"| {number} | {one.to} | {one.outcome} | {one.pause:.1f} | {one.seconds:.1f} | {one.records} | {lock} "
            f"| {one.load:.1f} |"
        )
    pauses = sorted(one.pause for one in run.moves)
    problems = [problem for one in run.checked for problem in one.problems]
    print(
        f"\n{run.who}: {len(run.moves)} failovers; the client waited {run.median:.1f} s in the median, "
        f"{pauses[-1]:.1f} s at most, {pauses[0]:.1f} s at least; "
        f"{sum(one.acknowledged for one in run.checked)} records acknowledged, {sum(one.lost for one in run.checked)} lost, "
        f"{sum(one.broken for one in run.checked)} broken; the lock was held after "
        f"{sum(one.locked for one in run.moves)} of {len(run.moves)}; {len(problems)} errors at the client"
    )
    for problem in problems[:5]:
        print(f"  {problem}")


async def measure(arguments: argparse.Namespace) -> int:
    """The whole run."""
    lab = (
        Lab.attach(arguments.lab)
        if arguments.lab
        else await Lab.up("bench-failover", "nfs-pair", progress=step, owner_pid=os.getpid())
    )
    world = open_world(parse(lab_fleet(lab), filename="the lab's fleet"))
    run = Run(who="seatrial")
    peer: Run | None
    try:
        with TemporaryDirectory() as folder:
            journal = Journal(f"sqlite:///{Path(arguments.journal or folder) / 'journal.db'}")
            if arguments.peer == "pacemaker":
                peer = await beside_pacemaker(lab, world, journal, run, arguments)
            else:
                peer = Run(who="by hand") if arguments.peer == "hand" else None
                await ours(lab, world, journal, run, peer, arguments.moves)
    finally:
        await world.close()
        if not arguments.lab:
            await lab.down()
    tell(run)
    if peer is not None and peer.moves:
        tell(peer)
        print(
            f"\nseatrial's median pause is {run.median / peer.median:.2f} of {peer.who}'s; the load here was "
            f"{min(one.load for one in run.moves):.1f} to {max(one.load for one in run.moves):.1f} during seatrial's, "
            f"{min(one.load for one in peer.moves):.1f} to {max(one.load for one in peer.moves):.1f} during the other's"
        )
    return 0 if not run.lost and all(one.outcome == Ending.MOVED for one in run.moves) else 1


async def beside_pacemaker(
    lab: Lab, world: World, journal: Journal, run: Run, arguments: argparse.Namespace
) -> Run:
    """Blocks of the cluster's moves and of ours in turn, until each has --moves; what came of the cluster's."""
    peer, cluster = Run(who="pacemaker"), PacemakerPair(lab)
    if not arguments.formed:
        await cluster.form(step)
    elif await cluster.carrier() is None:
        await cluster.take_over()
    blocks = max(1, -(-arguments.moves // arguments.block))
    for block in range(blocks):
        # Both are spread over the whole run, however many each has.
        here = share(arguments.moves, block, blocks)
        there = share(arguments.peer_moves or arguments.moves, block, blocks)
        step(f"{there} moves by the cluster", None)
        await theirs(lab, cluster, peer, there)
        await cluster.let_go()
        step(f"{here} moves by seatrial, the cluster in maintenance mode", None)
        await ours(lab, world, journal, run, None, here)
        if block + 1 < blocks:
            await cluster.take_over()
    return peer


def share(moves: int, block: int, blocks: int) -> int:
    """How many of all moves one block has."""
    return (block + 1) * moves // blocks - block * moves // blocks


def step(says: str, _part: float | None) -> None:
    """Progress, as a line."""
    print(says, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--moves", type=int, default=20, help="how many failovers of ours")
    parser.add_argument("--lab", help="a lab that is up, instead of one of its own")
    parser.add_argument(
        "--peer", choices=("none", "hand", "pacemaker"), default="pacemaker", help="who moves beside us"
    )
    parser.add_argument("--peer-moves", type=int, help="how many of Pacemaker's; absent: as many as of ours")
    parser.add_argument("--block", type=int, default=5, help="moves of ours before it is the other's turn")
    parser.add_argument("--formed", action="store_true", help="the lab that is up has its cluster already")
    parser.add_argument("--journal", help="a directory for the journal, which is kept")
    raise SystemExit(asyncio.run(measure(parser.parse_args())))
