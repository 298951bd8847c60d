"""Result and Verdict: one answer, and what a set of answers means. Judging is done in the rooms above."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


class Outcome(enum.StrEnum):
    """How a question was answered. UNKNOWN opens no gate."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One answer to one Check or Flow.

    `because` is one sentence for people; `evidence` is plain JSON (numbers and short texts) for programs and for
    the journal; `seconds` is how long the asking took; `hint` says what to do when the answer is not PASS.
    """

    check: str
    outcome: Outcome
    because: str
    vantage: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a set of Results means: never a bare bool."""

    outcome: Outcome
    because: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """FAIL before UNKNOWN before PASS; SKIP counts for nothing, and nothing at all is UNKNOWN."""
    seen = set(outcomes)
    for outcome in (Outcome.FAIL, Outcome.UNKNOWN, Outcome.PASS):
        if outcome in seen:
            return outcome
    return Outcome.UNKNOWN


MOST = 10.0**12


def figure(result: Result, key: str) -> float | None:
    """A number of the evidence, None where there is none; what a file or a host says may be anything."""
    value = result.evidence.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= MOST else None
