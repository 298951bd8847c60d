"""Failovers of the lab's NFS pair under work, and each fault once: killed, cut off, busy, disconnected, stuck, dead.

Each of them goes the way of `seatrial failover`, and what its journal has is compared with the machine that the rules are
explored against.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from seatrial.cli.lab import lab_fleet
from seatrial.clock import SystemClock
from seatrial.engine import failover
from seatrial.fleetfile import parse
from seatrial.journal.store import Journal
from seatrial.lab.clients import Work
from seatrial.lab.lab import Lab
from seatrial.lab.nfspair import GROUP, RESOURCE, VOLUME
from seatrial.model.event import Event, Kind
from seatrial.model.failover import Ending, FailoverState
from seatrial.perform.look import carriers_of
from seatrial.perform.world import open_world
from tests.ha.replayed import seen, strays

pytestmark = pytest.mark.lab

SOURCE = Path(__file__).parents[2] / "src"
LONG = 900.0
# What a fault waits for on a host: the first batch of a failover has begun there.
BEGUN = "until [ -e /run/seatrial/failover.pid ]; do sleep 0.05; done"


@pytest.fixture(scope="module")
def pair() -> Iterator[Lab]:
    """The pair, which dies with the test run, whatever ends that."""
    with TemporaryDirectory(prefix="st-", dir="/tmp") as home, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", home)
        up = asyncio.run(
            Lab.up("moved", "nfs-pair", progress=lambda step, part: print(step), owner_pid=os.getpid())
        )
        yield up
        asyncio.run(up.down())


class Moves:
    """Failovers of one lab with a journal of their own."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.fleet = folder / "fleet.yaml"
        self.fleet.write_text(lab_fleet(lab), encoding="utf-8")
        self.url = f"sqlite:///{folder / 'journal.db'}"
        self.journal = Journal(self.url)
        self.before = 0

    def begin(self, *options: str) -> subprocess.Popen[bytes]:
        """`seatrial failover` as a person starts it."""
        self.before = len(self.journal.failovers())
        argv = [
            sys.executable,
            "-m",
            "seatrial",
            "failover",
            GROUP,
            "-f",
            str(self.fleet),
            "--database",
            self.url,
        ]
        return subprocess.Popen(
            [*argv, *options], env={**os.environ, "PYTHONPATH": str(SOURCE)}, stdin=subprocess.DEVNULL
        )

    def move(self, *options: str) -> FailoverState:
        """A whole failover; how it ended."""
        assert self.begin(*options).wait(LONG) in (0, 3, 4)
        return self.latest()

    def latest(self) -> FailoverState:
        """Where the latest failover stands."""
        return failover.state_of(self.journal, self.journal.failovers()[-1])

    def events(self) -> list[Event]:
        """What the journal has of the latest failover."""
        return self.journal.read(self.journal.failovers()[-1])

    async def when(self, kind: Kind) -> None:
        """Wait until the failover that was begun last has an Event of that kind."""
        async with asyncio.timeout(LONG):
            while len(self.journal.failovers()) == self.before or kind not in [
                event.kind for event in self.events()
            ]:
                await SystemClock().sleep(0.05)

    async def serving(self) -> frozenset[str] | None:
        """Who serves, by the driver's own look."""
        world = open_world(parse(self.fleet.read_text(encoding="utf-8"), filename="the lab's fleet"))
        try:
            return await carriers_of(world, world.fleet.groups[GROUP])
        finally:
            await world.close()

    def follows_the_machine(self) -> None:
        """Every look of the latest failover is one that the machine allows."""
        origin = self.latest().origin
        looks = [seen(event.data["seen"], origin) for event in self.events() if "seen" in event.data]
        assert strays(looks) == []


@pytest.fixture
def moves(pair: Lab, tmp_path: Path) -> Moves:
    """Failovers of the pair, which nfs-1 serves at the beginning of each test."""
    made = Moves(pair, tmp_path)
    if asyncio.run(made.serving()) != frozenset({"nfs-1"}):
        assert made.move("--to", "nfs-1").outcome == Ending.MOVED
    return made


