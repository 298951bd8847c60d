"""Reading what hosts say without believing it: shapes, bounds, and text without control characters.

What is in: the shapes of the beacon's and the prober's answers, and why an Output is no answer. What is not in:
what the answers mean.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from seatrial.model.command import Output, Trouble

LONGEST_TEXT = 300


def clean(text: str, longest: int = LONGEST_TEXT) -> str:
    """Text of a host on one line, fit for a terminal: nothing that moves a cursor, and not without end."""
    shown = "".join(
        letter if letter.isprintable() else " " if letter.isspace() else "?" for letter in text[: 4 * longest]
    )
    shown = " ".join(shown.split())
    return shown if len(shown) <= longest else shown[: longest - 3] + "..."


def _source(text: str) -> str:
    return "others" if text == "others" else str(ipaddress.ip_address(text))


Small = Annotated[int, Field(ge=0, le=2**32)]
Words = Annotated[str, Field(max_length=4096), AfterValidator(clean)]
Source = Annotated[str, Field(max_length=64), AfterValidator(_source)]
Row = tuple[Small, Small, Annotated[int, Field(ge=0, le=3)], Small, Small]


class Said(BaseModel):
    """The settings of every shape here: what is not known is passed over, so that a newer script may say more."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


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
