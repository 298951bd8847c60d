"""The soak of one trial as a picture, from the journal's Events alone: both arms at the times at which they were
measured, the effect as each verdict knew it, and what the trial went through.

What is in: which events are marked, and panels of what was judged, or of what was measured so far where nothing was judged
yet. What is not in: judging (stretches.py), drawing (the picture room).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from seatrial.model.event import Event, Kind
from seatrial.model.fold import TrialState
from seatrial.model.measure import PEER, Measure
from seatrial.model.result import Outcome
from seatrial.model.trial import State
from seatrial.picture.values import Clock, Effect, Mark, Panel, Picture
from seatrial.soak.floor import floor_of
from seatrial.soak.looks import enough
from seatrial.soak.pictured import DECIDED, RANKS, curve, how_sure, left_out, short, verdict_marks
from seatrial.soak.readings import unit_of
from seatrial.soak.samples import CountSeries, Series
from seatrial.soak.stretches import Stretch, bare, by_name, together

# States that a person looks for on the time line; the others are passed in the same second.
_MARKED = frozenset(State) - {State.PLANNED, State.PREFLIGHT, State.DRAINED, State.EXERCISED}
_ACTS = {"drain": "traffic moved to its peer", "attract": "traffic moved onto it"}
_WISHES = (Kind.ROLLOUT_PAUSED, Kind.ROLLOUT_RESUMED, Kind.ROLLOUT_ABORTED)


def pictured(events: Sequence[Event], trial: TrialState, measure: Measure, *, most: int) -> Picture | None:
    """The picture of a trial's soak so far, the worst series first; None if nothing was measured.

    `events` are those of the rollout, oldest first; `most` panels, and it says how many series it leaves out.
    """
    boot_id = trial.facts.get("trial_boot_id")
    verdicts = [
        one
        for one in events
        if one.kind == Kind.VERDICT and one.host == trial.host and one.data.get("boot_id") == boot_id
    ]
    kept = [one for one in trial.samples if one.get("arm") != "candidate" or one.get("boot_id") == boot_id]
    if not kept:
        return None
    drawn = by_name(together(_drawn(kept), measure, by_clock=True), measure)
    if verdicts:
        panels = _judged(drawn, [one for one in kept if _counts(one)], verdicts, measure)
    else:
        panels = [_measured(one) for one in sorted(drawn.values(), key=_is_count) if not _is_quiet(one)]
    return Picture(
        title=f"{trial.host}: {_kernels(kept)}",
        summary=f"{trial.state}{': ' if trial.because else ''}{trial.because}",
        clock=Clock.UTC,
        panels=tuple(panels[:most]),
        events=moments(events, trial.host),
        left_out=" ".join(
            part for part in (_left_out(len(panels) - most, bool(verdicts)), *_uncounted(kept)) if part
        ),
    )


def _judged(
    drawn: Mapping[str, Series | CountSeries],
    counted: Sequence[Stretch],
    verdicts: Sequence[Event],
    measure: Measure,
) -> list[Panel]:
    """A panel for each series that the last verdict tells of, the worst first."""
    judged = {str(one["series"]): one for one in verdicts[-1].data.get("series", ())}
    numbered = by_name(together(counted, measure), measure)
    names = sorted(
        (name for name in judged if name in drawn and name in numbered),
        key=lambda name: (
            RANKS[Outcome(judged[name]["outcome"])],
            -(judged[name].get("effect") or -1.0),
            _is_count(drawn[name]),
            name,
        ),
    )
    return [_panel(drawn[name], numbered[name], judged[name], verdicts, measure) for name in names]


def _measured(series: Series | CountSeries) -> Panel:
    """A series as far as it was measured, before anything was judged."""
    return Panel(
        name=series.name,
        because="not judged yet",
        unit=_unit(series),
        good=curve(series.good),
        candidate=curve(series.candidate),
    )


def _is_count(series: Series | CountSeries) -> bool:
    return isinstance(series, CountSeries)


def _is_quiet(series: Series | CountSeries) -> bool:
    """Whether it has nothing but zeros, which is no curve that anybody waits for."""
    return isinstance(series, CountSeries) and not (series.good.failed.any() or series.candidate.failed.any())


def _unit(series: Series | CountSeries) -> str:
    return "% lost" if isinstance(series, CountSeries) else unit_of(bare(series.name))


def _left_out(number: int, are_judged: bool) -> str:
    if are_judged or number <= 0:
        return left_out(number)
    return f"{number} more series are measured and not shown."


def _counts(one: Stretch) -> bool:
    return float(one.get("loaded", 0.0)) > 0


def _drawn(stretches: Sequence[Stretch]) -> list[Stretch]:
    """Those that count; of an arm of which none does yet, all, since somebody waits for its first sample."""
    begun = {one.get("arm") for one in stretches if _counts(one)}
    return [one for one in stretches if _counts(one) or one.get("arm") not in begun]


def moments(events: Sequence[Event], host: str) -> tuple[Mark, ...]:
    """What happened to a trial and what people decided meanwhile, in the order of time."""
    marks = []
    for event in events:
        if text := _told(event, host):
            marks.append(Mark(t=event.at.timestamp(), text=text))
    return tuple(marks)


def _told(event: Event, host: str) -> str:
    data = event.data
    if event.kind in _WISHES:
        why = f": {data['why']}" if data.get("why") else ""
        return f"{event.kind.removeprefix('rollout.')} by {event.by}{why}"
    if event.host not in (host, ""):
        return ""
    if event.kind == Kind.NOTE:
        return str(data.get("text", ""))
    if event.kind == Kind.TRIAL_MOVED and event.host and State(data["to"]) in _MARKED:
        because = f": {data['because']}" if data.get("because") else ""
        return f"{str(data['to']).replace('-', ' ')}{because}"
    if event.kind == Kind.TRIAL_ACTED:
        return _ACTS.get(str(data.get("act")), "")
    return ""


def _panel(
    series: Series | CountSeries,
    numbered: Series | CountSeries,
    said: Mapping[str, Any],
    verdicts: Sequence[Event],
    measure: Measure,
) -> Panel:
    outcome = Outcome(said["outcome"])
    low, high = said.get("interval") or (None, None)
    since, shown = _since(series, numbered, said.get("since")), _shown(series.name, verdicts)
    because = str(said.get("because", ""))
    if len(series.candidate.t) and not len(numbered.candidate.t):
        because = "no sample of candidate counts yet"
    if isinstance(series, Series) and shown is not None and outcome in DECIDED:
        # The sentence of the verdict counts from the first sample of its arm, and this panel has the time of day.
        because = how_sure(
            Clock.UTC,
            measure.alpha,
            at=shown,
            since=since,
            samples=int(said.get("samples", 0)),
            p_value=float(said.get("p_value", 1.0)),
            apart=measure.against != PEER and not series.name.endswith(f"{PEER})"),
        )
    return Panel(
        name=series.name,
        outcome=str(outcome),
        # A lower bound of nothing is 0; of the upper one nothing says that there is none.
        short=short(said.get("effect"), (low or 0.0, high)),
        because=because,
        unit=_unit(series),
        good=curve(series.good),
        candidate=curve(series.candidate),
        effect=_effect(series, verdicts, measure),
        marks=verdict_marks(
            outcome, _shown(series.name, verdicts), _since(series, numbered, said.get("since"))
        ),
    )


def _of(name: str, verdict: Event) -> Mapping[str, Any]:
    return next((one for one in verdict.data.get("series", ()) if one.get("series") == name), {})


def _effect(series: Series | CountSeries, verdicts: Sequence[Event], measure: Measure) -> Effect | None:
    """What each verdict knew of a series' effect, at the moment at which it was written down."""
    name, rows = series.name, []
    for verdict in verdicts:
        said = _of(name, verdict)
        if said.get("effect") is not None and said.get("interval"):
            low, high = said["interval"]
            above = math.inf if high is None else float(high)
            rows.append((verdict.at.timestamp(), float(low or 0.0), float(said["effect"]), above))
    if not rows:
        return None
    t, lows, ratios, highs = np.array(rows).T
    least = enough(series, measure.min_effect, floor_of(bare(name), measure.matters))
    return Effect(t=t, low=lows, ratio=ratios, high=highs, enough=least, sure=1 - measure.alpha)


