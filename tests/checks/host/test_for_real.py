"""The checks of a host asked for real: of this kernel, in a room of the test's own where something is to be broken."""

from __future__ import annotations

import asyncio
import ctypes
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from seatrial.clock import SystemClock
from seatrial.model.command import Vantage
from seatrial.model.fleet import Reach
from seatrial.model.result import Outcome, Result
from seatrial.vantage.open import open_vantage
from seatrial.vantage.pool import Pool

from .conftest import Room, answer

PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN
LONG = 120  # seconds; an end for tests that would hang, not an expectation

# posix_spawn waits, like vfork, until its child has begun the new program; and this child first opens a FIFO that
# nobody writes to. The kernel shows the parent in state D meanwhile.
STUCK = """
import os, sys
open("/proc/self/comm", "w").write("st-stuck")
print(flush=True)
os.posix_spawn("/bin/true", ["true"], {}, file_actions=[(os.POSIX_SPAWN_OPEN, 0, sys.argv[1], os.O_RDONLY, 0)])
"""

SHAPED = """
ip link add shaped type veth peer name other
ip link set shaped up
tc qdisc add dev shaped root handle 1: htb default 30
tc class add dev shaped parent 1: classid 1:10 htb rate 8mbit
tc class add dev shaped parent 1: classid 1:30 htb rate 500kbit
"""


@pytest.fixture
def here() -> Vantage:
    return open_vantage("vm", Reach(local=True), Pool())


async def until(room: Room, outcome: Outcome, declared: dict[str, Any]) -> Result:
    """Ask until the answer is the wanted one."""
    async with asyncio.timeout(LONG):
        while (result := await room.ask(**declared)).outcome is not outcome:
            await SystemClock().sleep(0.1)
    return result


