"""The checks, asked in as few execs as possible: one for each place, its small questions all at the same time.

What is in: who is asked when, and again when an answer was no pass. What is not: the Commands and what the answers mean
(checks room).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from seatrial.checks import registry
from seatrial.checks.asked import apart, is_question, together
from seatrial.checks.repeated import several
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result
from seatrial.perform.world import World

PAUSE = 0.5  # seconds before a check is asked again: what comes and goes should have time to


async def ask_checks(world: World, names: Iterable[str]) -> tuple[Result, ...]:
    """The Results of the checks `names` of the fleet, in that order. Raises KeyError for a name that is no check."""
    wanted = tuple(dict.fromkeys(names))
    answers = {name: [result] for name, result in (await _once(world, wanted)).items()}
    left = {name: world.fleet.checks[name].retries for name in wanted if _again(answers[name][0])}
    while again := tuple(name for name, times in left.items() if times > 0):
        await world.clock.sleep(PAUSE)
        for name, result in (await _once(world, again)).items():
            answers[name].append(result)
            left[name] -= 1
    return tuple(several(answers[name]) for name in wanted)


def _again(result: Result) -> bool:
    return result.outcome in (Outcome.FAIL, Outcome.UNKNOWN)


async def _once(world: World, names: Sequence[str]) -> dict[str, Result]:
    asked = {name: registry.ask(world.fleet.checks[name]) for name in names}
    questions: dict[str, list[tuple[str, int, Command]]] = {}
    others: dict[str, list[tuple[str, int, Command]]] = {}
    for name, commands in asked.items():
        for number, (place, command) in enumerate(commands):
            room = questions if is_question(command) else others
            room.setdefault(place, []).append((name, number, command))
    heard: dict[tuple[str, int], Output] = {}
    # Two execs at most for each place, side by side: programs run one after the other, questions all at once.
    await asyncio.gather(_together(world, questions, heard), _in_turn(world, others, heard))
    return {
        name: registry.judge(
            name, world.fleet.checks[name], [heard[name, number] for number in range(len(commands))]
        )
        for name, commands in asked.items()
    }


async def _together(
    world: World,
    questions: dict[str, list[tuple[str, int, Command]]],
    heard: dict[tuple[str, int], Output],
) -> None:
    merged = {place: [together([one for _, _, one in some])] for place, some in questions.items()}
    for place, (output,) in (await world.ask_all(merged)).items():
        asked = questions[place]
        for (name, number, _), answer in zip(asked, apart(output, [one for _, _, one in asked]), strict=True):
            heard[name, number] = answer


async def _in_turn(
    world: World,
    others: dict[str, list[tuple[str, int, Command]]],
    heard: dict[tuple[str, int], Output],
) -> None:
    answers = await world.ask_all({place: [one for _, _, one in some] for place, some in others.items()})
    for place, some in others.items():
        for (name, number, _), output in zip(some, answers[place], strict=True):
            heard[name, number] = output
