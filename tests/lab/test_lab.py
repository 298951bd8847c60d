"""The lab with real kernels: what it promises to the engine and to people."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from seatrial.clock import monotonic
from seatrial.errors import LabError
from seatrial.lab.gateway import PRODUCTION, STAGING
from seatrial.lab.lab import Lab, take_down
from seatrial.lab.places import lab_home
from seatrial.lab.scenario import Scenario
from seatrial.vantage import process

pytestmark = pytest.mark.lab


async def loss(lab: Lab, endpoint: str, address: str, *options: str) -> int:
    """Percent of five echo requests that got no answer."""
    ended = await process.run([*lab.enter(endpoint), "ping", "-q", "-c5", "-i0.2", "-W2", *options, address])
    line = next(line for line in ended.stdout.decode().splitlines() if "packet loss" in line)
    return int(line.split("%")[0].split()[-1])


async def until(holds: Callable[[], Awaitable[bool]], limit: float) -> None:
    """Wait until a condition holds; the limit (seconds) is generous, since others use this machine too."""
    async with asyncio.timeout(limit):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.2)


async def boot(lab: Lab, host: str, release: str) -> None:
    """Boot a host once into a kernel, and wait until it can be logged in to."""
    since = monotonic()
    await lab.boot_once(host, release)
    await lab.wait_for_boot(host, since=since)


async def test_translated_and_routed_traffic_pass_and_what_was_not_asked_for_does_not(lab: Lab) -> None:
    for stage in (STAGING, PRODUCTION):
        short = stage.short
        assert await loss(lab, f"{short}-vm-private", stage.outside) == 0
        assert await loss(lab, f"{short}-vm-private", stage.outside, "-M", "do", "-s", "1472") == 0
        assert await loss(lab, f"{short}-vm-public", stage.outside) == 0
        assert await loss(lab, f"{short}-outside", stage.vm_public) == 0
        assert await loss(lab, f"{short}-outside", stage.vm_private) == 100


async def test_services_answer_and_see_the_translated_address(lab: Lab) -> None:
    ask = "import urllib.request as u,sys; print(u.urlopen(sys.argv[1], timeout=20).read().decode())"
    url = f"http://{STAGING.services}/"
    ended = await process.run([*lab.enter("s-vm-private"), sys.executable, "-c", ask, url])
    assert b"seatrial lab" in ended.stdout
    assert STAGING.wan_gateway in (lab.home / "s-services-http.log").read_text()


async def test_nothing_of_the_lab_is_among_this_machines_interfaces(lab: Lab) -> None:
    shown = (await process.run(["ip", "-o", "link"])).stdout.decode()
    for name in (*lab.topology.segments, *lab.endpoints):
        assert name not in shown


async def test_the_pair_moves_its_addresses_when_told_and_not_otherwise(lab: Lab) -> None:
    assert await lab.owner("gw-p") == "gw-p1"
    await lab.move("gw-p", "gw-p2")
    assert await lab.owner("gw-p") == "gw-p2"
    assert await loss(lab, "p-vm-private", PRODUCTION.outside) == 0
    await lab.move("gw-p", "gw-p1")
    assert await loss(lab, "p-outside", PRODUCTION.vm_public) == 0


async def test_the_candidate_boots_once_with_the_fault_and_the_good_kernel_is_well(lab: Lab) -> None:
    await lab.apply(Scenario.GATEWAY_2021, progress=lambda step, part: None, hosts=["gw-s1"])
    await boot(lab, "gw-s1", lab.kernels.candidate)
    assert (await lab.ssh("gw-s1", ["uname", "-r"])).strip() == lab.kernels.candidate
    assert await loss(lab, "s-vm-private", STAGING.outside) == 100
    assert await loss(lab, "s-vm-public", STAGING.outside) == 0
    since = monotonic()
    await lab.ssh("gw-s1", ["systemctl", "reboot"])
    await lab.wait_for_boot("gw-s1", since=since)
    assert (await lab.ssh("gw-s1", ["uname", "-r"])).strip() == lab.kernels.good
    assert await loss(lab, "s-vm-private", STAGING.outside) == 0


async def test_a_panic_ends_in_the_good_kernel_by_itself(lab: Lab) -> None:
    await lab.apply(Scenario.PANIC, progress=lambda step, part: None, hosts=["gw-s1"])
    since = monotonic()
    await lab.boot_once("gw-s1", lab.kernels.candidate)
    await until(lambda: _good_again(lab, since), 600)
    assert any("panic" in line.text for line in lab.console("gw-s1") if line.at > since)
    await lab.apply(Scenario.GOOD, progress=lambda step, part: None, hosts=["gw-s1"])


async def _good_again(lab: Lab, since: float) -> bool:
    boots = [boot for boot in lab.boot_timings("gw-s1") if boot.began >= since]
    if len(boots) < 2:
        return False
    done = await lab.wait_for_boot("gw-s1", since=boots[1].began)
    return done.release == lab.kernels.good


async def test_a_cut_cable_loses_packets_and_a_plugged_one_does_not(lab: Lab) -> None:
    await lab.set_link("gw-s1", "wan0", up=False)
    assert await loss(lab, "s-vm-public", STAGING.outside) == 100
    await lab.set_link("gw-s1", "wan0", up=True)

    async def passes() -> bool:
        return await loss(lab, "s-vm-public", STAGING.outside) == 0

    await until(passes, 120)


async def test_a_second_lab_of_the_same_name_is_refused(lab: Lab) -> None:
    with pytest.raises(LabError, match="is up already"):
        await Lab.up(lab.name, progress=lambda step, part: None)
    assert lab.name in Lab.names()
    assert Lab.attach(lab.name).kernels == lab.kernels


@pytest.mark.parametrize("how", ["killed", "orphaned"])
async def test_a_lab_dies_with_its_warden_and_with_its_owner(how: str, short_home: None) -> None:
    owner = await process.start(["sleep", "infinity"])
    try:
        # Nothing is booted to its end here: the processes are there as soon as the warden says so.
        up = asyncio.create_task(Lab.up("mortal", progress=lambda step, part: None, owner_pid=owner.pid))
        home = lab_home("mortal")

        async def begun() -> bool:
            return (home / "ssh_config").exists()

        await until(begun, 240)
        said = Lab.attach("mortal").status()
        pids = [host.pid for host in said.hosts.values()] + [place.pid for place in said.endpoints.values()]
        assert len(pids) == 11
        os.kill(said.pid if how == "killed" else owner.pid, signal.SIGKILL)

        async def gone() -> bool:
            return not any(_runs(pid) for pid in (said.pid, *pids))

        await until(gone, 120)
        up.cancel()
        await asyncio.gather(up, return_exceptions=True)
        await take_down(home)
        assert not home.exists()
    finally:
        process.end_group(owner.pid, signal.SIGKILL)
        await owner.wait()


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
