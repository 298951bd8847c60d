"""What the checks share: asking by question.py, alone or many at once, and Results made the same way.

What is not in: what any one check wants to hear.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from seatrial.checks.onhost import script
from seatrial.checks.reading import Said, Small, Words, understood, why_not
from seatrial.model.check import CheckBase
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result


class Answer(Said):
    """What question.py says; which fields it has depends on the verb."""

    error: Words = ""
    unreadable: bool = False
    seconds: float = 0.0
    connected: bool = False
    status: Small = 0
    reason: Words = ""
    bytes: Small = 0
    contains: bool | None = None
    code: Words = ""
    aa: bool = False
    ra: bool = False
    records: list[Words] = Field(default_factory=list, max_length=100)


def question(name: str, verb: str, check: CheckBase, spec: Mapping[str, Any]) -> Command:
    """question.py with a verb, as a Command that takes a little longer than the check allows."""
    whole = {**spec, "timeout": check.timeout}
    return Command(
        name=name,
        argv=("python3", "-", verb, json.dumps(whole, separators=(",", ":"))),
        stdin=script("question"),
        timeout=check.timeout + 10.0,
        package="python3",
    )


def together(questions: Sequence[Command]) -> Command:
    """Several questions of question.py for one place as one Command, which asks all of them at the same time."""
    asked = [[one.argv[2], json.loads(one.argv[3])] for one in questions]
    # The script asks 32 at a time, so more than those take a second turn.
    longest = max(one.timeout for one in questions) * (1 + (len(questions) - 1) // 32)
    return replace(
        questions[0],
        name="question.many",
        argv=("python3", "-", "many", json.dumps(asked, separators=(",", ":"))),
        timeout=longest,
    )


def apart(output: Output, questions: Sequence[Command]) -> list[Output]:
    """The Output of `together` as one Output for each of its questions, in their order.

    An answer that is not understood is handed to all of them as it is: each says so for itself.
    """
    try:
        answers = json.loads(output.stdout) if output.ok and not output.truncated else None
    except ValueError:
        answers = None
    if not isinstance(answers, list) or len(answers) != len(questions):
        return [replace(output, command=one) for one in questions]
    return [
        replace(output, command=one, stdout=json.dumps(answer))
        for one, answer in zip(questions, answers, strict=True)
    ]


def is_question(command: Command) -> bool:
    """Whether it can be asked together with others; what needs root is not, since the others need none."""
    return command.stdin == script("question") and not command.root


def heard(output: Output | None, place: str) -> Answer | tuple[str, str]:
    """The answer, or why there is none and what to do."""
    if why := why_not(output, place):
        return why
    assert output is not None
    found = understood(Answer, output, place)
    return found if isinstance(found, Answer) else (found, "")


def made(
    name: str,
    check: CheckBase,
    outcome: Outcome,
    because: str,
    *,
    hint: str = "",
    seconds: float = 0.0,
    evidence: Annotated[Mapping[str, Any] | None, "plain JSON"] = None,
) -> Result:
    """A Result of a check, with the vantage that asked."""
    return Result(
        check=name,
        outcome=outcome,
        because=because,
        vantage=check.source_vantage,
        evidence=evidence or {},
        seconds=seconds,
        hint=hint,
    )


def unknown(name: str, check: CheckBase, why: tuple[str, str]) -> Result:
    """No answer is UNKNOWN, never FAIL."""
    return made(name, check, Outcome.UNKNOWN, why[0], hint=why[1])