async def apart(lab: Lab, host: str, script: str) -> None:
    """Run a script on a host that goes on when the login has ended."""
    await lab.ssh(host, ["sh", "-c", f"setsid nohup sh -c '{script}' >/dev/null 2>&1 </dev/null &"])


def test_nothing_that_was_acknowledged_is_lost_and_the_lock_is_kept(moves: Moves) -> None:
    async def story() -> None:
        work = Work(moves.lab, "kept")
        await work.begin()
        for _ in range(2):
            assert (await asyncio.to_thread(moves.move)).outcome == Ending.MOVED
            async with asyncio.timeout(LONG):
                await work.goes_on()
            assert await work.is_refused(), "the lock was lost by the move"
            moves.follows_the_machine()
        checked = await work.end()
        assert checked.acknowledged > 0
        assert (checked.lost, checked.broken, checked.problems) == (0, 0, ())

    asyncio.run(story())


def test_a_controller_that_is_killed_in_the_middle_is_followed_by_another(moves: Moves) -> None:
    async def story() -> None:
        first = moves.begin()
        await moves.when(Kind.FAILOVER_INTENT)
        first.send_signal(signal.SIGKILL)
        assert first.wait(LONG) == -signal.SIGKILL

    asyncio.run(story())
    assert moves.move("--resume").outcome == Ending.MOVED
    assert asyncio.run(moves.serving()) == frozenset({"nfs-2"})
    moves.follows_the_machine()


def goes_wrong(moves: Moves, host: str, script: str, mend: Callable[[Lab], object]) -> FailoverState:
    """A failover during which a script runs on a host from its first step on; mended afterwards."""
    asyncio.run(apart(moves.lab, host, f"{BEGUN}; {script}"))
    ended = moves.move()
    mend(moves.lab)
    moves.follows_the_machine()
    return ended


def mended(host: str, script: str) -> Callable[[Lab], object]:
    """What takes a fault off again."""
    return lambda lab: asyncio.run(lab.ssh(host, ["sh", "-c", script], timeout=120.0))


def test_a_busy_volume_is_named_and_the_service_stays(moves: Moves) -> None:
    ended = goes_wrong(
        moves, "nfs-1", f"cd {VOLUME} && exec sleep 600", mended("nfs-1", "pkill -f '[s]leep 600'")
    )
    assert ended.outcome == Ending.BACK
    assert "is busy" in ended.because and "sleep" in ended.because
    assert asyncio.run(moves.serving()) == frozenset({"nfs-1"})


def test_a_replication_that_goes_away_ends_with_one_that_serves(moves: Moves) -> None:
    connect = f'drbdadm connect {RESOURCE}; until [ "$(drbdadm cstate {RESOURCE})" = Connected ]; do sleep 0.5; done'
    ended = goes_wrong(moves, "nfs-2", f"drbdadm disconnect {RESOURCE}", mended("nfs-2", connect))
    assert ended.outcome in (Ending.BACK, Ending.MOVED)
    where = "nfs-2" if ended.outcome == Ending.MOVED else "nfs-1"
    assert asyncio.run(moves.serving()) == frozenset({where})


async def whole(lab: Lab) -> None:
    """Wait until both sides are connected and have the same data; a split brain is never that."""
    script = (
        f'until [ "$(drbdadm cstate {RESOURCE}) $(drbdadm dstate {RESOURCE})" = "Connected UpToDate/UpToDate" ]; '
        "do sleep 0.5; done"
    )
    await asyncio.gather(*(lab.ssh(host, ["sh", "-c", script], timeout=LONG) for host in ("nfs-1", "nfs-2")))


