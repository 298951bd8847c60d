"""Have the disks of a host the IO scheduler that is wanted? What is not in: its settings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

from seatrial.checks.asked import made, unknown
from seatrial.checks.host.files import first_trouble, not_understood
from seatrial.model.check.host import SchedulerCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result

LINE = re.compile(r"/sys/block/([^\s/:]{1,64})/queue/scheduler:([a-z0-9\[\] _-]{1,200})")
ACTIVE = re.compile(r"\[([a-z0-9_-]+)\]")
MOST_SHOWN = 20


def commands(check: SchedulerCheck) -> tuple[Command, ...]:
    """All disks at once; which of them are meant is decided here."""
    # The pattern is the far shell's to fill in, and nothing of the operator's is in that text.
    argv = ("sh", "-c", "grep -H '' /sys/block/*/queue/scheduler")
    return (Command(name="scheduler.read", argv=argv, timeout=check.timeout, package="grep"),)


def judge(name: str, check: SchedulerCheck, outputs: Sequence[Output]) -> Result:
    """PASS when all disks that are meant have the wanted IO scheduler."""
    place = check.source_vantage
    if why := first_trouble(outputs, 1, place):
        return unknown(name, check, why)
    lines = [LINE.fullmatch(line.strip()) for line in outputs[0].stdout.splitlines()]
    if not lines or None in lines:
        return unknown(name, check, not_understood(place, "the list of IO schedulers"))
    offered = {line.group(1): line.group(2) for line in lines if line is not None}
    active = {
        disk: _active(words)
        for disk, words in offered.items()
        if any(fnmatchcase(disk, pattern) for pattern in check.disks)
    }
    if not active:
        because = f"{place} has no disk called {' or '.join(check.disks)}"
        return unknown(name, check, (because, f"it has {', '.join(list(offered)[:MOST_SHOWN])}"))
    evidence = {"disks": dict(list(active.items())[:MOST_SHOWN]), "count": len(active)}
    wrong = {disk: word for disk, word in active.items() if word != check.scheduler}
    if not wrong:
        which = ", ".join(list(active)[:5]) if len(active) <= 5 else f"all {len(active)} disks"
        because = f"{check.scheduler} on {which}"
        return made(name, check, Outcome.PASS, because, seconds=outputs[0].seconds, evidence=evidence)
    shown = ", ".join(f"{disk} has {word}" for disk, word in list(wrong.items())[:5])
    disk = next(iter(wrong))
    hint = f"echo {check.scheduler} > /sys/block/{disk}/queue/scheduler, and a udev rule for the next boot"
    if check.scheduler not in offered[disk].replace("[", "").replace("]", "").split():
        hint = f"{disk} is offered {offered[disk]}: the running kernel has no other, or has not loaded its module"
    because = f"{shown}; {check.scheduler} is wanted"
    return made(name, check, Outcome.FAIL, because, hint=hint, seconds=outputs[0].seconds, evidence=evidence)


def _active(words: str) -> str:
    """The one in brackets; a device that has no choice has one word without any."""
    found = ACTIVE.search(words)
    return found.group(1) if found else words.strip()
