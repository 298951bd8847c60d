"""A ground: a place where one version after the other can be booted and asked. What is in: what the loop needs of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from seatrial.model.result import Outcome, Result

# What is being done, and how much of it is done (None: a step that has just ended).
Progress = Callable[[str, float | None], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What one attempt at one version came to, as in course.Attempt; times in seconds."""

    outcome: Outcome
    because: str
    boot_seconds: float | None = None
    seconds: float = 0.0
    results: tuple[Result, ...] = ()


class Ground(Protocol):
    """Where versions are tried."""

    @property
    def platform(self) -> str:
        """Where it runs, in a sentence for a bug report."""
        ...

    async def attempt(self, version: str, number: int, likely: Sequence[str]) -> Tried:
        """Boot a version and ask; `number` counts from 1 the attempts that came to an end.

        `likely` are the versions that may well be wanted next: what they need can be made ready on the way.
        PASS and FAIL are evidence. SKIP: it would not boot. UNKNOWN: nobody can say. Raises LabError when the ground
        itself broke: then nothing is known of any version.
        """
        ...
