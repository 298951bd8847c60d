"""Stretches of a soak, as the journal keeps them, put together to series and judged.

What is in: which stretches count, what is compared with what, how two arms are brought to one clock, and the verdict as
plain JSON. What is not in: measuring a stretch (perform/measuring.py).

A stretch is a mapping: `arm` good (who carried the work before), peer (a peer at the same time as the candidate) or
candidate, `at` when it began and `seconds` long, `round` the same for those that were measured together, `loaded` how
many of the seconds had enough load, `series`: rows by name, as soak/readings.py gives them with t in seconds since 1970,
`missing`: sentences about what could not be measured.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from seatrial.model.measure import BEFORE, HOST, PEER, Measure
from seatrial.model.result import Outcome
from seatrial.soak.evidence import LEAST
from seatrial.soak.judge import Judgement, judge, summary
from seatrial.soak.memory import Floats
from seatrial.soak.readings import is_count
from seatrial.soak.samples import Arm, CountArm, CountSeries, Series

Stretch = Mapping[str, Any]
Rows = list[tuple[float, ...]]
_WAITING, _LOOKED, _BLOCKED = "waiting.", "looked", "blocked"
_PLACED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*):(.+)\Z")
_TOLD = re.compile(rf" \(against (?:{BEFORE}|{PEER})\)\Z")
# Where they are not asked for by name, these are judged all the same.
_ALWAYS = "flow.*"
_GOOD = {BEFORE: "good", PEER: "peer"}


@dataclass(slots=True, kw_only=True)
class Together:
    """The series of each comparison, and what is not judged.

    `quiet` are names of series of which there is nothing on either side, ever; `left_out` those matched by a pattern that
    both sides have too few samples of; `missing` says of what was asked for and is not there at all.
    """

    series: dict[str, list[Series | CountSeries]]
    quiet: list[str]
    left_out: list[str]
    missing: list[str]


def verdict(stretches: Sequence[Stretch], measure: Measure) -> dict[str, Any]:
    """What has been measured so far means: outcome, because, seconds under load of each arm, and each series.

    UNKNOWN until there is enough of the candidate under load, whatever the samples say for it; what they say against
    it counts at once, since the judge may be asked at any time. With two comparisons both must pass, either may fail, and
    the error rate holds for all series of both.
    """
    counted = [one for one in stretches if float(one.get("loaded", 0.0)) > 0]
    arms = ("candidate", *(_GOOD[against] for against in measure.comparisons))
    loaded = {
        arm: round(sum(float(one["loaded"]) for one in counted if _arm(one, measure) == arm), 1)
        for arm in arms
    }
    found = together(counted, measure)
    # What is quiet now may be judged at the next look, so it has its share of the error rate from the beginning.
    many = len(found.quiet) + len(found.left_out) + sum(len(some) for some in found.series.values())
    judged = [
        replace(one, series=_told(one.series, against, measure))
        for against, some in found.series.items()
        for one in judge(
            some, alpha=measure.alpha, min_effect=measure.min_effect, matters=measure.matters, many=many
        )
    ]
    outcome, because = _sentence(judged, found, loaded, measure, stretches)
    return {
        "outcome": str(outcome),
        "because": because,
        "loaded": loaded,
        "quiet": found.quiet,
        "left_out": found.left_out,
        "missing": found.missing,
        "series": [_plain(one) for one in judged],
    }


def together(stretches: Sequence[Stretch], measure: Measure, *, by_clock: bool = False) -> Together:
    """The series of all comparisons of a policy, by both arms.

    `by_clock`: at the times at which they were measured, to look at; else on the one clock on which they are judged.
    """
    found = Together(series={one: [] for one in measure.comparisons}, quiet=[], left_out=[], missing=[])
    asked = tuple(dict.fromkeys((*measure.series, *map(_pattern, measure.promql))))
    met: set[str] = set()
    for against in measure.comparisons:
        arms = {
            arm: _joined(stretches, arm, None if by_clock else against, measure)
            for arm in (_GOOD[against], "candidate")
        }
        for name in dict.fromkeys(name for rows in arms.values() for name in rows):
            if not _comparable(name, against, measure):
                continue
            met.update(pattern for pattern in asked if _matches(name, pattern))
            if any(_matches(name, pattern) for pattern in (*asked, _ALWAYS)):
                good, candidate = (_filled(name, rows) for rows in arms.values())
                told = _told(name, against, measure)
                made = _sort_in(found, name, told, good, candidate, exact=name in asked)
                found.series[against] += [made] if made else []
        for pattern in asked:
            if pattern not in met and _nobody_waits(pattern, arms):
                met.add(pattern)
                found.quiet.append(pattern)
    found.missing = [pattern for pattern in asked if pattern not in met]
    return found


def by_name(found: Together, measure: Measure) -> dict[str, Series | CountSeries]:
    """All series by the names under which a verdict tells of them."""
    return {
        name: replace(one, name=name)
        for against, some in found.series.items()
        for one in some
        for name in (_told(one.name, against, measure),)
    }


def bare(told: str) -> str:
    """A series' own name, without what it is compared with."""
    return _TOLD.sub("", told)


