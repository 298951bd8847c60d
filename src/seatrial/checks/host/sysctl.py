"""Has a setting of the kernel the value that is wanted? /proc/sys is read, so that no tool is needed.

What is not in: what the files of /etc/sysctl.d would set at the next boot, which is the drift room's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from seatrial.checks.asked import made, unknown
from seatrial.checks.host.files import absent, first_trouble, look, not_understood
from seatrial.checks.reading import clean
from seatrial.model.check.host import SysctlCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result

NUMBER = re.compile(r"-?\d{1,20}")
# What a value may look like at all: words and numbers with blanks between them.
VALUE = re.compile(r"[\x20-\x7e\t\n]{1,4096}")


def commands(check: SysctlCheck) -> tuple[Command, ...]:
    """One file."""
    return (look("sysctl.read", check, f"/proc/sys/{path_of(check.key)}"),)


def path_of(key: str) -> str:
    """Below /proc/sys. As sysctl has it: whichever of `.` and `/` comes first stands between the parts.

    The other one is then part of a name, written the other way round: `net.ipv4.conf.eth0/100.rp_filter`.
    """
    first = min("./", key=lambda mark: key.index(mark) if mark in key else len(key))
    return key.translate(str.maketrans("./", "/.")) if first == "." else key


def judge(name: str, check: SysctlCheck, outputs: Sequence[Output]) -> Result:
    """PASS when the kernel's setting has the value that is wanted, or is within the limits."""
    place = check.source_vantage
    if outputs and absent(outputs[0]):
        hint = "is the name right, and is the module loaded that brings it?"
        return made(name, check, Outcome.FAIL, f"the kernel has no setting {check.key}", hint=hint)
    if why := first_trouble(outputs, 1, place):
        return unknown(name, check, why)
    if not VALUE.fullmatch(outputs[0].stdout):
        return unknown(name, check, not_understood(place, check.key))
    value = clean(outputs[0].stdout)
    evidence = {"value": value}
    if check.value is not None:
        wanted = " ".join(str(check.value).split())
        outcome = Outcome.PASS if value == wanted else Outcome.FAIL
        because = f"{check.key} is {value}" + ("" if outcome is Outcome.PASS else f", not {clean(wanted)}")
        return _said(name, check, outcome, because, evidence, outputs[0])
    if not NUMBER.fullmatch(value):
        return unknown(
            name, check, (f"{check.key} is {value}, which is no number", "give its `value` instead")
        )
    if check.least is not None and int(value) < check.least:
        because = f"{check.key} is {value}; at least {check.least} is wanted"
        return _said(name, check, Outcome.FAIL, because, evidence, outputs[0])
    if check.most is not None and int(value) > check.most:
        because = f"{check.key} is {value}; at most {check.most} is wanted"
        return _said(name, check, Outcome.FAIL, because, evidence, outputs[0])
    return _said(name, check, Outcome.PASS, f"{check.key} is {value}", evidence, outputs[0])


def _said(
    name: str,
    check: SysctlCheck,
    outcome: Outcome,
    because: str,
    evidence: dict[str, str],
    output: Output,
) -> Result:
    hint = (
        "" if outcome is Outcome.PASS else f"`sysctl --system` on {check.source_vantage} sets what /etc says"
    )
    return made(name, check, outcome, because, hint=hint, seconds=output.seconds, evidence=evidence)
