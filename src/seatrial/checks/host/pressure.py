"""For which share of the time did tasks stand still for want of processor, disk or memory? The kernel counts it (PSI)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from seatrial.checks.asked import made, unknown
from seatrial.checks.host.files import absent, first_trouble, look, not_understood
from seatrial.model.check.host import PressureCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result

LINE = re.compile(
    r"^(some|full) avg10=(\d{1,3}\.\d\d) avg60=(\d{1,3}\.\d\d) avg300=(\d{1,3}\.\d\d) total=\d+$",
    re.MULTILINE,
)
HINTS = {
    "cpu": "more wants to run than there are processors: look for the work with top",
    "io": "the disks, or servers of mounted file systems, are slow: look with iostat, and ask `processes`",
    "memory": "memory is short and is being reclaimed: look for who has it, and for kills in dmesg",
}
OFF = "the kernel needs CONFIG_PSI, and psi=1 on its command line where the distribution leaves it off"


def commands(check: PressureCheck) -> tuple[Command, ...]:
    """One file."""
    return (look("pressure.read", check, f"/proc/pressure/{check.of}"),)


def judge(name: str, check: PressureCheck, outputs: Sequence[Output]) -> Result:
    """PASS when tasks stood still for no greater share of the time than allowed; UNKNOWN where PSI is off."""
    place = check.source_vantage
    # A kernel that has PSI and was booted without it shows the files and answers no read.
    if outputs and (absent(outputs[0]) or outputs[0].stderr.rstrip().endswith(": Operation not supported")):
        return unknown(name, check, (f"{place} does not count pressure", OFF))
    if why := first_trouble(outputs, 1, place):
        return unknown(name, check, why)
    shares = {
        word: dict(zip((10, 60, 300), map(float, averages), strict=True))
        for word, *averages in LINE.findall(outputs[0].stdout)
    }
    if check.share not in shares:
        if "some" in shares:
            return unknown(
                name, check, (f"{place} does not count `{check.share}` for {check.of}", "ask for `some`")
            )
        return unknown(name, check, not_understood(place, f"/proc/pressure/{check.of}"))
    percent = shares[check.share][check.seconds]
    who = "some task" if check.share == "some" else "every task"
    because = f"{who} waited for {check.of} {percent:g} % of {check.seconds} seconds"
    evidence = {f"{word}{span}": value for word, spans in shares.items() for span, value in spans.items()}
    if percent <= check.most:
        return made(name, check, Outcome.PASS, because, seconds=outputs[0].seconds, evidence=evidence)
    because += f"; at most {check.most:g} % is wanted"
    hint = HINTS[check.of]
    return made(name, check, Outcome.FAIL, because, hint=hint, seconds=outputs[0].seconds, evidence=evidence)
