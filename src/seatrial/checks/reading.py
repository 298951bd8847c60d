"""Reading what hosts say without believing it: shapes, bounds, and text without control characters.

What is in: the shapes of the beacon's and the prober's answers, and why an Output is no answer. What is not in:
what the answers mean.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, Field, ValidationError

from seatrial.model.command import Output, Trouble
from seatrial.model.said import LONGEST_TEXT, Said, Small, Words, clean

__all__ = [
    "LONGEST_TEXT",
    "Far",
    "FarFlow",
    "FarPort",
    "Listening",
    "Near",
    "NearFlow",
    "Said",
    "Shape",
    "Small",
    "Words",
    "clean",
    "understood",
    "why_not",
]


def _source(text: str) -> str:
    return "others" if text == "others" else str(ipaddress.ip_address(text))


Source = Annotated[str, Field(max_length=64), AfterValidator(_source)]
Row = tuple[Small, Small, Annotated[int, Field(ge=0, le=3)], Small, Small]


class NearFlow(Said):
    """What the prober says of one flow; a row is a probe: sequence, port or id, state, microseconds, repeats."""

    source: Annotated[str, Field(max_length=64)] = ""
    size: Small = 0
    probes: list[Row] = Field(default_factory=list, max_length=20000)
    errors: dict[str, Small] = Field(default_factory=dict, max_length=64)
    problem: Words = ""


class Near(Said):
    """The answer to flow.send."""

    run: str
    flows: dict[str, NearFlow] = Field(default_factory=dict, max_length=1000)


class FarFlow(Said):
    """What the beacon says of one flow; `whole` counts those of which every byte arrived."""

    arrived: Small = 0
    whole: Small = 0
    sources: dict[Source, Small] = Field(default_factory=dict, max_length=100)
    problem: Words = ""


class FarPort(Said):
    """Connection attempts at one TCP port that nobody's token claimed, as (source, port)."""

    version: int
    port: int
    saw: Words = ""
    orphans: list[tuple[Source, Small]] = Field(default_factory=list, max_length=5000)


class Far(Said):
    """The answer to flow.collect."""

    run: str
    flows: dict[str, FarFlow] = Field(default_factory=dict, max_length=1000)
    ports: list[FarPort] = Field(default_factory=list, max_length=1000)
    problem: Words = ""


class Listening(Said):
    """The answer to flow.listen."""

    run: str
    flows: dict[str, FarFlow] = Field(default_factory=dict, max_length=1000)


Shape = TypeVar("Shape", bound=Said)


def _program(argv: Sequence[str]) -> str:
    """What is really run: `timeout -k 2 10 PROGRAM` is about the program."""
    if argv[0] != "timeout":
        return argv[0]
    return next((word for word in argv[1:] if word[:1] not in "-0123456789"), argv[0])


def why_not(output: Output | None, place: str) -> tuple[str, str] | None:
    """Why there is no answer, as a sentence and what to do; None when there is one."""
    if output is None:
        return f"{place} was not asked", ""
    if output.trouble is Trouble.NO_PROGRAM or output.status == 127:
        program = _program(output.command.argv)
        return f"{place} has no {program}", f"apt install {output.command.package or program}"
    if not output.answered:
        said = clean(output.problem) or (output.trouble or "no answer")
        return f"{place} did not answer: {said}", clean(output.hint)
    if output.truncated:
        return f"{place} said more than is read", ""
    if not output.ok:
        said = clean(output.stderr.strip().splitlines()[-1] if output.stderr.strip() else "")
        return f"{place}: {output.command.name} ended with status {output.status}: {said}", ""
    return None


def understood(shape: type[Shape], output: Output, place: str) -> Shape | str:
    """The answer in its shape, or a sentence that says that it has another one."""
    try:
        return shape.model_validate_json(output.stdout)
    except ValidationError as error:
        first: dict[str, Any] = dict(error.errors(include_url=False, include_input=False)[0])
        where = ".".join(str(part) for part in first.get("loc", ()))
        return clean(
            f"{place} answered {output.command.name} in a way that is not understood: {where}: {first.get('msg')}"
        )
