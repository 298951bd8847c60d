"""Does a web service answer with the status that is wanted? Certificates are verified; redirects are not followed."""

from __future__ import annotations

from collections.abc import Sequence

from seatrial.checks.asked import heard, made, question, unknown
from seatrial.model.check.traffic import HttpCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result


def commands(check: HttpCheck) -> tuple[Command, ...]:
    """One GET; the body is searched where it arrives, and does not travel."""
    return (question("http.get", "http", check, {"url": check.url, "contains": check.contains}),)


def judge(name: str, check: HttpCheck, outputs: Sequence[Output]) -> Result:
    """PASS when the status is the one that is wanted and the body contains what it must."""
    answer = heard(outputs[0] if outputs else None, check.source_vantage)
    if isinstance(answer, tuple):
        return unknown(name, check, answer)
    evidence = {"status": answer.status, "bytes": answer.bytes, "error": answer.error}
    if not answer.status:
        outcome, because = Outcome.FAIL, f"{check.url} does not answer: {answer.error or 'no reason given'}"
    elif answer.status != check.status:
        outcome, because = Outcome.FAIL, f"{check.url} answers {answer.status}, not {check.status}"
    elif check.contains is not None and not answer.contains:
        outcome, because = Outcome.FAIL, f"{check.url} answers {answer.status} without {check.contains!r}"
    else:
        outcome, because = Outcome.PASS, f"{check.url} answers {answer.status}"
    return made(name, check, outcome, because, seconds=answer.seconds, evidence=evidence)
