"""The table of checks by kind, gathered from the rooms that have them: traffic, storage, host, platform.

A new question is a module with `commands(check)` and `judge(name, check, outputs)` and a line in its room's table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from seatrial.checks import host, platform, storage, traffic
from seatrial.checks.kind import Kind
from seatrial.model.check import Check
from seatrial.model.command import Command, Output
from seatrial.model.result import Result

KINDS: Mapping[str, Kind] = {**traffic.KINDS, **storage.KINDS, **host.KINDS, **platform.KINDS}


def ask(check: Check) -> tuple[tuple[str, Command], ...]:
    """The Commands of a check with the place where each is run.

    Those of one place are to be run one after the other, those of different places at the same time.
    """
    kind = KINDS[check.kind]
    commands = kind.commands(check)
    places = kind.places(check) if kind.places else (check.source_vantage,) * len(commands)
    return tuple(zip(places, commands, strict=True))


def judge(name: str, check: Check, outputs: Sequence[Output]) -> Result:
    """The Result of the check that is called `name`, from the Outputs of its Commands in their order."""
    return KINDS[check.kind].judge(name, check, outputs)
