"""Do echo requests come back, the large ones as well? ping of iputils is asked, since it has the rights for raw sockets.

What is not in: who lost them, which flows show.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from seatrial.checks.asked import made, unknown
from seatrial.checks.latency import median, slow
from seatrial.checks.reading import clean, why_not
from seatrial.model.check.traffic import PingCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result

INTERVAL = 0.2  # seconds; the least that ping allows an ordinary login
HEADERS = {4: 28, 6: 48}  # bytes of IP and ICMP, which ping does not count
SUMMARY = re.compile(r"^(\d{1,6}) packets transmitted, (\d{1,6}) (?:packets )?received", re.MULTILINE)
AVERAGE = re.compile(r"^(?:rtt|round-trip) [a-z/]+ = [0-9.]{1,12}/([0-9]{1,9}\.[0-9]{1,6})/", re.MULTILINE)
TIME = re.compile(r"^\d+ bytes from .* time=([0-9]{1,9}(?:\.[0-9]{1,6})?) ms", re.MULTILINE)
MTU = re.compile(r"\bmtu ?[=:] ?(\d{2,6})\b")


def commands(check: PingCheck) -> tuple[Command, ...]:
    """As many echo requests as the check says. Not with -w, which goes on until as many were answered."""
    patience = str(max(round(check.timeout), 1))
    argv = ("ping", "-n", "-c", str(check.count), "-i", str(INTERVAL), "-W", patience)
    longest = check.count * INTERVAL + check.timeout + 10.0
    small = Command(name="ping.echo", argv=(*argv, check.address), timeout=longest, package="iputils-ping")
    if check.size is None:
        return (small,)
    # Routers never cut packets of IPv6, so there DF goes without saying; ping's own choice loses the first one only.
    six = ":" in check.address
    cut = "do" if check.df or six else "dont"
    large = (*argv, "-s", str(check.size - HEADERS[6 if six else 4]), "-M", cut, check.address)
    return (small, Command(name="ping.large", argv=large, timeout=longest, package="iputils-ping"))


def judge(name: str, check: PingCheck, outputs: Sequence[Output]) -> Result:
    """PASS when no more is lost than the check allows, of the large ones as well, and the median is soon enough."""
    output = outputs[0] if outputs else None
    counted = _counted(output)
    if output is None or counted is None:
        # Status 2 of ping means that it could not even send.
        if output is not None and output.status == 2 and "unreachable" in output.stderr:
            return made(name, check, Outcome.FAIL, f"{check.address}: {clean(output.stderr)}")
        return unknown(name, check, why_not(output, check.source_vantage) or NOTHING)
    took = median([float(found) for found in TIME.findall(output.stdout)])
    average = AVERAGE.search(output.stdout)
    if took is None and average is not None:
        took = float(average.group(1))
    evidence: dict[str, Any] = {**_figures(counted), "rtt_ms": took}
    because = f"{check.address} answered {counted[1]} of {counted[0]}"
    late = slow(took, check.max_ms)
    if evidence["lost"] > check.max_loss or late:
        return made(name, check, Outcome.FAIL, because + late, seconds=output.seconds, evidence=evidence)
    if check.size is None:
        return made(name, check, Outcome.PASS, because, seconds=output.seconds, evidence=evidence)
    large = outputs[1] if len(outputs) > 1 else None
    if (passed := _counted(large)) is None or large is None:
        return unknown(name, check, why_not(large, check.source_vantage) or NOTHING)
    mtu = MTU.search(large.stdout + large.stderr)
    evidence["large"] = {**_figures(passed), "mtu": int(mtu.group(1)) if mtu else None}
    what = f"{check.size} bytes{' with DF' if check.df else ''}"
    outcome, because = Outcome.PASS, f"{because}, and {passed[1]} of {passed[0]} of {what}"
    if evidence["large"]["lost"] > check.max_loss:
        said = f" (mtu {mtu.group(1)})" if mtu else ""
        outcome, because = Outcome.FAIL, because.replace(", and", ", but only") + said
    return made(name, check, outcome, because, seconds=output.seconds + large.seconds, evidence=evidence)


NOTHING = ("ping said nothing that is understood", "")


def _counted(output: Output | None) -> tuple[int, int] | None:
    """How many were sent and how many came back; None when ping does not say."""
    summary = SUMMARY.search(output.stdout) if output is not None else None
    if summary is None or int(summary.group(1)) == 0:
        return None
    sent, received = int(summary.group(1)), int(summary.group(2))
    return sent, min(received, sent)


def _figures(counted: tuple[int, int]) -> dict[str, Any]:
    sent, received = counted
    return {"sent": sent, "received": received, "lost": round(100.0 * (sent - received) / sent, 2)}
