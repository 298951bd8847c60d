"""The storage checks on the lab's NFS pair: real nfsd, DRBD and NFS clients, broken one way after the other.

Every question goes the way that `seatrial check` takes, with the fleet file of the lab, so that what hangs here hangs
there as well.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml

from seatrial.cli.lab import lab_fleet
from seatrial.fleetfile import parse
from seatrial.lab.lab import Lab
from seatrial.lab.nfspair import EXPORT, MOUNT, SCOPE, SERVICE
from seatrial.model.result import Outcome, Result
from seatrial.perform.asking import ask_checks
from seatrial.perform.exports import apply, compare
from seatrial.perform.world import open_world

pytestmark = pytest.mark.lab

PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN
LONG = 600.0
# A hung mount must not keep anybody: the checks' own limits are 10 s and 30 s, and this is for a machine that is busy.
BOUND = 240.0
SHUT = "add table inet shut; add chain inet shut input { type filter hook input priority 0; }; add rule inet shut input tcp dport 2049 drop"


@pytest.fixture(scope="module")
def pair() -> Iterator[Lab]:
    """The pair, which dies with the test run, whatever ends that."""
    with TemporaryDirectory(prefix="st-", dir="/tmp") as home, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", home)
        up = asyncio.run(
            Lab.up("pair", "nfs-pair", progress=lambda step, part: print(step), owner_pid=os.getpid())
        )
        yield up
        asyncio.run(up.down())
        assert not Path(home, "seatrial").exists(), "a lab that is down leaves no file"


async def ask(lab: Lab, *names: str, more: dict[str, dict[str, Any]] | None = None) -> dict[str, Result]:
    """The Results of the lab's checks of these names, or of all of them, and of `more`."""
    declared = yaml.safe_load(lab_fleet(lab))
    declared["checks"].update(more or {})
    world = open_world(parse(yaml.safe_dump(declared), filename="the lab's fleet"))
    wanted = (*names, *(more or {})) or tuple(world.fleet.checks)
    try:
        async with asyncio.timeout(BOUND):
            return dict(zip(wanted, await ask_checks(world, wanted), strict=True))
    finally:
        await world.close()


async def on(lab: Lab, host: str, script: str) -> str:
    return await lab.ssh(host, ["sh", "-ec", script], timeout=BOUND)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(LONG):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.5)


async def well(lab: Lab, *names: str) -> None:
    """Wait until these checks pass (all of them if none is named)."""
    told: list[str] = []

    async def passed() -> bool:
        results = (await ask(lab, *names)).values()
        told[:] = [result.because for result in results if result.outcome is not PASS]
        return not told

    try:
        await until(passed)
    except TimeoutError:
        pytest.fail(f"not well again: {told}")


@asynccontextmanager
async def broken(lab: Lab, host: str, script: str, mend: str) -> AsyncIterator[None]:
    """Break something on a host for as long as it takes."""
    await on(lab, host, script)
    try:
        yield
    finally:
        await on(lab, host, mend)


async def test_a_pair_that_is_well_passes_every_check_and_is_left_clean(pair: Lab) -> None:
    await well(pair)
    results = await ask(pair)
    assert len(results) == 7
    assert results["nfs"].because.endswith(f" ms and has {EXPORT}")
    assert results["share-nfs-c1"].evidence["source"] == f"{SERVICE}:{EXPORT}"
    assert len(results["exports"].evidence["clients"]) == 2
    assert (await on(pair, "nfs-c1", f"ls -A {MOUNT}")).strip() == ""


async def test_a_frozen_disk_hangs_who_writes_and_is_said_with_the_step(pair: Lab) -> None:
    async with broken(pair, "nfs-1", "fsfreeze -f /srv/volume", "fsfreeze -u /srv/volume"):
        results = await ask(pair, "nfs", "share-nfs-c1", "lock")
        # The server itself answers what it has in memory: only who writes can tell.
        assert results["nfs"].outcome is PASS
        assert results["share-nfs-c1"].because == f"{MOUNT} on nfs-c1: mkdir: no answer within 10 s"
        assert "kind nfs" in results["share-nfs-c1"].hint
        assert results["lock"].outcome is FAIL
        assert "no answer within 30 s" in results["lock"].because
    await well(pair, "share-nfs-c1", "lock")

    async def clean() -> bool:
        return (await on(pair, "nfs-c1", f"ls -A {MOUNT}")).strip() == ""

    # What was caught comes free with the disk, and takes away what it had begun.
    await until(clean)


async def test_checks_of_a_dead_mount_stop_adding_processes_to_it(pair: Lab) -> None:
    async with broken(pair, "nfs-1", "fsfreeze -f /srv/volume", "fsfreeze -u /srv/volume"):
        more = {
            f"share-{number}": {
                "from": "nfs-c2",
                "kind": "share",
                "path": MOUNT,
                "timeout": "1s",
            }
            for number in range(10)
        }
        results = await ask(pair, more=more)
        assert all(result.outcome is FAIL for result in results.values())
        assert results["share-9"].because == (
            f"{MOUNT} on nfs-c2: it hangs: processes of earlier checks still wait in it"
        )
    await well(pair, "share-nfs-c2")


