"""Is there room in the table of connections, and does it have a certain one? It is read only.

What is not in: who carried a flow's probes, which the flow checks read from the same table.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from seatrial.checks.asked import made, unknown
from seatrial.checks.reading import clean, why_not
from seatrial.model.check.paths import Connection, ConntrackCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result

FOLDER = "/proc/sys/net/netfilter"
NUMBERS = re.compile(r"(\d{1,10})\n(\d{1,10})\n?")
COUNTED = ("insert_failed", "drop", "early_drop")
FIELD = re.compile(r"\b(src|dst|sport|dport)=([0-9A-Fa-f:.]{1,45})(?= |$)")


def commands(check: ConntrackCheck) -> tuple[Command, ...]:
    """The use of the table, its counters, and the entries that fit where one is wanted."""
    files = (f"{FOLDER}/nf_conntrack_count", f"{FOLDER}/nf_conntrack_max")
    use = Command(name="conntrack.use", argv=("cat", *files), timeout=check.timeout)
    counters = Command(
        name="conntrack.counters", argv=("cat", "/proc/net/stat/nf_conntrack"), timeout=check.timeout
    )
    if check.entry is None:
        return (use, counters)
    one = check.entry
    argv = (
        *("conntrack", "-L", "-f", "ipv6" if ":" in one.address else "ipv4", "-p", one.protocol),
        *("-d", one.address),
        *(("-s", one.source) if one.source else ()),
        *(("--dport", str(one.port)) if one.port else ()),
    )
    entries = Command(
        name="conntrack.entries",
        argv=argv,
        root=True,
        timeout=check.timeout,
        limit=1 << 20,
        package="conntrack",
    )
    return (use, counters, entries)


def judge(name: str, check: ConntrackCheck, outputs: Sequence[Output]) -> Result:
    """PASS when no more of the table is in use than the check allows, and the wanted connection is in it."""
    use, counters, entries = (*outputs, None, None, None)[:3]
    if use is not None and use.answered and "No such file" in use.stderr:
        no_table = f"{check.source_vantage} keeps no table of connections"
        return unknown(name, check, (no_table, "nf_conntrack is loaded by a rule with `ct` or `nat` in it"))
    if why := why_not(use, check.source_vantage):
        return unknown(name, check, why)
    assert use is not None
    numbers = NUMBERS.fullmatch(use.stdout)
    if numbers is None or int(numbers.group(2)) == 0:
        return unknown(name, check, (f"{check.source_vantage} does not say how full its table is", ""))
    count, room = int(numbers.group(1)), int(numbers.group(2))
    percent = 100.0 * count / room
    evidence: dict[str, Any] = {
        "count": count,
        "max": room,
        "percent": round(percent, 2),
        **_counters(counters),
    }
    because = f"{check.source_vantage} knows {count} of {room} connections ({percent:.0f} %)"
    if percent > check.most:
        hint = "sysctl net.netfilter.nf_conntrack_max is the room; a full table drops new connections"
        because = f"{because}, more than {check.most:g} %"
        return made(name, check, Outcome.FAIL, because, hint=hint, seconds=use.seconds, evidence=evidence)
    if check.entry is None:
        return made(name, check, Outcome.PASS, because, seconds=use.seconds, evidence=evidence)
    if why := why_not(entries, check.source_vantage):
        return unknown(name, check, why)
    assert entries is not None
    found = [_fields(line) for line in entries.stdout.splitlines() if line.strip()]
    if not all(found) or (not found and "flow entries have been shown" not in entries.stderr):
        return unknown(
            name, check, (f"{check.source_vantage} lists connections in a way that is not understood", "")
        )
    outcome, said = _entry(check.entry, found)
    evidence["entries"], evidence["translated"] = len(found), sorted({f[2]["dst"] for f in found if f})[:20]
    because = f"{check.source_vantage} {said}"
    return made(name, check, outcome, because, seconds=use.seconds + entries.seconds, evidence=evidence)


def _counters(output: Output | None) -> dict[str, int]:
    """Counters since the boot, all processors together; a kernel may come without this file."""
    lines = output.stdout.splitlines() if output is not None and output.ok else []
    names = lines[0].split() if lines else []
    totals: dict[str, int] = {}
    for line in lines[1:1025]:
        words = line.split()
        if len(words) != len(names) or not all(re.fullmatch(r"[0-9a-f]{8,16}", word) for word in words):
            return {}
        for name, word in zip(names, words, strict=True):
            if name in COUNTED:
                totals[name] = totals.get(name, 0) + int(word, 16)
    return totals


def _fields(line: str) -> tuple[str, dict[str, str], dict[str, str]] | None:
    """Protocol, the way out and the way back of an entry: the same four names come twice, in this order."""
    pairs = FIELD.findall(line)
    half = len(pairs) // 2
    out, back = dict(pairs[:half]), dict(pairs[half:])
    if len(pairs) % 2 or not {"src", "dst"} <= out.keys() or out.keys() != back.keys():
        return None
    return clean(line.split()[0], 20), out, back


def _entry(
    wanted: Connection, found: Sequence[tuple[str, dict[str, str], dict[str, str]] | None]
) -> tuple[Outcome, str]:
    port = f" port {wanted.port}" if wanted.port else ""
    source = f" from {wanted.source}" if wanted.source else ""
    what = f"{wanted.protocol}{source} to {wanted.address}{port}"
    if not found:
        return Outcome.FAIL, f"knows no connection {what}"
    # Answers go to the translated address, so that is where the way back leads.
    translated = sorted({one[2]["dst"] for one in found if one})
    number = f"{len(found)} {'connection' if len(found) == 1 else 'connections'} {what}"
    if wanted.translated is None:
        return Outcome.PASS, f"knows {number}"
    if wanted.translated in translated:
        return Outcome.PASS, f"knows {number}, translated to {wanted.translated}"
    shown = ", ".join(clean(one, 60) for one in translated[:3])
    return Outcome.FAIL, f"knows {number}, but answers go to {shown}, not to {wanted.translated}"
