"""Do echo requests come back? ping of iputils is asked, since raw sockets need rights that it has."""

from __future__ import annotations

import re
from collections.abc import Sequence

from seatrial.checks.asked import made, unknown
from seatrial.checks.reading import clean, why_not
from seatrial.model.check.traffic import PingCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result

INTERVAL = 0.2  # seconds; the least that ping allows an ordinary login
SUMMARY = re.compile(r"^(\d+) packets transmitted, (\d+) (?:packets )?received", re.MULTILINE)
TIMES = re.compile(r"^(?:rtt|round-trip) [a-z/]+ = [0-9.]+/([0-9.]+)/", re.MULTILINE)


def commands(check: PingCheck) -> tuple[Command, ...]:
    """As many echo requests as the check says. Not with -w, which goes on until as many were answered."""
    patience = str(max(round(check.timeout), 1))
    argv = ("ping", "-n", "-q", "-c", str(check.count), "-i", str(INTERVAL), "-W", patience, check.address)
    longest = check.count * INTERVAL + check.timeout + 10.0
    return (Command(name="ping.echo", argv=argv, timeout=longest, package="iputils-ping"),)


def judge(name: str, check: PingCheck, outputs: Sequence[Output]) -> Result:
    """PASS when no more is lost than the check allows. Status 2 of ping means that it could not even send."""
    output = outputs[0] if outputs else None
    summary = SUMMARY.search(output.stdout) if output is not None else None
    if output is None or summary is None:
        if output is not None and output.status == 2 and "unreachable" in output.stderr:
            return made(name, check, Outcome.FAIL, f"{check.address}: {clean(output.stderr)}")
        why = why_not(output, check.source_vantage) or ("ping said nothing that is understood", "")
        return unknown(name, check, why)
    sent, received = int(summary.group(1)), int(summary.group(2))
    if sent == 0:
        return unknown(name, check, ("ping sent nothing", ""))
    lost = 100.0 * (sent - min(received, sent)) / sent
    times = TIMES.search(output.stdout)
    evidence = {
        "sent": sent,
        "received": received,
        "lost": round(lost, 2),
        "rtt_ms": float(times.group(1)) if times else None,
    }
    because = f"{check.address} answered {received} of {sent}"
    outcome = Outcome.PASS if lost <= check.max_loss else Outcome.FAIL
    return made(name, check, outcome, because, seconds=output.seconds, evidence=evidence)
