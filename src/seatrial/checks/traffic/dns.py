"""Does one DNS server know a name? The server of the check is asked, never the resolver of the host."""

from __future__ import annotations

from collections.abc import Sequence

from seatrial.checks.asked import heard, made, question, unknown
from seatrial.model.check.traffic import DnsCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result


def commands(check: DnsCheck) -> tuple[Command, ...]:
    """One question, put again when a datagram is lost."""
    spec = {"server": check.server, "name": check.query, "type": check.type}
    return (question("dns.query", "dns", check, spec),)


def judge(name: str, check: DnsCheck, outputs: Sequence[Output]) -> Result:
    """PASS when there is a record, and the expected one is among them."""
    answer = heard(outputs[0] if outputs else None, check.source_vantage)
    if isinstance(answer, tuple):
        return unknown(name, check, answer)
    asked = f"{check.query} {check.type} at {check.server}"
    evidence = {"code": answer.code, "records": answer.records, "error": answer.error}
    if answer.error:
        outcome, because = Outcome.FAIL, f"{asked}: no answer: {answer.error}"
    elif answer.code != "NOERROR" or not answer.records:
        outcome, because = Outcome.FAIL, f"{asked}: {answer.code} with {len(answer.records)} records"
    elif check.expect is not None and check.expect not in answer.records:
        outcome, because = Outcome.FAIL, f"{asked}: {', '.join(answer.records)}, not {check.expect}"
    else:
        outcome, because = Outcome.PASS, f"{asked}: {', '.join(answer.records)}"
    return made(name, check, outcome, because, seconds=answer.seconds, evidence=evidence)
