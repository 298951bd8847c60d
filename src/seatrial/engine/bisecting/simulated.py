"""A ground on paper: versions that fail from one of them on, with a test that errs as often as it is told.

It shows what a search would take and prints before any kernel is booted, and is what the loop is tested on. The same
seed and the same number of an attempt give the same answer, so that a search that is killed and resumed ends as one
that was not.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from seatrial.engine.bisecting.ground import Tried
from seatrial.model.result import Outcome

BOOT_SECONDS, TEST_SECONDS = 16.0, 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """`first_bad` and the `dead` ones are names of versions; `flaky` is how often the test errs, either way."""

    first_bad: str
    flaky: float = 0.0
    dead: tuple[str, ...] = ()
    seed: int = 0


class SimulatedKernels:
    """Versions in their order, of which none exists."""

    def __init__(self, versions: Sequence[str], what: Simulated) -> None:
        self._places = {version: place for place, version in enumerate(versions)}
        self._what = what

    @property
    def platform(self) -> str:
        """Where it runs."""
        return "All of it was simulated: no kernel was booted."

    async def attempt(self, version: str, number: int, likely: Sequence[str]) -> Tried:
        """Throw the dice of this attempt."""
        if version in self._what.dead:
            return Tried(
                outcome=Outcome.SKIP,
                because="it did not boot: the good kernel came back",
                seconds=BOOT_SECONDS,
            )
        errs = random.Random(f"{self._what.seed} {number}").random() < self._what.flaky  # noqa: S311
        is_bad = self._places[version] >= self._places[self._what.first_bad]
        outcome = Outcome.FAIL if is_bad is not errs else Outcome.PASS
        because = "the simulated test fails" if outcome is Outcome.FAIL else "the simulated test passes"
        return Tried(
            outcome=outcome,
            because=because,
            boot_seconds=BOOT_SECONDS,
            seconds=BOOT_SECONDS + TEST_SECONDS,
        )
