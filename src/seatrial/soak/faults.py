"""What makes a series impossible to judge, in one sentence each: the answer is then UNKNOWN, never `pass`.

What is in: what a series itself shows. What is not in: files that cannot be read (samples.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from seatrial.soak.evidence import LEAST
from seatrial.soak.memory import Floats
from seatrial.soak.pairs import Pairs
from seatrial.soak.samples import Arm, CountArm, CountSeries, Series

# A gauge goes down now and then; what grows with nearly every one of this many samples is a counter.
GROWING = 0.95
ENOUGH_TO_TELL = 20


def fault(series: Series | CountSeries) -> str | None:
    """Why the series cannot be judged, or None. The first reason that is found."""
    return next(_faults(series), None)


def _faults(series: Series | CountSeries) -> Iterator[str]:
    arms = {"good": series.good, "candidate": series.candidate}
    empty = [name for name, arm in arms.items() if not len(arm.t)]
    if empty:
        yield f"there is no sample of {' and none of '.join(empty)}"
        return
    for name, arm in arms.items():
        yield from _clock(name, arm.t)
    for name, arm in arms.items():
        yield from _counted(name, arm) if isinstance(arm, CountArm) else _measured(name, arm)
    if isinstance(series, Series):
        yield from _still(series)


def _clock(name: str, t: Floats) -> Iterator[str]:
    if not np.isfinite(t).all():
        yield f"{name} has a time that is no number"
    back = np.flatnonzero(np.diff(t) <= 0)
    if len(back):
        at = back[0]
        yield (
            f"the clock of {name} does not go forward: t = {t[at + 1]:.12g} comes after t = {t[at]:.12g}; "
            "sort the samples if they were written out of order"
        )


def _first(t: Floats, wrong: Callable[[Floats], np.ndarray], values: Floats) -> str | None:
    found = np.flatnonzero(wrong(values))
    return f"{values[found[0]]:.12g} at t = {t[found[0]]:.12g}" if len(found) else None


def _not_finite(values: Floats) -> np.ndarray:
    return ~np.isfinite(values)


def _negative(values: Floats) -> np.ndarray:
    return values < 0


def _measured(name: str, arm: Arm) -> Iterator[str]:
    if said := _first(arm.t, _not_finite, arm.value):
        yield f"{name} has {said}, which is no measurement"
    if said := _first(arm.t, _negative, arm.value):
        yield f"{name} has {said}: did a counter wrap or reset? Below 0 there is no 'twice as much'"
    if len(arm.value) >= ENOUGH_TO_TELL and np.mean(np.diff(arm.value) > 0) > GROWING:
        yield f"{name} grows with nearly every sample, like a counter: give what came since the sample before"
    if arm.work is not None and (
        said := _first(arm.t, lambda work: ~(np.isfinite(work) & (work > 0)), arm.work)
    ):
        yield f"the work of {name} is {said}: without work there is nothing to compare"


def _counted(name: str, arm: CountArm) -> Iterator[str]:
    for what, values in (("failed", arm.failed), ("sent", arm.sent)):
        if said := _first(arm.t, _not_finite, values):
            yield f"{what} of {name} is {said}, which is no count"
        if said := _first(arm.t, _negative, values):
            yield f"{what} of {name} is {said}: did a counter wrap or reset?"
        if said := _first(arm.t, lambda values: values != np.floor(values), values):
            yield f"{what} of {name} is {said}, which is no count"
    more = np.flatnonzero(arm.failed > arm.sent)
    if len(more):
        yield f"{name} has more failed than sent at t = {arm.t[more[0]]:.12g}: did a counter wrap or reset?"


def _still(series: Series) -> Iterator[str]:
    good, candidate = series.good.value, series.candidate.value
    stuck = [
        name for name, values in (("good", good), ("candidate", candidate)) if values.min() == values.max()
    ]
    if len(stuck) == 2:
        yield f"neither arm ever changes ({good[0]:.6g} and {candidate[0]:.6g}): is it measured, and finely enough?"
    elif stuck and len(good) > 1 and len(candidate) > 1:
        name, values = (stuck[0], good if stuck[0] == "good" else candidate)
        # A good kernel without any of it is a baseline; a candidate without any is more likely not measured.
        if name == "candidate" or values[0] != 0:
            yield f"{name} is {values[0]:.6g} throughout and the other arm is not: is it measured?"


def unpaired(series: Series, pairs: Pairs) -> str | None:
    """Why the pairs of a series are too few or compare nothing, or None."""
    found, possible = len(pairs.t), min(len(series.good.t), len(series.candidate.t))
    if possible < LEAST:
        return f"there are {possible} pairs of samples, and it takes {LEAST} to say anything"
    if found < LEAST or 2 * found < possible:
        return f"only {found} of {possible} samples have a partner in the other arm at the same time"
    if pairs.work is not None and np.ptp(pairs.work) < 1e-6 and abs(pairs.work[0]) > 1e-6:
        return (
            f"the candidate always did {np.exp(pairs.work[0]):.3g}x the work of good: "
            "no like load to compare, and nothing to learn from how work tells"
        )
    return None
