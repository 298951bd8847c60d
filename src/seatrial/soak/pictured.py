"""Judged series as a picture: the worst first, each with both arms, the effect at many looks, and what the verdict says.

What is in: panels of recorded samples. What is not in: drawing (the picture room), and rollouts (trials.py).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from seatrial.model.result import Outcome
from seatrial.picture import axis
from seatrial.picture.values import Clock, Curve, Effect, Mark, Panel, Picture, What
from seatrial.soak import looks
from seatrial.soak.faults import fault
from seatrial.soak.floor import floor_of
from seatrial.soak.judge import APART, Judgement, summary
from seatrial.soak.samples import Arm, CountArm, CountSeries, Series

# Seconds since 1970 that are no seconds of a soak any more: 2001.
SINCE_1970 = 1e9
DECIDED = (Outcome.PASS, Outcome.FAIL)
RANKS = {Outcome.FAIL: 0, Outcome.UNKNOWN: 1, Outcome.PASS: 2, Outcome.SKIP: 3}


def pictured(
    recorded: Sequence[Series | CountSeries],
    judgements: Sequence[Judgement],
    *,
    title: str,
    events: Sequence[Mark] = (),
    most: int,
    alpha: float,
    min_effect: float,
    matters: Mapping[str, float] = MappingProxyType({}),
) -> Picture:
    """The picture of what `judge` said of `recorded`; `most` panels, and it says how many series it leaves out."""
    chosen = worst_first(judgements)[:most]
    clock = clock_of(recorded)
    panels = tuple(
        _panel(
            recorded[at],
            judgements[at],
            clock,
            alpha=alpha,
            min_effect=min_effect,
            floor=floor_of(recorded[at].name, matters),
        )
        for at in chosen
    )
    return Picture(
        title=title,
        summary=f"{summary(judgements).because} of {len(judgements)} series",
        clock=clock,
        panels=panels,
        events=tuple(sorted(events, key=lambda mark: mark.t)),
        left_out=left_out(len(judgements) - len(chosen)),
    )


def worst_first(judgements: Sequence[Judgement]) -> list[int]:
    """Numbers of the series: what fails before what is not known before what passes, the largest effect first."""

    def rank(at: int) -> tuple[int, float, int]:
        one = judgements[at]
        return RANKS[one.outcome], -(one.effect if one.effect is not None else -1.0), at

    return sorted(range(len(judgements)), key=rank)


def left_out(number: int) -> str:
    """What a picture says of series that it does not show, "" if there are none."""
    return f"{number} more series not shown, which are less bad than these." if number > 0 else ""


def span_of(recorded: Sequence[Series | CountSeries]) -> tuple[float, float]:
    """The first and the last moment of all samples; 0 and 0 if there is none."""
    moments = [
        float(t)
        for one in recorded
        for arm in (one.good, one.candidate)
        for t in (arm.t[:1].tolist() + arm.t[-1:].tolist())
        if math.isfinite(t)
    ]
    return min(moments, default=0.0), max(moments, default=0.0)


def clock_of(recorded: Sequence[Series | CountSeries]) -> Clock:
    """Whether t are times of day or seconds since some beginning."""
    begin, _ = span_of(recorded)
    return Clock.UTC if begin >= SINCE_1970 else Clock.SECONDS


def short(effect: float | None, bounds: tuple[float | None, float | None] | None) -> str:
    """An effect with its bounds, as it stands in a panel's title; "" if it is not known."""
    if effect is None or bounds is None:
        return ""
    low, high = (None if one is None or not math.isfinite(one) else one for one in bounds)
    below = f"{low:.3g}x" if low else "0x"
    above = f" to {high:.3g}x" if high is not None else " or more"
    ratio = f"{effect:.3g}x" if math.isfinite(effect) else "more than 100x"
    return f"{ratio} good ({below}{above})"


def curve(arm: Arm | CountArm) -> Curve:
    """The samples of one arm; of counts the share that failed, in percent."""
    if isinstance(arm, Arm):
        return Curve(t=arm.t, value=arm.value)
    sent = np.maximum(arm.sent, 1e-12)
    return Curve(t=arm.t, value=np.where(arm.sent > 0, 100 * arm.failed / sent, np.nan), counts=True)


def verdict_marks(outcome: Outcome, at: float | None, since: float | None) -> tuple[Mark, ...]:
    """The moment of a verdict that was reached, and since when it is worse."""
    marks = []
    if since is not None:
        marks.append(Mark(t=since, text="since", what=What.SINCE))
    if at is not None and outcome in DECIDED:
        marks.append(Mark(t=at, text=str(outcome), what=What.VERDICT))
    return tuple(marks)


def how_sure(
    clock: Clock, alpha: float, *, at: float, since: float | None, samples: int, p_value: float, apart: bool
) -> str:
    """Of values that were decided on: since when, when it was shown and how sure, beside the numbers of the title."""
    told = [f"{100 * (1 - alpha):.6g} % sure of either bound at any time"]
    if since is not None:
        told.append(f"worse since {axis.moment_in_full(since, clock)}")
    told.append(f"shown at {axis.moment_in_full(at, clock)} after {samples} pairs of samples")
    if since is not None:
        told.append(f"p = {p_value:.2g} at any look")
    return "; ".join(told) + (APART if apart else "")


def _panel(
    series: Series | CountSeries,
    judgement: Judgement,
    clock: Clock,
    *,
    alpha: float,
    min_effect: float,
    floor: float,
) -> Panel:
    effect: Effect | None = None
    if judgement.interval is not None and fault(series) is None:
        effect = looks.over_time(series, alpha=alpha, min_effect=min_effect, floor=floor)
    is_values = isinstance(series, Series)
    because = judgement.because
    if is_values and judgement.at is not None and judgement.outcome in DECIDED:
        because = how_sure(
            clock,
            alpha,
            at=judgement.at,
            since=judgement.since,
            samples=judgement.samples,
            p_value=judgement.p_value,
            apart=judgement.because.endswith(APART),
        )
    return Panel(
        name=series.name,
        outcome=str(judgement.outcome),
        short=short(judgement.effect, judgement.interval),
        because=because,
        unit="" if is_values else "% lost",
        good=curve(series.good),
        candidate=curve(series.candidate),
        effect=effect,
        marks=verdict_marks(judgement.outcome, judgement.at, judgement.since),
    )
