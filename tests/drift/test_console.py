"""A console that waits for a key: that of 2017, GRUB's prompt, a rescue shell; and consoles that wait for nobody."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from seatrial.drift.find.console import waits_for_a_key
from seatrial.model.fleet import Fleet, Host, Reach, Stage
from seatrial.perform.drifting import audit
from seatrial.perform.world import open_world


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("UEFI0067: A PCIe link training failure is observed.\r\n\x1b[1mPress F1 to continue, F2 to run setup.\x1b[0m", "PCIe link training failure"),
        ("Strike the F1 key to continue", "waits for a key"),
        ("GNU GRUB\nMinimal BASH-like line editing\ngrub> ", "GRUB waits at its prompt"),
        ("error: no such device: 1234.\ngrub rescue> ", "after: error: no such device: 1234."),
        ("ALERT! UUID=x does not exist. Dropping to a shell!\n(initramfs) ", "rescue shell"),
        ("You are in emergency mode.\nGive root password for maintenance\n(or press Control-D to continue): ", "rescue shell"),
        ("2026-11-24T23:01:55.946+00:00 error: no such device.\n2026-11-24T23:01:56Z grub rescue> ", "after: error: no such device."),
        ("34210.972 2026-11-24T23:01:55.946+00:00 ALERT!\n34210.980 2026-11-24T23:01:55.954+00:00 (initramfs) ", "did not mount: (initramfs) (after: ALERT!)"),
        ("[2026-11-24 23:01:55] Press Enter to continue.", "rescue shell"),
        ("[    1.0] Linux version\nDebian GNU/Linux 12 gw ttyS0\n\ngw login: ", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_what_the_last_lines_wait_for(text: str, says: str) -> None:
    found = list(waits_for_a_key(text))
    assert bool(found) is bool(says)
    assert not says or says in found[0].because
    assert all(one.because.isprintable() for one in found)


def test_what_was_answered_long_ago_is_no_finding() -> None:
    text = "Press any key to continue\n" + "\n".join(f"[   {at}.0] line" for at in range(30))
    assert list(waits_for_a_key(text)) == []


async def test_the_console_of_a_host_that_does_not_answer_is_read(tmp_path: Path) -> None:
    kept = tmp_path / "console.log"
    kept.write_bytes(b"\xff" * 30_000 + b"\nPCIe link training failure\nPress F1 to continue")
    config = tmp_path / "ssh_config"
    config.write_text("Host gone\n  HostName 127.0.0.1\n  Port 1\n")
    host = Host(stage="s", roles=("r",), reach=Reach(ssh="gone", ssh_config=str(config)), console=str(kept))
    world = open_world(Fleet(version=1, name="t", stages=(Stage(name="s"),), hosts={"gone": host}))
    try:
        async with asyncio.timeout(120):
            found = (await audit(world, ("gone",))).audits["gone"]
    finally:
        await world.close()
    assert [one.name for one in found.findings] == ["boot.console"]
    assert "after: PCIe link training failure" in found.findings[0].because
    assert [one.name for one in found.unknown] == ["host"]
