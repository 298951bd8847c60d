"""How many processes run, want to run or wait for a disk, on the average? What is not in: which ones."""

from __future__ import annotations

import re
from collections.abc import Sequence

from seatrial.checks.asked import made, unknown
from seatrial.checks.host.files import first_trouble, look, not_understood
from seatrial.model.check.host import LoadCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result

# /proc/loadavg in its line, the processors that are online in theirs: `0-3,8`.
SAID = re.compile(
    r"(\d{1,9}\.\d\d) (\d{1,9}\.\d\d) (\d{1,9}\.\d\d) (\d{1,9})/(\d{1,9}) \d+\n(\d{1,5}(?:[,-]\d{1,5})*)\n?"
)


def commands(check: LoadCheck) -> tuple[Command, ...]:
    """The load and the processors in one reading."""
    return (look("load.read", check, "/proc/loadavg", "/sys/devices/system/cpu/online"),)


def judge(name: str, check: LoadCheck, outputs: Sequence[Output]) -> Result:
    """PASS when the load is no higher than allowed, for the host and for each of its processors."""
    place = check.source_vantage
    if why := first_trouble(outputs, 1, place):
        return unknown(name, check, why)
    found = SAID.fullmatch(outputs[0].stdout)
    processors = _count(found.group(6)) if found else 0
    if found is None or not processors:
        return unknown(name, check, not_understood(place, "the load"))
    averages = dict(zip((1, 5, 15), (float(word) for word in found.groups()[:3]), strict=True))
    load, running = averages[check.minutes], int(found.group(4))
    limits = [check.most] if check.most is not None else []
    limits += [check.most_per_cpu * processors] if check.most_per_cpu is not None else []
    evidence = {
        **{f"load{minutes}": value for minutes, value in averages.items()},
        "processors": processors,
        "running": running,
        "threads": int(found.group(5)),
    }
    span = "1 minute" if check.minutes == 1 else f"{check.minutes} minutes"
    on = "processor" if processors == 1 else "processors"
    because = f"load {load:.2f} over {span} on {processors} {on}, {running} running now"
    if load <= min(limits):
        return made(name, check, Outcome.PASS, because, seconds=outputs[0].seconds, evidence=evidence)
    hint = (
        "many running: look for work; few running: they wait for a disk or a server, which `processes` names"
    )
    because += f"; at most {min(limits):g} is wanted"
    return made(name, check, Outcome.FAIL, because, hint=hint, seconds=outputs[0].seconds, evidence=evidence)


def _count(ranges: str) -> int:
    """How many processors `0-3,8` are; 0 when it is no such list."""
    count = 0
    for part in ranges.split(","):
        ends = [int(end) for end in part.split("-")]
        count += ends[-1] - ends[0] + 1 if len(ends) <= 2 and ends[-1] >= ends[0] else 0
    return count