async def test_packets_that_are_dropped_are_a_server_that_nobody_reaches(pair: Lab) -> None:
    async with broken(pair, "nfs-1", f"nft '{SHUT}'", "nft delete table inet shut"):
        results = await ask(pair, "nfs", "share-nfs-c1")
        assert results["nfs"].because == f"NFS at {SERVICE} accepts no connection within 10 s"
        assert results["share-nfs-c1"].outcome is FAIL
        assert "no answer within 10 s" in results["share-nfs-c1"].because
    await well(pair, "nfs", "share-nfs-c1", "share-nfs-c2")


async def test_a_server_that_waits_for_mountd_hangs_at_the_path(pair: Lab) -> None:
    stop = "pkill -STOP -x rpc.mountd; exportfs -f"
    async with broken(pair, "nfs-1", stop, "pkill -CONT -x rpc.mountd"):
        nfs = (await ask(pair, "nfs"))["nfs"]
        assert nfs.because == (
            f"NFS at {SERVICE} hangs: it answers NULL, but says nothing of {EXPORT} within 10 s"
        )
        assert "mountd" in nfs.hint
    await well(pair, "nfs", "share-nfs-c1", "share-nfs-c2")


async def test_a_full_disk_and_a_read_only_export_say_so(pair: Lab) -> None:
    fill = "for size in 64k 4k 1k; do dd if=/dev/zero of=/srv/volume/full-$size bs=$size 2>/dev/null || true; done"
    async with broken(pair, "nfs-1", fill, "rm /srv/volume/full-*"):
        share = (await ask(pair, "share-nfs-c1"))["share-nfs-c1"]
        assert share.outcome is FAIL
        assert share.because.endswith(": No space left on device")
    only = f"exportfs -o ro,sync,no_subtree_check,no_root_squash,fsid=1 192.0.2.0/24:{EXPORT}; exportfs -f"
    async with broken(pair, "nfs-1", only, "exportfs -ra; exportfs -f"):
        share = (await ask(pair, "share-nfs-c1"))["share-nfs-c1"]
        assert share.because == f"{MOUNT} on nfs-c1: mkdir: Read-only file system"
    await well(pair, "share-nfs-c1", "share-nfs-c2")


async def test_what_is_no_longer_exported_is_stale_for_its_clients_and_named_on_the_server(pair: Lab) -> None:
    async with broken(pair, "nfs-1", "exportfs -au; exportfs -f", "exportfs -ra; exportfs -f"):
        results = await ask(pair, "nfs", "share-nfs-c1", "exports")
        assert results["share-nfs-c1"].because == (
            f"{MOUNT} on nfs-c1: open: the handle is stale, the server does not know it any more"
        )
        assert f"umount -l {MOUNT}" in results["share-nfs-c1"].hint
        assert results["nfs"].because == f"NFS at {SERVICE} serves nothing to nfs-asker"
        assert results["exports"].because == f"{EXPORT} is configured on nfs-1, but not served"
    await well(pair, "nfs", "share-nfs-c1", "share-nfs-c2", "exports")


async def test_locks_that_only_their_own_client_knows_are_given_twice(pair: Lab) -> None:
    mount = f"mkdir -p /mnt/three; mount -t nfs -o vers=3,nolock {SERVICE}:{EXPORT} /mnt/three"
    lock = {"from": "nfs-c1", "with": "nfs-c2", "kind": "lock", "path": "/mnt/three", "timeout": "30s"}
    async with (
        broken(pair, "nfs-c1", mount, "umount /mnt/three"),
        broken(pair, "nfs-c2", mount, "umount /mnt/three"),
    ):
        result = (await ask(pair, more={"lock-three": lock}))["lock-three"]
        assert (result.outcome, result.because) == (
            FAIL,
            "nfs-c1 and nfs-c2 had the same lock at /mnt/three at the same time",
        )
        assert "nolock" in result.hint


async def test_a_client_that_hangs_is_named_with_its_mount_and_freed_by_the_commands_it_is_told(
    pair: Lab,
) -> None:
    busy = f"dd if=/dev/zero of={MOUNT}/busy bs=4k count=100000000 oflag=sync conv=notrunc"
    await on(pair, "nfs-c1", f"systemd-run --quiet --unit=busy {busy}")
    again = f"unshare --uts sh -c 'hostname {SCOPE} && exec rpc.nfsd --lease-time 10 --grace-time 10 8'"
    found: list[Result] = []

    async def seen(outcome: Outcome) -> bool:
        stuck = {"from": "nfs-c1", "kind": "processes", "timeout": "60s"}
        found[:] = [(await ask(pair, more={"stuck": stuck}))["stuck"]]
        return found[0].outcome is outcome

    async with broken(pair, "nfs-1", "rpc.nfsd 0", again):
        await until(lambda: seen(FAIL))
        await until(lambda: _named(found[0], seen))
        (mount,) = found[0].evidence["mounts"]
        assert (mount["path"], mount["source"], mount["answers"]) == (MOUNT, f"{SERVICE}:{EXPORT}", None)
        assert f"{MOUNT} from {SERVICE}:{EXPORT} does not answer within 3 s" in found[0].because
        (process,) = (one for one in mount["processes"] if one["name"] == "dd")
        assert process["unit"] == "busy.service"
        unmount, kill, again_mounted, restart = mount["free"]
        assert all(one in found[0].hint for one in mount["free"])
        # What it says is done, word for word; the server is still away.
        await on(pair, "nfs-c1", f"timeout 60 {unmount}; {kill} || true")
        await until(lambda: seen(PASS))
        assert restart == "systemctl restart busy.service"
        await on(pair, "nfs-c1", "systemctl stop busy.service 2>/dev/null || true")
    await on(pair, "nfs-c1", again_mounted)
    await on(pair, "nfs-c1", f"rm -f {MOUNT}/busy")
    await well(pair, "nfs", "share-nfs-c1", "share-nfs-c2")


