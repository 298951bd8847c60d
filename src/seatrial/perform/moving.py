"""The deeds of a failover, whatever drives it: one exec a place, all places at once, and what came of each step.

What is not in: when a deed is due (the ha room decides), and writing it down (the engine does).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seatrial.clock import monotonic
from seatrial.ha.driver import Deed
from seatrial.ha.steps import read_steps
from seatrial.model.command import Command, Output
from seatrial.model.text import safe
from seatrial.perform.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What came of a deed. `problem` is empty when every step of every place worked."""

    problem: str = ""
    hint: str = ""
    seconds: float = 0.0
    steps: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)


async def carry_out(world: World, deed: Deed) -> Moved:
    """Perform a deed. Whatever the outside world does, the answer is a Moved."""
    began = monotonic()

    async def one(place: str, commands: tuple[Command, ...]) -> list[Output]:
        return await world.ask(place, *commands)

    answers = dict(
        zip(
            deed.on, await asyncio.gather(*(one(place, some) for place, some in deed.on.items())), strict=True
        )
    )
    steps = {
        place: [step.told() for output in outputs for step in read_steps(output)]
        for place, outputs in answers.items()
    }
    problems = [(place, output) for place, outputs in answers.items() for output in outputs if not output.ok]
    seconds = round(monotonic() - began, 3)
    if not problems:
        return Moved(seconds=seconds, steps=steps)
    place, output = problems[0]
    return Moved(
        problem=f"{place}: {_why(output)}",
        hint=output.hint or _hint(output),
        seconds=seconds,
        steps=steps,
    )


def _why(output: Output) -> str:
    if not output.answered:
        return output.problem or f"no answer to {output.command.name}"
    wrong = next((step for step in read_steps(output) if step.status), None)
    if wrong is not None:
        return safe(f"{wrong.name}: {wrong.said or f'ended with status {wrong.status}'}")[:300]
    said = (output.stderr.strip() or output.stdout.strip()).splitlines()
    return safe(said[-1])[:300] if said else f"{output.command.name} ended with status {output.status}"


def _hint(output: Output) -> str:
    return next((step.hint for step in read_steps(output) if step.status and step.hint), "")
