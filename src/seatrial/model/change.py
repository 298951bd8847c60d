"""Change and Comparison: what became of a Result since an earlier run. Comparing is the checks room's work."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from seatrial.model.result import Outcome, Result


class Change(enum.StrEnum):
    """What became of one check or flow since the baseline. Only WORSE is a failure of what was changed between."""

    SAME = "same"
    WORSE = "worse"
    FAILED_BEFORE = "failed-before"
    MENDED = "mended"
    NOT_COMPARED = "not-compared"
    NEW = "new"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One Result beside the one of the baseline; `note` says in words what `change` says, "" where nothing changed.

    `before` is None for what the baseline does not have. What failed before as well says so in its own sentence.
    """

    result: Result
    before: Result | None
    change: Change
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A run beside its baseline, in the order of the run.

    `missing` is what the baseline has and the run should have had; `left_out` is what the run was told not to ask.
    `diagnosis` is the sentence of the baseline, "" when nothing failed.
    """

    baseline: str
    diagnosis: str = ""
    rows: tuple[Compared, ...]
    missing: tuple[Result, ...] = ()
    left_out: tuple[Result, ...] = ()

    @property
    def results(self) -> tuple[Result, ...]:
        """The Results of the run, in words that know the baseline."""
        return tuple(row.result for row in self.rows)

    @property
    def by_check(self) -> Mapping[str, Compared]:
        """The rows by the name of their check; names are unique in a comparison."""
        return {row.result.check: row for row in self.rows}

    def of(self, change: Change) -> tuple[Compared, ...]:
        """The rows of one change."""
        return tuple(row for row in self.rows if row.change is change)

    @property
    def outcome(self) -> Outcome:
        """FAIL when something is worse; UNKNOWN when something could not be compared, or nothing was; else PASS."""
        if self.of(Change.WORSE):
            return Outcome.FAIL
        lost_sight = any(one.outcome is Outcome.PASS for one in self.missing)
        if lost_sight or self.of(Change.NOT_COMPARED) or not any(row.before for row in self.rows):
            return Outcome.UNKNOWN
        return Outcome.PASS
