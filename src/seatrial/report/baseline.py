"""A baseline: what an earlier `seatrial check --format json` printed, read back as Results.

What is in: the shape of that document and what is wrong with another one. What is not: files, and comparing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from seatrial.errors import InputError
from seatrial.model.result import Outcome, Result
from seatrial.model.text import safe

HINT = (
    "a baseline is what `seatrial check --format json` printed: `seatrial check --format json > before.json`"
)
# Names stay as they are, since they are looked up; what is told to people again is cut.
LONGEST = 500


def _short(text: str) -> str:
    return safe(text)[:LONGEST]


class _Recorded(BaseModel):
    """One result; what a newer version says besides is passed over."""

    model_config = ConfigDict(extra="ignore")

    check: Annotated[str, Field(min_length=1, max_length=LONGEST)]
    outcome: Outcome
    because: Annotated[str, AfterValidator(_short)] = ""
    vantage: Annotated[str, AfterValidator(_short)] = ""
    evidence: dict[str, Any] = Field(default_factory=dict)


class _Document(BaseModel):
    model_config = ConfigDict(extra="ignore")

    results: Annotated[list[_Recorded], Field(max_length=100_000)]
    diagnosis: Annotated[str, AfterValidator(_short)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """An earlier run: its Results by check, and the sentence that explained what failed, "" when nothing did."""

    results: Mapping[str, Result]
    diagnosis: str = ""


def read(data: bytes, *, name: str) -> Baseline:
    """An earlier run, from the file called `name`. Raises InputError with the first mistake."""
    try:
        document = _Document.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"{name}: is no baseline: {f'{where}: ' if where else ''}{safe(first['msg'])}", hint=HINT
        ) from None
    if not document.results:
        raise InputError(f"{name}: has no result to compare with", hint=HINT)
    found: dict[str, Result] = {}
    for one in document.results:
        if one.check in found:
            raise InputError(f"{name}: has {safe(one.check)!r} twice", hint=HINT)
        found[one.check] = Result(
            check=one.check,
            outcome=one.outcome,
            because=one.because,
            vantage=one.vantage,
            evidence=one.evidence,
        )
    return Baseline(results=found, diagnosis=document.diagnosis or "")
