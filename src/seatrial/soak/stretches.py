"""Stretches of a soak, as the journal keeps them, put together to series and judged.

What is in: which stretches count, how the two arms are brought to one clock, and the verdict as plain JSON. What is not
in: measuring a stretch (perform/measuring.py).

A stretch is a mapping: `arm` good or candidate, `at` when it began and `seconds` long, `loaded` how many of them had
enough load, `series`: rows by name, as soak/readings.py gives them with t in seconds since 1970.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from seatrial.model.measure import Measure
from seatrial.model.result import Outcome
from seatrial.soak.judge import Judgement, judge, summary
from seatrial.soak.memory import Floats
from seatrial.soak.readings import is_count
from seatrial.soak.samples import Arm, CountArm, CountSeries, Series

Stretch = Mapping[str, Any]
Rows = list[tuple[float, ...]]
_WAITING, _BLOCKED = "waiting.", "blocked"


def verdict(stretches: Sequence[Stretch], measure: Measure) -> dict[str, Any]:
    """What has been measured so far means: outcome, because, seconds under load of each arm, and each series.

    UNKNOWN until there is enough of the candidate under load, whatever the samples say for it; what they say against
    it counts at once, since the judge may be asked at any time.
    """
    counted = [one for one in stretches if float(one.get("loaded", 0.0)) > 0]
    loaded = {
        arm: round(sum(float(one["loaded"]) for one in counted if one.get("arm") == arm), 1)
        for arm in ("good", "candidate")
    }
    series, quiet = together(counted, measure)
    judged = judge(series, alpha=measure.alpha, min_effect=measure.min_effect, matters=measure.matters)
    outcome, because = _sentence(judged, quiet, loaded, measure)
    return {
        "outcome": str(outcome),
        "because": because,
        "loaded": loaded,
        "quiet": list(quiet),
        "series": [_plain(one) for one in judged],
    }


def together(
    stretches: Sequence[Stretch], measure: Measure, *, by_clock: bool = False
) -> tuple[list[Series | CountSeries], tuple[str, ...]]:
    """The series of both arms, and the names of those of which there is nothing on either side, ever.

    `by_clock`: at the times at which they were measured, to look at; else on the one clock on which they are judged.
    """
    is_numbered = measure.against == "before" and not by_clock
    arms = {
        arm: _joined([one for one in stretches if one.get("arm") == arm], measure, is_numbered=is_numbered)
        for arm in ("good", "candidate")
    }
    made: list[Series | CountSeries] = []
    quiet: list[str] = []
    # What was kept to know something else by (who is blocked) is not judged; lost probes always are.
    asked = (*measure.series, "flow.*")
    for name in dict.fromkeys([*arms["good"], *arms["candidate"]]):
        if not any(
            fnmatchcase(name, pattern) or fnmatchcase(_plain_name(name), pattern) for pattern in asked
        ):
            continue
        good, candidate = (_filled(name, arms[arm]) for arm in ("good", "candidate"))
        if (
            not any(row[1] for row in (*good, *candidate))
            and good
            and candidate
            and not is_count(_plain_name(name))
        ):
            quiet.append(name)
        elif is_count(_plain_name(name)) or name.startswith("flow."):
            made.append(CountSeries(name=name, good=_counts(good), candidate=_counts(candidate)))
        else:
            made.append(Series(name=name, good=_values(good), candidate=_values(candidate)))
    return made, tuple(quiet)


def _joined(stretches: Sequence[Stretch], measure: Measure, *, is_numbered: bool) -> dict[str, Rows]:
    """All rows of one arm by series. Measured one after the other, arms have no clock in common: rows are numbered."""
    found: dict[str, Rows] = {}
    for number, one in enumerate(stretches):
        for name, rows in dict(one.get("series", {})).items():
            held = found.setdefault(str(name), [])
            for place, row in enumerate(rows):
                at = float(row[0])
                if is_numbered:
                    # The n-th sample of a stretch stands where it would if all stretches were equally long.
                    at = measure.every * (number * _steps(stretches, measure) + place)
                if not held or at > held[-1][0]:
                    held.append((at, *(float(value) for value in row[1:])))
    return found


def _steps(stretches: Sequence[Stretch], measure: Measure) -> int:
    longest = max(float(one.get("seconds", 0.0)) for one in stretches)
    return math.ceil(longest / measure.every) + 1


def _filled(name: str, arm: Mapping[str, Rows]) -> Rows:
    """The rows of a series; threads that nobody saw waiting were not waiting, where it is known that it was looked for."""
    place, _, plain = name.rpartition(":")
    if name in arm or not plain.startswith(_WAITING):
        return arm.get(name, [])
    blocked = arm.get(f"{place}:{_BLOCKED}" if place else _BLOCKED, [])
    return [(row[0], 0.0) for row in blocked]


def _plain_name(name: str) -> str:
    return name.rpartition(":")[2]


def _values(rows: Rows) -> Arm:
    work = _column(rows, 2) if rows and all(len(row) > 2 for row in rows) else None
    return Arm(t=_column(rows, 0), value=_column(rows, 1), work=work)


def _counts(rows: Rows) -> CountArm:
    return CountArm(t=_column(rows, 0), failed=_column(rows, 1), sent=_column(rows, 2))


def _column(rows: Rows, number: int) -> Floats:
    return np.array([row[number] for row in rows], dtype=np.float64)


def _sentence(
    judged: Sequence[Judgement], quiet: Sequence[str], loaded: Mapping[str, float], measure: Measure
) -> tuple[Outcome, str]:
    outcome = summary(judged).outcome if judged else Outcome.PASS if quiet else Outcome.UNKNOWN
    worse = [one for one in judged if one.outcome is Outcome.FAIL]
    if worse:
        first = max(worse, key=lambda one: one.effect or 0.0)
        more = f" (and {len(worse) - 1} more series)" if len(worse) > 1 else ""
        return Outcome.FAIL, f"{first.series} is {first.because}{more}"
    if not judged and not quiet:
        return Outcome.UNKNOWN, "nothing counts yet (it settles, or has too little load)"
    if loaded["candidate"] < measure.least:
        said = f"{loaded['candidate']:.0f} s of the {measure.least:.0f} s that are needed at least"
        return Outcome.UNKNOWN, said
    open_ones = [one for one in judged if one.outcome is Outcome.UNKNOWN]
    if open_ones:
        first = open_ones[0]
        more = f" (and {len(open_ones) - 1} more series)" if len(open_ones) > 1 else ""
        return Outcome.UNKNOWN, f"{first.series}: {first.because}{more}"
    count = len(judged) + len(quiet)
    said = f"{count} series are less than {measure.min_effect:g}x worse than on the good kernel under load"
    return outcome, f"{said} ({loaded['candidate']:.0f} s)"


def _plain(one: Judgement) -> dict[str, Any]:
    """A Judgement as JSON; a bound that is infinite is null, since JSON has no infinity."""
    low, high = one.interval if one.interval else (None, None)
    return {
        "series": one.series,
        "outcome": str(one.outcome),
        "because": one.because,
        "effect": one.effect if one.effect is None or math.isfinite(one.effect) else None,
        "interval": [_finite(low), _finite(high)],
        "since": one.since,
        "p_value": one.p_value,
        "samples": one.samples,
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
