"""Is there room for data and for files? `stat -f` is asked, which shows nothing but the numbers of one file system.

What is not in: which directory is full of what.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from seatrial.checks.asked import made, unknown
from seatrial.checks.host.files import ABSENT, first_trouble, not_understood
from seatrial.model.check.host import DiskCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result

# %a is what ordinary users may take: root's reserve is no room for a service.
FORMAT = "blocks %b free %f available %a size %S inodes %c unused %d"
SAID = re.compile(
    r"blocks (\d{1,20}) free (\d{1,20}) available (\d{1,20}) size (\d{1,10}) inodes (\d{1,20}) unused (\d{1,20})\n?"
)
STEPS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def commands(check: DiskCheck) -> tuple[Command, ...]:
    """One reading."""
    argv = ("stat", "-f", "-c", FORMAT, check.path)
    return (Command(name="disk.read", argv=argv, timeout=check.timeout, package="coreutils"),)


def judge(name: str, check: DiskCheck, outputs: Sequence[Output]) -> Result:
    """PASS when as much room and as many inodes are free as the check wants."""
    place = check.source_vantage
    if outputs and outputs[0].status == 1 and outputs[0].stderr.rstrip().endswith(ABSENT):
        hint = "is what should be there mounted?"
        return made(name, check, Outcome.FAIL, f"{place} has no {check.path}", hint=hint)
    if why := first_trouble(outputs, 1, place):
        return unknown(name, check, why)
    found = SAID.fullmatch(outputs[0].stdout)
    blocks, free, available, size, inodes, unused = map(int, found.groups()) if found else (0,) * 6
    if found is None or not blocks or free > blocks or available > blocks or unused > inodes:
        return unknown(name, check, not_understood(place, f"the room at {check.path}"))
    # As df counts it: root's reserve is part of neither what is used nor what there is.
    whole, room = (blocks - free + available) * size, available * size
    evidence = {"bytes_free": room, "bytes": whole, "inodes_free": unused, "inodes": inodes}
    short = []
    if not enough(check.least, room, whole):
        short.append(f"{shown(room)} of {shown(whole)} ({_percent(room, whole)}) are free at {check.path}")
    # btrfs and vfat have no number of inodes that could be used up.
    if inodes and not enough(check.least_inodes, unused, inodes):
        short.append(f"{unused} of {inodes} inodes ({_percent(unused, inodes)}) are free at {check.path}")
    if short:
        wanted = f"at least {check.least} and {check.least_inodes} of the inodes are wanted"
        because = "only " + ", and only ".join(short)
        return made(name, check, Outcome.FAIL, because, hint=wanted, evidence=evidence)
    because = f"{shown(room)} ({_percent(room, whole)}) free at {check.path}"
    because += f", {_percent(unused, inodes)} of the inodes" if inodes else ""
    return made(name, check, Outcome.PASS, because, seconds=outputs[0].seconds, evidence=evidence)


def enough(least: str, free: int, whole: int) -> bool:
    """Whether what is free is at least `5%` of the whole, or at least `20G`."""
    if least.endswith("%"):
        return free * 100.0 >= float(least[:-1]) * whole
    step = least[-1] if least[-1] in STEPS else ""
    return free >= int(least.removesuffix(step)) * STEPS[step]


def shown(count: int) -> str:
    """Bytes for people, in powers of 1024 as `least` takes them: 3.2G."""
    for step, size in reversed(STEPS.items()):
        if count >= size:
            return f"{count / size:.1f}{step}" if step else str(count)
    return "0"


def _percent(part: int, whole: int) -> str:
    return f"{100.0 * part / whole:.1f} %" if whole else "0 %"
