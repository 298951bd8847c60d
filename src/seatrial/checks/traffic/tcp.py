"""Is a TCP connection accepted? What is not in: what is spoken over it."""

from __future__ import annotations

from collections.abc import Sequence

from seatrial.checks.asked import heard, made, question, unknown
from seatrial.model.check.traffic import TcpCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result


def commands(check: TcpCheck) -> tuple[Command, ...]:
    """One connection, closed as soon as it is made."""
    return (question("tcp.connect", "tcp", check, {"address": check.address, "port": check.port}),)


def judge(name: str, check: TcpCheck, outputs: Sequence[Output]) -> Result:
    """PASS when the connection was made."""
    answer = heard(outputs[0] if outputs else None, check.source_vantage)
    if isinstance(answer, tuple):
        return unknown(name, check, answer)
    where = f"{check.address} port {check.port}"
    if answer.connected:
        return made(name, check, Outcome.PASS, f"{where} accepts connections", seconds=answer.seconds)
    because = f"{where} accepts no connection: {answer.error or 'no reason given'}"
    return made(name, check, Outcome.FAIL, because, seconds=answer.seconds, evidence={"error": answer.error})
