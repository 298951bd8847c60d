"""All checks of a host, asked together of a real guest: well as it comes up, and each found that was broken."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from seatrial.clock import SystemClock
from seatrial.lab.lab import Lab
from seatrial.model.fleet import Fleet
from seatrial.model.result import Outcome, Result
from seatrial.perform.asking import ask_checks
from seatrial.perform.world import open_world

pytestmark = pytest.mark.lab

PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN
HOST = "gw-s1"
LONG = 900  # seconds; an end for a test that would hang, not an expectation

WELL: dict[str, dict[str, Any]] = {
    "processes": {"kind": "processes"},
    "load": {"kind": "load", "most_per_cpu": 1000},
    "cpu": {"kind": "pressure", "of": "cpu", "most": 100},
    "io": {"kind": "pressure", "of": "io", "share": "full", "most": 100},
    "memory": {"kind": "pressure", "of": "memory", "most": 100},
    "forwarding": {"kind": "sysctl", "key": "net.ipv4.ip_forward", "value": 1},
    "scheduler": {"kind": "scheduler", "scheduler": "mq-deadline"},
    "qdisc": {"kind": "qdisc", "device": "lan0", "root": "fq_codel"},
    "root": {"kind": "mounts", "path": "/", "type": "ext4", "writable": True, "fstab": True},
    "disk": {"kind": "disk", "path": "/"},
    "units": {"kind": "unit", "failed": "none"},
    "sshd": {"kind": "unit", "unit": "ssh.service"},
    "kernel": {"kind": "kernel", "default": "running", "next": "none"},
}
# The guest keeps no journal of the boot before, and nobody sets its clock.
OTHERWISE: dict[str, dict[str, Any]] = {"dmesg": {"kind": "dmesg"}, "time": {"kind": "time"}}

BREAK = """
echo 0 >/proc/sys/net/ipv4/ip_forward
tc qdisc replace dev lan0 root handle 1: htb default 10
tc class add dev lan0 parent 1: classid 1:10 htb rate 1gbit
disk=$(ls /sys/block | grep -m1 nvme); echo none >/sys/block/$disk/queue/scheduler
systemd-run --unit=broken /bin/false
modprobe dm-mod
dmsetup create stuck --table '0 20480 zero'
dmsetup mknodes
dmsetup suspend stuck
nohup dd if=/dev/mapper/stuck of=/dev/null bs=4096 count=1 </dev/null >/dev/null 2>&1 &
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """One guest, which dies with the test run, whatever ends that."""
    # Short, because the paths of unix sockets are; the images stay in the user's own cache.
    with TemporaryDirectory(prefix="st-", dir="/tmp") as home, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", home)
        up = asyncio.run(
            Lab.up(
                "hosts",
                "gateway-staging",
                progress=lambda step, part: print(step),
                owner_pid=os.getpid(),
            )
        )
        yield up
        asyncio.run(up.down())
        assert not Path(home, "seatrial").exists(), "a lab that is down leaves no file"


def fleet_of(lab: Lab) -> Fleet:
    reach = {"ssh": HOST, "ssh_config": str(lab.ssh_config)}
    checks = {**WELL, **OTHERWISE, "running": {"kind": "kernel", "running": lab.kernels.good}}
    declared = {name: {"from": HOST, "timeout": "120s", **check} for name, check in checks.items()}
    return Fleet.model_validate_json(
        json.dumps(
            {
                "version": 1,
                "name": "guest",
                "stages": [{"name": "staging"}],
                "hosts": {HOST: {"stage": "staging", "roles": ["gateway"], "reach": reach}},
                "checks": declared,
            }
        )
    )


async def asked(lab: Lab, expected: dict[str, Outcome]) -> dict[str, Result]:
    """Ask all checks until they answer as expected: a guest that has just come up is busy for a while."""
    world = open_world(fleet_of(lab))
    results: dict[str, Result] = {}
    try:
        async with asyncio.timeout(LONG):
            while True:
                results = {one.check: one for one in await ask_checks(world, world.fleet.checks)}
                if {name: one.outcome for name, one in results.items()} == expected:
                    return results
                await SystemClock().sleep(1)
    except TimeoutError:
        raise AssertionError({name: (one.outcome, one.because) for name, one in results.items()}) from None
    finally:
        await world.close()


async def test_a_guest_is_well_in_all_that_a_host_is_asked_and_what_is_broken_is_found(lab: Lab) -> None:
    well = {**dict.fromkeys(WELL, PASS), "dmesg": UNKNOWN, "time": FAIL, "running": PASS}
    results = await asked(lab, well)
    good = lab.kernels.good
    assert results["kernel"].because == f"{good} runs, every boot takes {good}, set for the next boot: none"
    assert results["dmesg"].hint == "with Storage=persistent in journald.conf the boot before is kept"
    await lab.ssh(HOST, ["sh", "-ec", BREAK])
    broken = dict.fromkeys(("processes", "forwarding", "scheduler", "qdisc", "units"), FAIL)
    results = await asked(lab, {**well, **broken})
    said = {name: results[name].because for name in broken}
    assert said["processes"].endswith("hangs in the kernel: dd (1)")
    assert said["forwarding"] == "net.ipv4.ip_forward is 0, not 1"
    assert said["scheduler"].endswith("has none; mq-deadline is wanted")
    assert said["qdisc"] == "lan0 has htb, not fq_codel"
    assert said["units"] == "a unit has failed: broken.service"
    await lab.ssh(HOST, ["dmsetup", "resume", "stuck"])
    del broken["processes"]
    await asked(lab, {**well, **broken})
