"""The checks, asked in as few execs as possible: one for each place, its small questions all at the same time.

What is in: who is asked when, and again when an answer was no pass. What is not: the Commands and what the answers mean
(checks room).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from seatrial.checks import registry
from seatrial.checks.asked import apart, is_question, together
from seatrial.checks.repeated import several
from seatrial.model.check import Check
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result
from seatrial.perform.world import World

PAUSE = 0.5  # seconds before a check is asked again: what comes and goes should have time to


async def ask_checks(world: World, names: Iterable[str]) -> tuple[Result, ...]:
    """The Results of the checks `names` of the fleet, in that order. Raises KeyError for a name that is no check."""
    return await ask_all({name: world.fleet.checks[name] for name in names}, world)


async def ask_all(wanted: Mapping[str, Check], world: World) -> tuple[Result, ...]:
    """The Results of checks by name, in their order."""
    answers = {name: [result] for name, result in (await _once(world, wanted)).items()}
    left = {name: check.retries for name, check in wanted.items() if _again(answers[name][0])}
    while again := tuple(name for name, times in left.items() if times > 0):
        await world.clock.sleep(PAUSE)
        for name, result in (await _once(world, {name: wanted[name] for name in again})).items():
            answers[name].append(result)
            left[name] -= 1
    return tuple(several(answers[name]) for name in wanted)


def _again(result: Result) -> bool:
    return result.outcome in (Outcome.FAIL, Outcome.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """One Command of a check, and which of the check's Commands it is."""

    check: str
    number: int
    command: Command


_Heard = dict[tuple[str, int], Output]


async def _once(world: World, checks: Mapping[str, Check]) -> dict[str, Result]:
    asked = {name: registry.ask(check) for name, check in checks.items()}
    questions: dict[str, list[_Asked]] = {}
    programs: dict[str, list[_Asked]] = {}
    for name, commands in asked.items():
        for number, (place, command) in enumerate(commands):
            kind = questions if is_question(command) else programs
            kind.setdefault(place, []).append(_Asked(check=name, number=number, command=command))
    # Two execs at most for each place, side by side: programs run one after the other, questions all at once.
    answers = await asyncio.gather(_together(world, questions), _in_turn(world, programs))
    heard = {**answers[0], **answers[1]}
    return {
        name: registry.judge(name, checks[name], [heard[name, number] for number in range(len(commands))])
        for name, commands in asked.items()
    }


async def _together(world: World, questions: Mapping[str, Sequence[_Asked]]) -> _Heard:
    merged = {place: [together([one.command for one in some])] for place, some in questions.items()}
    answers = await world.ask_all(merged)
    return _heard(
        {place: apart(answers[place][0], [one.command for one in some]) for place, some in questions.items()},
        questions,
    )


async def _in_turn(world: World, programs: Mapping[str, Sequence[_Asked]]) -> _Heard:
    asked = {place: [one.command for one in some] for place, some in programs.items()}
    return _heard(await world.ask_all(asked), programs)


def _heard(answers: Mapping[str, Sequence[Output]], asked: Mapping[str, Sequence[_Asked]]) -> _Heard:
    return {
        (one.check, one.number): output
        for place, some in asked.items()
        for one, output in zip(some, answers[place], strict=True)
    }
