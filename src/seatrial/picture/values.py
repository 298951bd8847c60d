"""What a picture shows, before anybody decides where on the paper: panels, curves, bands and marks.

What is in: the values. What is not in: how they are drawn (sheet.py, terminal.py) and where they come from (the soak room).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Clock(enum.StrEnum):
    """What t means: seconds since some beginning, or seconds since 1970."""

    SECONDS = "seconds"
    UTC = "utc"


class What(enum.StrEnum):
    """What a mark on the time line stands for."""

    EVENT = "event"
    SINCE = "since"
    VERDICT = "verdict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Samples of one arm in the order of time, each (n); `t` in seconds. Where many fall on one place of the paper
    the median is drawn, or their mean where `counts` says that most of them are 0 by nature."""

    t: Floats
    value: Floats
    counts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """The ratio to good as it was known at each look, with its bounds; each (n), infinite where there was no bound.

    `enough` is the ratio from which on it matters, `sure` the share of trials in which a bound holds at all looks.
    """

    t: Floats
    low: Floats
    ratio: Floats
    high: Floats
    enough: float
    sure: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A moment, and what happened then."""

    t: float
    text: str
    what: What = What.EVENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One series. `outcome` is pass, fail, unknown or empty; `short` stands in its title and `because` below it."""

    name: str
    outcome: str = ""
    short: str = ""
    because: str = ""
    unit: str = ""
    good: Curve
    candidate: Curve
    effect: Effect | None = None
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """All panels on one clock. `events` are marked in each of them; `left_out` says what is not shown, "" if nothing."""

    title: str
    summary: str = ""
    clock: Clock = Clock.SECONDS
    panels: tuple[Panel, ...]
    events: tuple[Mark, ...] = ()
    left_out: str = ""

    @property
    def span(self) -> tuple[float, float]:
        """The first and the last moment that are shown, in seconds; never the same."""
        moments = [mark.t for mark in self.events]
        for panel in self.panels:
            moments += [mark.t for mark in panel.marks]
            for curve in (panel.good, panel.candidate):
                moments += [float(curve.t[0]), float(curve.t[-1])] if len(curve.t) else []
        begin, end = min(moments, default=0.0), max(moments, default=0.0)
        return (begin, end) if end > begin else (begin, begin + 1.0)
