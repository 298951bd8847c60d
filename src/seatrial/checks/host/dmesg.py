"""Which warnings did the kernel give at this boot that it did not give at the one before?

What is in: both boots' messages from the journal, compared after numbers and addresses are levelled. What is not
in: hardware that was already ill before: that shows at both boots.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from seatrial.checks.asked import made, unknown
from seatrial.checks.reading import clean, why_not
from seatrial.model.check.host import DmesgCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result

GRAVE = re.compile(
    r"\bOops\b|\bBUG:|kernel BUG at|Call Trace:|general protection fault|Kernel panic|blocked for more than \d+ seconds"
    r"|soft lockup|hard LOCKUP|rcu.*detected stalls|PCIe Bus Error|AER: .*(?:error|Uncorrect)|link is not ready.*PCIe"
    r"|Machine check events logged|Hardware Error\]|I/O error|Remounting filesystem read-only",
    re.IGNORECASE,
)
LEVEL = (
    (re.compile(r"^\[\s*\d+\.\d+\]\s*"), ""),
    (re.compile(r"\b(?:0x)?[0-9a-f]{8,}\b", re.IGNORECASE), "#"),
    (re.compile(r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b", re.IGNORECASE), "#"),
    (re.compile(r"\b0x[0-9a-f]+\b", re.IGNORECASE), "#"),
    (re.compile(r"\d+"), "#"),
)
MOST_SHOWN = 20


def commands(check: DmesgCheck) -> tuple[Command, ...]:
    """This boot, then the boot before; warnings and worse."""
    return tuple(
        Command(
            name=f"dmesg.{word}",
            argv=("journalctl", "-k", "-b", boot, "-p", "warning", "-o", "cat", "--no-pager"),
            root=True,
            timeout=check.timeout,
            limit=1024 * 1024,
            package="systemd",
        )
        for word, boot in (("now", "0"), ("before", "-1"))
    )


def judge(name: str, check: DmesgCheck, outputs: Sequence[Output]) -> Result:
    """FAIL when a new message is grave, PASS with the list when other ones are new, UNKNOWN without a comparison."""
    now, before = (*outputs, None, None)[:2]
    if why := why_not(now, check.source_vantage):
        return unknown(name, check, why)
    assert now is not None
    if not now.stdout.strip() and now.stderr.strip():
        return unknown(name, check, (f"{check.source_vantage}: {clean(now.stderr)}", ""))
    known = {level(line) for line in before.stdout.splitlines()} if before is not None and before.ok else None
    fresh = list(
        dict.fromkeys(
            line for line in map(clean, now.stdout.splitlines()) if line and level(line) not in (known or ())
        )
    )
    grave = [line for line in fresh if GRAVE.search(line)]
    evidence = {"new": fresh[:MOST_SHOWN], "grave": grave[:MOST_SHOWN], "count": len(fresh)}
    if known is None:
        hint = "with Storage=persistent in journald.conf the boot before is kept"
        said = f"; this boot has: {grave[0]}" if grave else ""
        because = f"{check.source_vantage} has no messages of the boot before{said}"
        return made(name, check, Outcome.UNKNOWN, because, hint=hint, evidence=evidence)
    if grave:
        return made(name, check, Outcome.FAIL, f"new at this boot: {grave[0]}", evidence=evidence)
    because = f"{len(fresh)} new warnings: {fresh[0]}" if fresh else "no warning that the boot before had not"
    return made(name, check, Outcome.PASS, because, seconds=now.seconds, evidence=evidence)


def level(line: str) -> str:
    """The same message of two boots as the same text: addresses, times and counters differ each time."""
    text = clean(line)
    for pattern, instead in LEVEL:
        text = pattern.sub(instead, text)
    return text
