"""The table of checks by kind: how each is asked, and how its answer is read.

A new question is a module with `commands(check)` and `judge(name, check, outputs)` and a line here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from seatrial.checks import dmesg, dns, http, kernel, ping, tcp, unit
from seatrial.model.command import Command, Output
from seatrial.model.fleet import Check
from seatrial.model.result import Result

Ask = Callable[[Any], tuple[Command, ...]]
Judge = Callable[[str, Any, Sequence[Output]], Result]

KINDS: Mapping[str, tuple[Ask, Judge]] = {
    "ping": (ping.commands, ping.judge),
    "tcp": (tcp.commands, tcp.judge),
    "http": (http.commands, http.judge),
    "dns": (dns.commands, dns.judge),
    "kernel": (kernel.commands, kernel.judge),
    "unit": (unit.commands, unit.judge),
    "dmesg": (dmesg.commands, dmesg.judge),
}


def ask(name: str, check: Check) -> tuple[Command, ...]:
    """The Commands of a check, to be run one after the other where `check.source_vantage` is."""
    return KINDS[check.kind][0](check)


def judge(name: str, check: Check, outputs: Sequence[Output]) -> Result:
    """The Result of the check that is called `name`, from the Outputs of its Commands in their order."""
    return KINDS[check.kind][1](name, check, outputs)
