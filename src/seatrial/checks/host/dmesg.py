"""Which warnings did the kernel give at this boot that it did not give at the one before?

What is in: both boots' messages from the journal, compared after numbers and addresses are levelled: warnings, and
those grave ones that the kernel calls mere information (a PCIe link that came up too slow); and what taints the
kernel, which is told and not judged. What is not in: hardware that was already ill before: that shows at both boots.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from seatrial.checks.asked import made, unknown
from seatrial.checks.host.files import look
from seatrial.checks.host.taint import taint_of
from seatrial.checks.reading import clean, why_not
from seatrial.model.check.host import DmesgCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result

GRAVE = re.compile(
    r"\bOops\b|\bBUG:|kernel BUG at|Call Trace:|general protection fault|Kernel panic|blocked for more than \d+ seconds"
    r"|soft lockup|hard LOCKUP|rcu.*detected stalls|PCIe Bus Error|AER: .*(?:error|Uncorrect)|link is not ready.*PCIe"
    r"|Machine check events logged|Hardware Error\]|I/O error|Remounting filesystem read-only"
    r"|PCIe.*(?:downgrad|limited by|training fail)|link training.*fail|nfsd: peername failed|too many open TCP sockets"
    r"|nfs: server .* not responding|NFSD: .*(?:unable|fail)",
    re.IGNORECASE,
)
# What the kernel logs as a notice or as information although somebody should hear of it; for journalctl's own grep.
QUIET = "limited by .*PCIe|PCIe.*downgrad|link training|AER: |peername failed|too many open TCP sockets|not responding"
LEVEL = (
    (re.compile(r"^\[\s*\d+\.\d+\]\s*"), ""),
    (re.compile(r"\b(?:0x)?[0-9a-f]{8,}\b", re.IGNORECASE), "#"),
    (re.compile(r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b", re.IGNORECASE), "#"),
    (re.compile(r"\b0x[0-9a-f]+\b", re.IGNORECASE), "#"),
    (re.compile(r"\d+"), "#"),
)
MOST_SHOWN = 20


def commands(check: DmesgCheck) -> tuple[Command, ...]:
    """This boot, then the boot before: warnings and worse; then what taints the kernel; then both boots' quiet ones."""
    boots = (("now", "0"), ("before", "-1"))
    return (
        *(_journal(check, f"dmesg.{word}", boot, "-p", "warning") for word, boot in boots),
        look("dmesg.taint", check, "/proc/sys/kernel/tainted"),
        *(_journal(check, f"dmesg.quiet-{word}", boot, "-p", "info", "-g", QUIET) for word, boot in boots),
    )


def _journal(check: DmesgCheck, name: str, boot: str, *words: str) -> Command:
    return Command(
        name=name,
        argv=("journalctl", "-k", "-b", boot, *words, "-o", "cat", "--no-pager"),
        root=True,
        timeout=check.timeout,
        limit=1024 * 1024,
        package="systemd",
    )


def judge(name: str, check: DmesgCheck, outputs: Sequence[Output]) -> Result:
    """FAIL when a new message is grave, PASS with the list when other ones are new, UNKNOWN without a comparison."""
    now, before, taint, *quiet = (*outputs, *(None,) * 5)[:5]
    if why := why_not(now, check.source_vantage):
        return unknown(name, check, why)
    assert now is not None
    if not now.stdout.strip() and now.stderr.strip():
        return unknown(name, check, (f"{check.source_vantage}: {clean(now.stderr)}", ""))
    known = (
        {level(line) for line in _lines(before, quiet[1])}
        if before is not None and _is_kept(before)
        else None
    )
    fresh = list(
        dict.fromkeys(
            line for line in map(clean, _lines(now, quiet[0])) if line and level(line) not in (known or ())
        )
    )
    grave = [line for line in fresh if GRAVE.search(line)]
    tainted = taint_of(taint.stdout) if taint is not None and taint.ok else None
    evidence = {
        "new": fresh[:MOST_SHOWN],
        "grave": grave[:MOST_SHOWN],
        "count": len(fresh),
        "taint": None if tainted is None else list(tainted),
    }
    also = f"; the kernel is tainted by {', '.join(tainted)}" if tainted else ""
    if known is None:
        hint = "with Storage=persistent in journald.conf the boot before is kept"
        said = f"; this boot has: {grave[0]}" if grave else ""
        because = f"{check.source_vantage} has no messages of the boot before{said}{also}"
        return made(name, check, Outcome.UNKNOWN, because, hint=hint, evidence=evidence)
    if grave:
        because = f"new at this boot: {grave[0]}{also}"
        hint = f"journalctl -k -b 0 on {check.source_vantage} has what stands around it"
        return made(name, check, Outcome.FAIL, because, hint=hint, evidence=evidence)
    because = (
        f"{len(fresh)} new {'warning' if len(fresh) == 1 else 'warnings'}: {fresh[0]}"
        if fresh
        else "no warning that the boot before had not"
    )
    return made(name, check, Outcome.PASS, because + also, seconds=now.seconds, evidence=evidence)


def _is_kept(before: Output) -> bool:
    """Whether the journal has the boot before: one that lives in memory says that it has not, and ends with 0."""
    return before.ok and (bool(before.stdout.strip()) or not before.stderr.strip())


def _lines(loud: Output | None, quiet: Output | None) -> list[str]:
    """Warnings, then the quiet ones; journalctl ends with 1 when its grep finds nothing, or when it has no grep."""
    return [
        line
        for output in (loud, quiet)
        if output is not None and output.ok
        for line in output.stdout.splitlines()
    ]


def level(line: str) -> str:
    """The same message of two boots as the same text: addresses, times and counters differ each time."""
    text = clean(line)
    for pattern, instead in LEVEL:
        text = pattern.sub(instead, text)
    return text
