"""Which kernel runs, which are installed, and is one set for the next boot only? The whole truth is the boot room's.

The environment block of GRUB is read with cat: `grub-editenv list` would make the file where it is missing.
"""

from __future__ import annotations

from collections.abc import Sequence

from seatrial.checks.asked import made, unknown
from seatrial.checks.reading import clean, why_not
from seatrial.model.check.host import KernelCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result

IMAGE = "vmlinuz-"


def commands(check: KernelCheck) -> tuple[Command, ...]:
    """Three readings, in this order."""
    return (
        Command(name="kernel.running", argv=("uname", "-r"), timeout=check.timeout),
        Command(name="kernel.installed", argv=("ls", "-1", "/boot"), timeout=check.timeout),
        Command(name="kernel.next", argv=("cat", "/boot/grub/grubenv"), timeout=check.timeout),
    )


def judge(name: str, check: KernelCheck, outputs: Sequence[Output]) -> Result:
    """PASS when the running kernel is on disk, so that it could be booted again; FAIL when it is not."""
    for number in (0, 1):
        if why := why_not(outputs[number] if number < len(outputs) else None, check.source_vantage):
            return unknown(name, check, why)
    running = clean(outputs[0].stdout.strip())
    files = [clean(line) for line in outputs[1].stdout.splitlines()]
    installed = sorted(line.removeprefix(IMAGE) for line in files if line.startswith(IMAGE))
    setting = _environment(outputs[2]) if len(outputs) > 2 else {}
    evidence = {"running": running, "installed": installed, "grubenv": setting}
    if running not in installed:
        because = f"{running} runs, but /boot has no such kernel"
        return made(
            name, check, Outcome.FAIL, because, hint="the next boot takes another one", evidence=evidence
        )
    later = f"; set for the next boot: {setting['next_entry']}" if setting.get("next_entry") else ""
    return made(
        name, check, Outcome.PASS, f"{running} runs, {len(installed)} installed{later}", evidence=evidence
    )


def _environment(output: Output) -> dict[str, str]:
    """What GRUB remembers; a host without that file has another boot loader, which is no failure."""
    lines = output.stdout.splitlines() if output.ok else []
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {clean(key, 60): clean(value) for key, _, value in list(pairs)[:20]}