async def test_what_hangs_in_the_kernel_is_named_and_what_was_let_go_is_not(
    room: Room, tmp_path: Path
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    argv = shlex.join([sys.executable, "-c", STUCK, str(fifo)])
    asked = {"kind": "processes", "names": ["st-stuck"], "pause": "100ms"}
    assert (await room.ask(**asked)).outcome is PASS
    stuck = room.start(f"exec {argv}", stdout=subprocess.PIPE)
    assert stuck.stdout is not None and stuck.stdout.readline() == "\n"
    result = await until(room, FAIL, asked)
    assert "1 of " in result.because and result.because.endswith("in the kernel: st-stuck (1)")
    assert (await room.ask(**asked, most=1)).outcome is PASS
    with fifo.open("wb"):
        assert stuck.wait(LONG) == 0
    stuck.stdout.close()
    assert (await room.ask(**asked)).outcome is PASS


async def test_the_load_is_what_the_kernel_says_on_the_processors_that_there_are(here: Vantage) -> None:
    while True:
        before = os.getloadavg()
        result = await answer(here, {"kind": "load", "most": 100_000})
        if before == os.getloadavg():
            break
    said = tuple(result.evidence[f"load{minutes}"] for minutes in (1, 5, 15))
    assert (result.outcome, said) == (PASS, tuple(round(load, 2) for load in before))
    assert result.evidence["processors"] == os.sysconf("SC_NPROCESSORS_ONLN")


@pytest.mark.parametrize("of", ["cpu", "io", "memory"])
async def test_pressure_is_counted_where_the_kernel_counts_it_and_unknown_elsewhere(
    here: Vantage, of: str
) -> None:
    try:
        counted = "some" in Path("/proc/pressure", of).read_text()
    except OSError:
        counted = False
    result = await answer(here, {"kind": "pressure", "of": of, "most": 100})
    assert result.outcome is (PASS if counted else UNKNOWN)
    assert ("some60" in result.evidence) is counted


async def test_a_setting_is_the_one_of_the_kernel_and_a_wrong_one_is_found(room: Room) -> None:
    asked = {"kind": "sysctl", "key": "net.ipv4.ip_forward", "value": 1}
    room.shell("echo 1 >/proc/sys/net/ipv4/ip_forward")
    assert (await room.ask(**asked)).outcome is PASS
    room.shell("echo 0 >/proc/sys/net/ipv4/ip_forward")
    assert (await room.ask(**asked)).because == "net.ipv4.ip_forward is 0, not 1"
    room.shell(
        "ip link add eth0.7 type veth peer name other; echo 2 >/proc/sys/net/ipv4/conf/eth0.7/rp_filter"
    )
    for key in ("net.ipv4.conf.eth0/7.rp_filter", "net/ipv4/conf/eth0.7/rp_filter"):
        assert (await room.ask(kind="sysctl", key=key, least=2, most=2)).outcome is PASS
    absent = await room.ask(kind="sysctl", key="net.ipv4.conf.eth1.rp_filter", least=0)
    assert (absent.outcome, absent.because) == (
        FAIL,
        "the kernel has no setting net.ipv4.conf.eth1.rp_filter",
    )


async def test_the_io_scheduler_is_the_one_in_brackets(here: Vantage) -> None:
    files = sorted(Path("/sys/block").glob("*/queue/scheduler"))
    asked = {"kind": "scheduler", "scheduler": "no-such", "disks": ["*"]}
    result = await answer(here, asked)
    if not files:
        assert result.outcome is UNKNOWN
        return
    active = {
        path.parts[3]: next((word[1:-1] for word in words if word[0] == "["), words[0])
        for path in files
        if (words := path.read_text().split())
    }
    assert (result.outcome, result.evidence["count"]) == (FAIL, len(active))
    assert dict(result.evidence["disks"]) == dict(list(active.items())[:20])
    disk, word = next(iter(active.items()))
    assert (await answer(here, {**asked, "scheduler": word, "disks": [disk]})).outcome is PASS


async def test_shaping_that_was_put_there_is_seen_and_what_was_changed_or_dropped_is_found(
    room: Room,
) -> None:
    asked = {
        "kind": "qdisc",
        "device": "shaped",
        "root": "htb",
        "classes": {"1:10": "8mbit", "1:30": "500kbit"},
    }
    assert (await room.ask(**asked)).because == "vm has no interface shaped"
    room.shell(SHAPED)
    result = await room.ask(**asked)
    assert (result.outcome, result.because) == (PASS, "shaped has htb with 1:10 at 8mbit, 1:30 at 500kbit")
    room.shell("tc class change dev shaped parent 1: classid 1:10 htb rate 80mbit")
    assert (await room.ask(**asked)).because == "class 1:10 of shaped has 80mbit, not 8mbit"
    room.shell("tc qdisc del dev shaped root")
    assert "shaped has no class 1:10" in (await room.ask(**asked)).because


async def test_a_mount_is_seen_with_its_options_and_one_that_became_read_only_is_found(
    room: Room, tmp_path: Path
) -> None:
    place, table = tmp_path / "a place", tmp_path / "fstab"
    place.mkdir()
    table.write_text(
        f"tmpfs {str(place).replace(' ', chr(92) + '040')} tmpfs nodev 0 0\nnone none swap sw 0 0\n"
    )
    # The room has an /etc of its own, since not every machine has this file.
    room.shell(f"mount -t tmpfs tmpfs /etc; cat {shlex.quote(str(table))} >/etc/fstab")
    asked = {"kind": "mounts", "path": str(place), "type": "tmpfs", "options": ["nodev"], "writable": True}
    missing = await room.ask(kind="mounts", fstab=True)
    assert (missing.outcome, missing.because) == (FAIL, f"{place} of /etc/fstab is not mounted")
    assert (await room.ask(**asked)).because == f"nothing is mounted at {place}"
    room.shell(f"mount -t tmpfs -o nodev wanted {shlex.quote(str(place))}")
    assert (await room.ask(**asked, source="wanted", fstab=True)).outcome is PASS
    room.shell(f"mount -o remount,ro {shlex.quote(str(place))}")
    assert (await room.ask(**asked)).because == f"{place} is read-only"


async def test_room_and_inodes_are_counted_and_a_full_place_is_found(room: Room, tmp_path: Path) -> None:
    room.shell(f"mount -t tmpfs -o size=4m,nr_inodes=50 tmpfs {shlex.quote(str(tmp_path))}")
    asked = {"kind": "disk", "path": str(tmp_path), "least": "2M", "least_inodes": "10"}
    result = await room.ask(**asked)
    assert result.outcome is PASS
    assert (result.evidence["bytes"], result.evidence["inodes"]) == (4 * 2**20, 50)
    room.shell(f"cd {shlex.quote(str(tmp_path))}; for i in $(seq 45); do : >$i; done")
    assert "of 50 inodes" in (await room.ask(**asked)).because
    room.shell(f"cd {shlex.quote(str(tmp_path))}; head -c 3m /dev/zero >1; rm 2 3 4 5 6 7 8 9")
    assert "only 1.0M of 4.0M (25.0 %) are free" in (await room.ask(**asked)).because


async def test_a_clock_that_follows_another_is_fine_and_one_that_lost_it_is_found(
    room: Room, tmp_path: Path
) -> None:
    # `-x` keeps chronyd's hands off the clock, which is this machine's own.
    (tmp_path / "server").write_text(
        f"local stratum 8\nallow 127.0.0.1\nport 11123\ncmdport 0\npidfile {tmp_path}/server.pid\n"
        "bindcmdaddress /run/server/sock\n"
    )
    (tmp_path / "client").write_text(
        f"server 127.0.0.1 port 11123 iburst minpoll 0 maxpoll 0\nport 0\npidfile {tmp_path}/client.pid\n"
    )
    room.shell("ip link set lo up; mount -t tmpfs tmpfs /run")
    asked = {"kind": "time", "most": "1h"}
    start = f"cd {shlex.quote(str(tmp_path))}; exec chronyd -d -x -u root -f"
    running = [room.start(f"{start} client >client.log 2>&1")]
    try:
        assert (await until(room, FAIL, asked)).evidence["by"] in ("chrony", "the kernel")
        running.append(room.start(f"{start} server >server.log 2>&1"))
        result = await until(room, PASS, asked)
        assert result.because.startswith("the clock is synchronised (chrony by 127.0.0.1), 0.")
        assert (await room.ask(kind="time", most="0s")).outcome is FAIL
    finally:
        for one in running:
            one.kill()
            one.wait()


async def test_without_chrony_the_kernel_is_believed(here: Vantage) -> None:
    result = await answer(here, {"kind": "time", "most": "30d"})
    # The kernel's own word: 5 is TIME_ERROR, "the clock is not synchronised". All zeros is a request to read.
    kernel = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(1024))
    if result.evidence["by"] == "the kernel":
        assert result.outcome is (FAIL if kernel == 5 else PASS)
    else:
        assert str(result.evidence["by"]).startswith("chrony")