async def _named(result: Result, seen: Callable[[Outcome], Awaitable[bool]]) -> bool:
    """Whether the unit's own process is among those that wait; the first to be caught may have been another."""
    names = [one["name"] for mount in result.evidence.get("mounts", ()) for one in mount["processes"]]
    return "dd" in names or (await seen(FAIL) and False)


async def test_exports_are_added_to_both_and_an_empty_answer_takes_nothing_from_a_client(
    pair: Lab, tmp_path: Path
) -> None:
    source = tmp_path / "wanted"
    source.write_text(f"{EXPORT}/one 192.0.2.0/24(rw,sync,no_subtree_check,fsid=11)\n")
    declared = yaml.safe_load(lab_fleet(pair))
    declared["exports"] = {"tools": {"group": "nfs", "file": str(source)}}
    world = open_world(parse(yaml.safe_dump(declared), filename="the lab's fleet"))
    tools = world.fleet.exports["tools"]
    await on(pair, "nfs-1", f"mkdir -p {EXPORT}/one")
    try:
        done = await apply(world, tools, await compare(world, tools), allowed=False, intent=lambda _: None)
        assert (done.problems, done.done) == ({}, ("nfs-1", "nfs-2"))
        files = [await on(pair, host, f"sha256sum <{tools.into}") for host in done.done]
        assert files[0] == files[1]
        assert f"{EXPORT}/one" in await on(pair, "nfs-1", "exportfs -s")
        assert f"{EXPORT}/one" not in await on(pair, "nfs-2", "exportfs -s")
        mounted = f"mkdir -p /mnt/one; mount -t nfs4 {SERVICE}:{EXPORT}/one /mnt/one; touch /mnt/one/file"
        async with broken(pair, "nfs-c1", mounted, "umount /mnt/one"):
            source.write_text("")
            done = await apply(
                world, tools, await compare(world, tools), allowed=False, intent=lambda _: None
            )
            assert len(done.plan.kept) == 1
            await on(pair, "nfs-c1", "touch /mnt/one/still")
        done = await apply(world, tools, await compare(world, tools), allowed=True, intent=lambda _: None)
        assert f"{EXPORT}/one" not in await on(pair, "nfs-1", "exportfs -s")
    finally:
        await world.close()
        for host in ("nfs-1", "nfs-2"):
            await on(pair, host, f"rm -f {tools.into} {tools.into}.previous")
    await on(pair, "nfs-1", f"rm -rf {EXPORT}/one")
    await well(pair, "exports", "share-nfs-c1", "share-nfs-c2")


async def test_a_cut_replication_is_seen_on_both_sides_and_comes_back(pair: Lab) -> None:
    async with broken(pair, "nfs-2", "ip link set repl0 down", "ip link set repl0 up"):

        async def seen() -> bool:
            results = await ask(pair, "drbd-first", "drbd-second", "share-nfs-c1")
            assert results["share-nfs-c1"].outcome is PASS, "one side is enough for the clients"
            return all(
                "is not connected to the peer" in results[f"drbd-{side}"].because
                for side in ("first", "second")
            )

        await until(seen)
    await well(pair, "drbd-first", "drbd-second")


async def test_a_split_brain_is_called_one_on_both_sides(pair: Lab) -> None:
    await on(pair, "nfs-2", "drbdadm disconnect tools")
    there = (
        "drbdadm primary tools; dd if=/dev/zero of=/dev/drbd0 bs=4k count=1 seek=20000 conv=fsync 2>/dev/null"
    )
    await on(pair, "nfs-2", f"{there}; drbdadm secondary tools")
    await on(
        pair, "nfs-1", "echo here >/srv/volume/here; sync; rm /srv/volume/here; drbdadm connect tools || true"
    )
    await on(pair, "nfs-2", "drbdadm connect tools")

    async def named() -> bool:
        results = (await ask(pair, "drbd-first", "drbd-second")).values()
        return all("has a split brain" in result.because for result in results)

    await until(named)
    mend = "drbdadm disconnect tools 2>/dev/null || true; drbdadm connect --discard-my-data tools"
    await on(pair, "nfs-2", mend)
    await on(pair, "nfs-1", "drbdadm connect tools || true")
    await well(pair, "drbd-first", "drbd-second")