def test_a_cut_of_the_replication_is_noticed_before_drbd_does_and_what_is_written_meanwhile_is_kept(
    moves: Moves,
) -> None:
    async def story() -> None:
        work = Work(moves.lab, "cut")
        await work.begin()
        await moves.lab.set_link("nfs-2", "repl0", up=False)
        try:
            # The trap: DRBD says Connected and UpToDate for seconds yet, and a promotion of the other side would be done.
            ended = await asyncio.to_thread(moves.move)
            assert ended.outcome == Ending.REFUSED, ended.because
            await work.goes_on()
            again = await asyncio.to_thread(moves.move)
            assert again.outcome == Ending.REFUSED, again.because
            assert await moves.serving() == frozenset({"nfs-1"})
        finally:
            await moves.lab.set_link("nfs-2", "repl0", up=True)
        await whole(moves.lab)
        ended = await asyncio.to_thread(moves.move)
        assert ended.outcome == Ending.MOVED, ended.because
        await work.goes_on()
        checked = await work.end()
        assert (checked.lost, checked.broken, checked.problems) == (0, 0, ())

    asyncio.run(story())


def test_a_cut_of_the_replication_in_the_middle_promotes_no_older_data(moves: Moves) -> None:
    async def story() -> None:
        work = Work(moves.lab, "cut-in-the-middle")
        await work.begin()
        first = moves.begin()
        try:
            await moves.when(Kind.FAILOVER_INTENT)
            await moves.lab.set_link("nfs-2", "repl0", up=False)
            assert await asyncio.to_thread(first.wait, LONG) in (0, 4)
        finally:
            await moves.lab.set_link("nfs-2", "repl0", up=True)
        serving = await moves.serving()
        assert serving is not None and len(serving) <= 1
        assert moves.latest().outcome in (Ending.BACK, Ending.MOVED, Ending.STUCK)
        await whole(moves.lab)
        if not serving:
            assert (await asyncio.to_thread(moves.move, "--to", "nfs-1")).outcome == Ending.MOVED
        await work.goes_on()
        checked = await work.end()
        assert (checked.lost, checked.broken) == (0, 0)

    asyncio.run(story())


def test_a_server_that_does_not_stop_is_said_to(moves: Moves) -> None:
    # Writes wait for a frozen file system, and nfsd for the writes.
    waits = "for i in $(seq 100); do cat /proc/[0-9]*/stat | grep -q '(nfsd) D' && exit 0; sleep 0.2; done; exit 1"

    async def frozen() -> None:
        await Work(moves.lab, "frozen").begin()
        await moves.lab.ssh("nfs-1", ["sh", "-c", f"fsfreeze -f {VOLUME}; {waits}"], timeout=120.0)

    asyncio.run(frozen())
    ended = moves.move()
    asyncio.run(moves.lab.ssh("nfs-1", ["fsfreeze", "-u", VOLUME]))
    assert ended.outcome == Ending.STUCK
    assert "nfsd does not stop" in ended.because
    assert moves.move("--to", "nfs-1").outcome == Ending.MOVED
    asyncio.run(moves.lab.ssh("nfs-c1", ["touch", "/run/seatrial-work/stop"]))


def test_a_login_that_is_cut_off_in_the_middle_leaves_no_two_and_is_gone_on_with(moves: Moves) -> None:
    async def story() -> None:
        first = moves.begin()
        await moves.when(Kind.FAILOVER_INTENT)
        await moves.lab.set_link("nfs-2", "mgmt0", up=False)
        assert await asyncio.to_thread(first.wait, LONG) in (0, 4)
        await moves.lab.set_link("nfs-2", "mgmt0", up=True)

    asyncio.run(story())
    moves.follows_the_machine()
    ended = moves.latest()
    serving = asyncio.run(moves.serving())
    assert serving is not None and len(serving) <= 1
    if ended.outcome == Ending.STUCK:
        assert "does not answer" in ended.because


def test_a_peer_that_dies_in_the_middle_takes_a_persons_word(moves: Moves) -> None:
    async def story() -> None:
        first = moves.begin()
        await moves.when(Kind.FAILOVER_INTENT)
        await moves.lab.power_off("nfs-2")
        assert await asyncio.to_thread(first.wait, LONG) == 4

    asyncio.run(story())
    ended = moves.latest()
    moves.follows_the_machine()
    if ended.outcome == Ending.STUCK:
        assert "nfs-2 does not answer" in ended.because
        assert moves.move("--to", "nfs-1", "--force", "its power is off").outcome == Ending.MOVED
    assert asyncio.run(moves.serving()) == frozenset({"nfs-1"})