def _shown(name: str, verdicts: Sequence[Event]) -> float | None:
    """When the series' last outcome was written down first."""
    last = _of(name, verdicts[-1]).get("outcome")
    first = next((one for one in verdicts if _of(name, one).get("outcome") == last), None)
    return first.at.timestamp() if first is not None else None


def _since(series: Series | CountSeries, numbered: Series | CountSeries, since: object) -> float | None:
    """A moment of the clock on which it is judged, as time of day."""
    times, places = series.candidate.t, numbered.candidate.t
    if not isinstance(since, int | float) or not len(places) or len(times) != len(places):
        return None
    return float(times[min(int(np.searchsorted(places, since)), len(times) - 1)])


def _kernels(stretches: Sequence[Stretch]) -> str:
    # A peer's is a good one as well.
    names = {
        arm: next(
            (str(one.get("kernel", "")) for one in stretches if (one.get("arm") == "candidate") is mine), ""
        )
        for arm, mine in (("candidate", True), ("good", False))
    }
    return " against ".join(name or arm for arm, name in names.items())


def _uncounted(stretches: Sequence[Stretch]) -> Iterator[str]:
    """What is drawn although it does not count, and what is not drawn, since it does not."""
    drawn = _drawn(stretches)
    for arm in dict.fromkeys(str(one.get("arm")) for one in drawn if not _counts(one)):
        yield f"Nothing of {arm} counts yet (it settles, or has too little load)."
    if number := len(stretches) - len(drawn):
        yield (
            f"{number} of {len(stretches)} stretches do not count (settling, or too little load) and are not drawn."
        )