def _told(name: str, against: str, measure: Measure) -> str:
    """A series as people are told of it: with two comparisons a name alone would not say which of them it is about."""
    return f"{name} (against {against})" if len(measure.comparisons) > 1 else name


def _sort_in(
    found: Together, name: str, told: str, good: Rows, candidate: Rows, *, exact: bool
) -> Series | CountSeries | None:
    """The series if it can be judged. What is there on one side only is, which comes to UNKNOWN and says why."""
    plain = _plain_name(name)
    # The kernel's own counts are of so many that even none must be shown; probes and operations are some hundreds.
    few = not is_count(plain) or plain.startswith(("flow.", "load."))
    if few and good and candidate and not any(row[1] for row in (*good, *candidate)):
        found.quiet.append(told)
        return None
    if is_count(plain):
        return CountSeries(name=name, good=_counts(good), candidate=_counts(candidate))
    if not exact and max(len(good), len(candidate)) < LEAST:
        # A disk that is written to twice an hour must not keep the others from being judged; it is told.
        found.left_out.append(told)
        return None
    return Series(name=name, good=_values(good), candidate=_values(candidate))


def _arm(one: Stretch, measure: Measure) -> str:
    """The arm of a stretch. Journals of before there was `both` call a peer's arm good."""
    arm = str(one.get("arm"))
    return "peer" if arm == "good" and measure.against == PEER else arm


def _comparable(name: str, against: str, measure: Measure) -> bool:
    """Whether the other arm has such a series of its own: what clients, loads and flows see, only the carrier made."""
    if against == BEFORE:
        return True
    from_load = name.startswith("load.") and name.count(".") > 1
    if from_load or _PLACED.match(name) or name.startswith(("flow.", "rtt.")):
        return False
    query = next((one for key, one in measure.promql.items() if _matches(name, _pattern(key))), None)
    return query is None or HOST in query.query


def _pattern(query: str) -> str:
    return f"promql.{query}"


def _matches(name: str, pattern: str) -> bool:
    # A query's series are all of its label sets; its braces mean nothing to fnmatch.
    if name.startswith("promql.") and name.partition("{")[0] == pattern:
        return True
    return fnmatchcase(name, pattern) or fnmatchcase(_plain_name(name), pattern)


def _nobody_waits(pattern: str, arms: Mapping[str, Mapping[str, Rows]]) -> bool:
    """Whether it is known of both arms that no such thread waited: it was looked for, and none was there."""
    found = _PLACED.match(pattern)
    place, plain = (found[1] + ":", found[2]) if found else ("", pattern)
    return plain.startswith(_WAITING) and all(_looked(arm, place) for arm in arms.values())


def _joined(stretches: Sequence[Stretch], arm: str, against: str | None, measure: Measure) -> dict[str, Rows]:
    """All rows of one arm by series, on a clock that begins with the first stretch and that nobody sets.

    Measured one after the other, arms have no clock in common: the n-th sample of the n-th stretch stands where it would
    if all were equally long. Measured at the same time, a stretch stands at the place of its round. Compared with nothing,
    all stand where the clock stood.
    """
    mine = [one for one in stretches if _arm(one, measure) == arm]
    steps = _steps(stretches, measure)
    rounds = {key: number for number, key in enumerate(_rounds(stretches, measure))}
    found: dict[str, Rows] = {}
    for number, one in enumerate(mine):
        for name, rows in dict(one.get("series", {})).items():
            held = found.setdefault(str(name), [])
            for place, row in enumerate(rows):
                if against == BEFORE:
                    at = measure.every * (number * steps + place)
                elif against == PEER and "round" in one:
                    at = measure.every * steps * rounds[one["round"]] + float(row[0]) - float(one["at"])
                else:
                    at = float(row[0])
                if not held or at > held[-1][0]:
                    held.append((at, *(float(value) for value in row[1:])))
    return found


