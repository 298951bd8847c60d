"""Which kernel runs, which are installed, which will be booted the next time and every time?

The environment block of GRUB is read with cat: `grub-editenv list` would make the file where it is missing. What
every boot takes is in GRUB's menu as well, so where that is asked for, the boot room reads it, as it does for a trial.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from seatrial.boot.grub import Grub
from seatrial.checks.asked import made, unknown
from seatrial.checks.reading import clean, why_not
from seatrial.model.check.host import KernelCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result

IMAGE = "vmlinuz-"


def commands(check: KernelCheck) -> tuple[Command, ...]:
    """Three readings, in this order, and the whole of the boot room's where the check asks for later boots."""
    return (
        Command(name="kernel.running", argv=("uname", "-r"), timeout=check.timeout),
        Command(name="kernel.installed", argv=("ls", "-1", "/boot"), timeout=check.timeout),
        Command(name="kernel.next", argv=("cat", "/boot/grub/grubenv"), timeout=check.timeout),
        *((replace(Grub().facts(), timeout=check.timeout),) if _asks_for_later(check) else ()),
    )


def judge(name: str, check: KernelCheck, outputs: Sequence[Output]) -> Result:
    """PASS when the running kernel is on disk, and it and those of later boots are the wanted ones."""
    for number in (0, 1):
        if why := why_not(outputs[number] if number < len(outputs) else None, check.source_vantage):
            return unknown(name, check, why)
    running = clean(outputs[0].stdout.strip())
    files = [clean(line) for line in outputs[1].stdout.splitlines()]
    installed = sorted(line.removeprefix(IMAGE) for line in files if line.startswith(IMAGE))
    setting = _environment(outputs[2]) if len(outputs) > 2 else {}
    evidence: dict[str, object] = {"running": running, "installed": installed, "grubenv": setting}
    if running not in installed:
        because = f"{running} runs, but /boot has no such kernel"
        return made(
            name, check, Outcome.FAIL, because, hint="the next boot takes another one", evidence=evidence
        )
    if check.running not in (None, running):
        because = f"{running} runs, not {check.running}"
        hint = f"{check.running} is {'' if check.running in installed else 'not '}installed"
        return made(name, check, Outcome.FAIL, because, hint=hint, evidence=evidence)
    if not _asks_for_later(check):
        later = f"; set for the next boot: {setting['next_entry']}" if setting.get("next_entry") else ""
        because = f"{running} runs, {len(installed)} installed{later}"
        return made(name, check, Outcome.PASS, because, evidence=evidence)
    return _judge_later(name, check, running, outputs[3] if len(outputs) > 3 else None, evidence)


def _asks_for_later(check: KernelCheck) -> bool:
    return check.default is not None or check.next is not None


def _judge_later(
    name: str, check: KernelCheck, running: str, output: Output | None, evidence: dict[str, object]
) -> Result:
    place = check.source_vantage
    if why := why_not(output, place):
        return unknown(name, check, why)
    assert output is not None
    facts = Grub().read(output)
    if facts is None or {"cfg", "env"}.intersection(facts.unread):
        hint = "is it GRUB, and may the login read /boot/grub?"
        return unknown(name, check, (f"{place} does not say what its boot loader takes", hint))
    default = clean(facts.default or "an entry of no known kernel")
    coming = clean(facts.next or facts.pending or "none")
    evidence |= {"default": default, "next": coming}
    wanted = running if check.default == "running" else check.default
    wrong = [f"every boot takes {default}, not {wanted}"] if wanted not in (None, default) else []
    if check.next not in (None, coming):
        wrong.append(f"{coming} is set for the next boot, not {check.next}")
    if wrong:
        hint = f"`grub-set-default` and `grub-reboot` on {place} set them"
        return made(name, check, Outcome.FAIL, "; ".join(wrong), hint=hint, evidence=evidence)
    because = f"{running} runs, every boot takes {default}, set for the next boot: {coming}"
    return made(name, check, Outcome.PASS, because, seconds=output.seconds, evidence=evidence)


def _environment(output: Output) -> dict[str, str]:
    """What GRUB remembers; a host without that file has another boot loader, which is no failure."""
    lines = output.stdout.splitlines() if output.ok else []
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {clean(key, 60): clean(value) for key, _, value in list(pairs)[:20]}
