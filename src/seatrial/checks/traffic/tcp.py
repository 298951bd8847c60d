"""Is a TCP connection accepted? What is not in: what is spoken over it."""

from __future__ import annotations

from collections.abc import Sequence

from seatrial.checks.asked import heard, made, question, unknown
from seatrial.checks.latency import slow, times
from seatrial.model.check.traffic import TcpCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result


def commands(check: TcpCheck) -> tuple[Command, ...]:
    """One connection, closed as soon as it is made; several where their time is judged."""
    spec = {"address": check.address, "port": check.port, "times": times(check.max_ms)}
    return (question("tcp.connect", "tcp", check, spec),)


def judge(name: str, check: TcpCheck, outputs: Sequence[Output]) -> Result:
    """PASS when the connection was made, and soon enough."""
    answer = heard(outputs[0] if outputs else None, check.source_vantage)
    if isinstance(answer, tuple):
        return unknown(name, check, answer)
    where = f"{check.address} port {check.port}"
    if answer.connected:
        late = slow(1000 * answer.seconds, check.max_ms)
        outcome = Outcome.FAIL if late else Outcome.PASS
        return made(name, check, outcome, f"{where} accepts connections{late}", seconds=answer.seconds)
    because = f"{where} accepts no connection: {answer.error or 'no reason given'}"
    return made(name, check, Outcome.FAIL, because, seconds=answer.seconds, evidence={"error": answer.error})