def _rounds(stretches: Sequence[Stretch], measure: Measure) -> Iterator[Any]:
    return iter(dict.fromkeys(one["round"] for one in stretches if "round" in one))


def _steps(stretches: Sequence[Stretch], measure: Measure) -> int:
    longest = max((float(one.get("seconds", 0.0)) for one in stretches), default=0.0)
    return math.ceil(longest / measure.every) + 1


def _filled(name: str, arm: Mapping[str, Rows]) -> Rows:
    """The rows of a series; threads that nobody saw waiting were not waiting, where it is known that it was looked for."""
    found = _PLACED.match(name)
    place, plain = (found[1] + ":", found[2]) if found else ("", name)
    if name in arm or not plain.startswith(_WAITING):
        return arm.get(name, [])
    return [(row[0], 0.0) for row in _looked(arm, place)]


def _looked(arm: Mapping[str, Rows], place: str) -> Rows:
    """When it was looked for who waits; journals of before there was that have what was blocked."""
    return arm.get(place + _LOOKED) or arm.get(place + _BLOCKED, [])


def _plain_name(name: str) -> str:
    """A series' name without the place in front of it; what else has colons (a mount, a label) keeps them."""
    found = _PLACED.match(name)
    return found[2] if found else name


def _values(rows: Rows) -> Arm:
    work = _column(rows, 2) if rows and all(len(row) > 2 for row in rows) else None
    return Arm(t=_column(rows, 0), value=_column(rows, 1), work=work)


def _counts(rows: Rows) -> CountArm:
    return CountArm(t=_column(rows, 0), failed=_column(rows, 1), sent=_column(rows, 2))


def _column(rows: Rows, number: int) -> Floats:
    return np.array([row[number] for row in rows], dtype=np.float64)


def _sentence(
    judged: Sequence[Judgement],
    found: Together,
    loaded: Mapping[str, float],
    measure: Measure,
    stretches: Sequence[Stretch],
) -> tuple[Outcome, str]:
    outcome = summary(judged).outcome if judged else Outcome.PASS if found.quiet else Outcome.UNKNOWN
    worse = [one for one in judged if one.outcome is Outcome.FAIL]
    if worse:
        first = max(worse, key=lambda one: one.effect or 0.0)
        return Outcome.FAIL, f"{first.series} is {first.because}{_more(worse)}"
    if not loaded["candidate"]:
        return Outcome.UNKNOWN, "nothing counts yet (it settles, or has too little load)"
    if loaded["candidate"] < measure.least:
        said = f"{loaded['candidate']:.0f} s of the {measure.least:.0f} s that are needed at least"
        return Outcome.UNKNOWN, said
    if found.missing:
        return Outcome.UNKNOWN, f"there is nothing of {', '.join(found.missing)}{_why(stretches)}"
    open_ones = [one for one in judged if one.outcome is Outcome.UNKNOWN]
    if open_ones:
        first = open_ones[0]
        why = "" if first.samples else _why(stretches)
        return Outcome.UNKNOWN, f"{first.series}: {first.because}{why}{_more(open_ones)}"
    if outcome is not Outcome.PASS:
        return Outcome.UNKNOWN, f"there are too few samples of everything that was asked for{_why(stretches)}"
    count = len(judged) + len(found.quiet)
    said = f"{count} series are less than {measure.min_effect:g}x worse than on the good kernel under load"
    few = f"; too few samples, so left out: {', '.join(found.left_out)}" if found.left_out else ""
    return outcome, f"{said} ({loaded['candidate']:.0f} s){few}"


def _more(some: Sequence[Judgement]) -> str:
    return f" (and {len(some) - 1} more series)" if len(some) > 1 else ""


def _why(stretches: Sequence[Stretch]) -> str:
    """The newest reason why something could not be measured, behind a colon."""
    said = [str(why) for one in stretches for why in one.get("missing", ())]
    return f": {said[-1]}" if said else ""


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
