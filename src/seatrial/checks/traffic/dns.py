"""Does a DNS server know a name, in the role that it has? The servers of the check are asked, never the host's resolver.

What is not in: DNSSEC, and whom a recursive server asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seatrial.checks.asked import Answer, heard, made, question, unknown
from seatrial.checks.latency import slow, times
from seatrial.model.check.traffic import DnsCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result


def commands(check: DnsCheck) -> tuple[Command, ...]:
    """One question to each server, put again when a datagram is lost."""
    spec: dict[str, Any] = {
        "name": check.query,
        "type": check.type,
        "port": check.port,
        "tcp": check.transport == "tcp",
        "recurse": not check.authoritative,
        "times": times(check.max_ms),
    }
    return tuple(
        question("dns.query", "dns", check, {**spec, "server": server})
        for server in (check.server, *check.same_as)
    )


def judge(name: str, check: DnsCheck, outputs: Sequence[Output]) -> Result:
    """PASS when there is a record, the expected one is among them, and the other servers have the same."""
    answer = heard(outputs[0] if outputs else None, check.source_vantage)
    if isinstance(answer, tuple):
        return unknown(name, check, answer)
    evidence: dict[str, Any] = {
        "code": answer.code,
        "records": answer.records,
        "error": answer.error,
        "authoritative": answer.aa,
        "recursive": answer.ra,
    }
    asked = f"{check.query} {check.type} at {check.server}"
    late = slow(1000 * answer.seconds, check.max_ms)
    if (wrong := _wrong(check, answer)) or late:
        because = f"{asked}: {wrong or ', '.join(answer.records) + late}"
        return made(name, check, Outcome.FAIL, because, seconds=answer.seconds, evidence=evidence)
    others = [
        heard(output, check.source_vantage)
        for output in [*outputs[1:], *[None] * len(check.same_as)][: len(check.same_as)]
    ]
    differ, not_asked = [], None
    for server, other in zip(check.same_as, others, strict=True):
        if isinstance(other, tuple):
            not_asked = other
        elif (said := _wrong(check, other)) or _kept(check, other) != _kept(check, answer):
            differ.append(f"{server} has {said or _shown(check, other)}")
    if differ:
        because = f"{asked}: {_shown(check, answer)}, but {'; '.join(differ)}"
        return made(name, check, Outcome.FAIL, because, seconds=answer.seconds, evidence=evidence)
    if not_asked is not None:
        return unknown(name, check, not_asked)
    same = f", as at {', '.join(check.same_as)}" if check.same_as else ""
    because = f"{asked}: {', '.join(answer.records)}{same}"
    return made(name, check, Outcome.PASS, because, seconds=answer.seconds, evidence=evidence)


def _wrong(check: DnsCheck, answer: Answer) -> str:
    """What one server's answer lacks, or nothing."""
    if answer.error:
        return f"no answer: {answer.error}"
    if answer.code != "NOERROR" or not answer.records:
        return f"{answer.code} with {len(answer.records)} records"
    if check.authoritative and not answer.aa:
        return f"{', '.join(answer.records)}, but the server does not answer for the zone itself"
    if check.recursive and not answer.ra:
        return f"{', '.join(answer.records)}, but the server does not ask others"
    if check.expect is not None and check.expect not in answer.records:
        return f"{', '.join(answer.records)}, not {check.expect}"
    return ""


def _kept(check: DnsCheck, answer: Answer) -> list[str]:
    """What must be the same: of SOA the serial, which is the version of the zone; else all records, in any order."""
    if check.type == "SOA":
        return [record.split()[2] for record in answer.records if len(record.split()) > 2]
    return sorted(answer.records)


def _shown(check: DnsCheck, answer: Answer) -> str:
    kept = ", ".join(_kept(check, answer))
    return f"serial {kept}" if check.type == "SOA" else kept
