"""The guard on a real Debian host with GRUB in QEMU, over the lab: nothing here is played.

One lab for all of it, since each boot costs tens of seconds: the refusals first, which must change nothing, then a
trial that nobody blesses, then one that is blessed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from seatrial.boot import guard
from seatrial.boot.grub import Grub
from seatrial.lab.lab import Lab
from seatrial.model.command import Command, Output
from seatrial.model.hostfacts import Sight
from seatrial.vantage import process

HOST = "gw-s1"
GRUB = Grub()
# Everything that arming could have left behind.
SNAPSHOT = (
    "find /etc /boot/grub /var/lib/seatrial ! -type d 2>/dev/null | sort | xargs -d '\\n' md5sum 2>/dev/null; "
    "find /etc /var/lib/seatrial -type d -o -type l 2>/dev/null | sort"
)
FILL = "dd if=/dev/zero of=/var/tmp/fill bs=64k 2>/dev/null; dd if=/dev/zero of=/var/tmp/rest bs=1k 2>/dev/null; sync"
SPOILED = {
    "full disk": (FILL, "rm -f /var/tmp/fill /var/tmp/rest", "no room"),
    "read-only /boot": (
        "mount --bind /boot /boot && mount -o remount,bind,ro /boot",
        "umount /boot",
        "grubenv cannot be written",
    ),
    "read-only /etc": (
        "mount --bind /etc /etc && mount -o remount,bind,ro /etc",
        "umount /etc",
        "no room or no right",
    ),
}


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    up = await Lab.up("guard-test", "gateway-staging", progress=lambda said, _: print(said))
    try:
        yield up
    finally:
        await up.down()


async def ask(lab: Lab, *commands: Command) -> list[Output]:
    outputs = []
    for command in commands:
        ended = await process.run(
            lab.ssh_argv(HOST, command.argv), stdin=command.stdin, timeout=120, limit=command.limit
        )
        # 255 is ssh's own: no answer from the host.
        outputs.append(
            Output(
                command=command,
                status=None if ended.status == 255 else ended.status,
                stdout=ended.stdout.decode(errors="replace"),
                stderr=ended.stderr.decode(errors="replace"),
            )
        )
    return outputs


async def look(lab: Lab) -> Sight | None:
    return guard.read_look(GRUB, await ask(lab, *guard.look_commands(GRUB, whole=True)))


async def until_running(lab: Lab, kernel: str, *, not_boot: str) -> Sight:
    """Wait for another boot than `not_boot` that runs `kernel`; the limit is for giving up, not an expectation."""
    async with asyncio.timeout(900):
        while True:
            sight = await look(lab)
            if sight and sight.boot.boot_id != not_boot and sight.boot.running == kernel:
                return sight
            await asyncio.sleep(5)


async def shell(lab: Lab, script: str) -> str:
    return await lab.ssh(HOST, ["sh", "-c", script], timeout=300)


def arm(sight: Sight, lab: Lab, seconds: float, trial: str) -> Sequence[Command]:
    candidate = lab.kernels.candidate
    entry = sight.boot.kernels[candidate].entry
    assert entry
    return (
        guard.arm(trial=trial, facts=sight.boot, good=lab.kernels.good, candidate=candidate, seconds=seconds),
        GRUB.boot_once(entry),
        guard.reboot(),
    )


@pytest.mark.lab
async def test_a_real_host_refuses_goes_back_by_itself_and_keeps_a_blessing(lab: Lab) -> None:
    good, candidate = lab.kernels.good, lab.kernels.candidate
    start = await look(lab)
    assert start is not None
    assert start.guard.phase == "absent"
    assert {result.outcome.value for result in GRUB.refusals(start.boot, good, candidate)} == {"pass"}

    before = await shell(lab, SNAPSHOT)
    for name, (spoil, mend, says) in SPOILED.items():
        await shell(lab, spoil)
        (refused,) = await ask(lab, arm(start, lab, 90, "t0")[0])
        spoiled = await look(lab)
        await shell(lab, mend)
        assert refused.status == 3, name
        assert says in refused.stdout, name
        assert spoiled is not None
        assert "fail" in {r.outcome.value for r in GRUB.refusals(spoiled.boot, good, candidate)}, name
        assert await shell(lab, SNAPSHOT) == before, name

    # A trial that nobody blesses: nobody is connected from the reboot on until the good kernel is back.
    for output in await ask(lab, *arm(start, lab, 120, "t1")):
        assert output.ok, output
    back = await until_running(lab, good, not_boot=start.boot.boot_id)
    assert back.guard.phase == "reverted", back.guard
    assert back.guard.boots == 1
    assert "uptime 120 s passed without a blessing" in back.guard.because
    assert (back.boot.default, back.boot.pending) == (good, "")

    # A trial that is blessed: the default has changed, the guard is gone, and a reboot does not bring it back.
    for output in await ask(lab, *arm(back, lab, 900, "t2")):
        assert output.ok, output
    up = await until_running(lab, candidate, not_boot=back.boot.boot_id)
    assert (up.guard.phase, up.guard.watching, up.boot.default) == ("armed", True, good)
    (wrong,) = await ask(lab, guard.bless(trial="t2", boot_id=back.boot.boot_id, kernel=candidate))
    assert wrong.status == 3
    (blessed,) = await ask(lab, guard.bless(trial="t2", boot_id=up.boot.boot_id, kernel=candidate))
    assert blessed.ok, blessed
    await ask(lab, guard.reboot())
    again = await until_running(lab, candidate, not_boot=up.boot.boot_id)
    assert (again.guard.phase, again.guard.watching, again.boot.default) == ("blessed", False, candidate)
    (cleaned,) = await ask(lab, guard.clean())
    assert cleaned.ok
    assert "seatrial-guard" not in await shell(lab, "find /etc/systemd")
