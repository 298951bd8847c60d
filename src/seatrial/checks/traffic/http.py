"""Does a web service answer with the status that is wanted? Certificates are verified; redirects are not followed."""

from __future__ import annotations

from collections.abc import Sequence

from seatrial.checks.asked import heard, made, question, unknown
from seatrial.checks.latency import slow, times
from seatrial.model.check.traffic import HttpCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result


def commands(check: HttpCheck) -> tuple[Command, ...]:
    """One GET, or several where their time is judged; the body is searched where it arrives, and does not travel."""
    spec = {
        "url": check.url,
        "contains": check.contains,
        "address": check.address,
        "ca": check.ca,
        "insecure": check.insecure,
        "times": times(check.max_ms),
    }
    return (question("http.get", "http", check, spec),)


def judge(name: str, check: HttpCheck, outputs: Sequence[Output]) -> Result:
    """PASS when the status is the one that is wanted, the body contains what it must, and it came soon enough."""
    answer = heard(outputs[0] if outputs else None, check.source_vantage)
    if isinstance(answer, tuple):
        return unknown(name, check, answer)
    if answer.unreadable:
        return unknown(name, check, (f"{check.source_vantage} cannot read {answer.error}", "is `ca` right?"))
    evidence = {"status": answer.status, "bytes": answer.bytes, "error": answer.error}
    asked = f"{check.url} on {check.address}" if check.address else check.url
    late = slow(1000 * answer.seconds, check.max_ms)
    outcome = Outcome.FAIL
    if not answer.status:
        because = f"{asked} does not answer: {answer.error or 'no reason given'}"
    elif answer.status != check.status:
        because = f"{asked} answers {answer.status}, not {check.status}"
    elif check.contains is not None and not answer.contains:
        because = f"{asked} answers {answer.status} without {check.contains!r}"
    else:
        outcome, because = Outcome.FAIL if late else Outcome.PASS, f"{asked} answers {answer.status}{late}"
    return made(name, check, outcome, because, seconds=answer.seconds, evidence=evidence)
