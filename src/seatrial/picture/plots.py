"""What is inside of a panel's frames: samples, effect and time, as shapes. Pure.

What is in: curves, bands, grids and their numbers. What is not in: where the frames are (sheet.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from seatrial.picture import axis
from seatrial.picture.inks import Ink
from seatrial.picture.shapes import Area, Point, Shape, Stroke, Words, band, box, breadth
from seatrial.picture.thin import Run, thinned
from seatrial.picture.values import Clock, Effect, Floats, Panel

# Pixels that one place of a curve is wide.
_PLACE = 3.0
_RANGE = 0.16
_BROKEN = (6.0, 3.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A rectangle on the sheet, in pixels, whose width is the time from `begin` to `end` in seconds."""

    left: float
    right: float
    top: float
    bottom: float
    begin: float
    end: float

    def at(self, top: float, height: float) -> Frame:
        """The same width and time elsewhere."""
        return replace(self, top=top, bottom=top + height)

    def x(self, t: float) -> float:
        """Where a moment stands."""
        return self.left + (self.right - self.left) * (t - self.begin) / (self.end - self.begin)

    def y(self, share: float) -> float:
        """Where a share of the height stands, from 0 at the bottom to 1 at the top."""
        return self.bottom - (self.bottom - self.top) * share


def draw_samples(panel: Panel, frame: Frame) -> list[Shape]:
    """Both arms: the range of the samples as a light band, the middle as a line."""
    places = max(2, int((frame.right - frame.left) / _PLACE))
    good, candidate = (
        thinned(curve, frame.begin, frame.end, places) for curve in (panel.good, panel.candidate)
    )
    ticks = axis.values(axis.top_of(run.high for run in (*good, *candidate)), 4)
    top = ticks[-1]
    drawn: list[Shape] = []
    for tick in ticks:
        drawn += _line_across(frame, tick / top, axis.number(tick))
    if panel.unit:
        drawn.append(
            Words(x=frame.left - 6, y=frame.top - 9, text=panel.unit, ink=Ink.SOFT, size=11, anchor="end")
        )
    for runs, ink, dash in ((good, Ink.GOOD, _BROKEN), (candidate, Ink.CANDIDATE, None)):
        for run in runs:
            drawn += _run(run, frame, ink, dash, lambda value: value / top)
    return drawn


def _run(
    run: Run, frame: Frame, ink: Ink, dash: tuple[float, float] | None, share: Callable[[float], float]
) -> list[Shape]:
    points = _points(run.t, run.middle, frame, share)
    if len(points) == 1:
        ((x, y),) = points
        return [Area(points=box(x - 2, y - 2, x + 2, y + 2), ink=ink)]
    drawn: list[Shape] = []
    if (run.high > run.low).any():
        edges = (_points(run.t, part, frame, share) for part in (run.high, run.low))
        drawn.append(Area(points=band(*edges), ink=ink, opacity=_RANGE))
    return [*drawn, Stroke(points=tuple(points), ink=ink, width=1.8, dash=dash)]


def draw_effect(effect: Effect, frame: Frame) -> list[Shape]:
    """The ratio to good with its bounds at each look; where it is 1 and where it begins to matter."""
    low, high = axis.ratio_edges(effect)

    def share(ratio: float) -> float:
        return axis.share(ratio, low, high)

    drawn: list[Shape] = []
    for tick in axis.ratios(low, high, apart=0.17):
        drawn += _line_across(frame, share(tick), f"{tick:g}x")
    for ratio, ink, dash in ((1.0, Ink.SOFT, None), (effect.enough, Ink.SOFT, (5.0, 4.0))):
        y = frame.y(share(ratio))
        drawn.append(Stroke(points=((frame.left, y), (frame.right, y)), ink=ink, width=1.1, dash=dash))
    above, middle, below = (
        _points(effect.t, part, frame, share) for part in (effect.high, effect.ratio, effect.low)
    )
    drawn += _known_once(above[0], middle[0], below[0]) if len(middle) == 1 else _known(above, middle, below)
    told = f"times good; each bound {100 * effect.sure:.6g} % sure at any time; {effect.enough:.4g}x (broken line) matters"
    if breadth(told, 11) > frame.right - frame.left:
        told = f"times good; bounds {100 * effect.sure:.6g} % sure; {effect.enough:.4g}x matters"
    return [*drawn, Words(x=frame.left + 3, y=frame.top - 6, text=told, ink=Ink.SOFT, size=11)]


def _known(above: list[Point], middle: list[Point], below: list[Point]) -> list[Shape]:
    return [
        Area(points=band(above, below), ink=Ink.EFFECT, opacity=0.2),
        *(Stroke(points=tuple(edge), ink=Ink.EFFECT, width=0.8) for edge in (above, below)),
        Stroke(points=tuple(middle), ink=Ink.EFFECT, width=2.0),
    ]


def _known_once(above: Point, middle: Point, below: Point) -> list[Shape]:
    """One look only: from bound to bound, with the estimate as a dot."""
    x, y = middle
    ends = [
        Stroke(points=((x - 5, end), (x + 5, end)), ink=Ink.EFFECT, width=1.4) for _, end in (above, below)
    ]
    return [
        Stroke(points=(above, below), ink=Ink.EFFECT, width=1.4),
        *ends,
        Area(points=box(x - 3, y - 3, x + 3, y + 3), ink=Ink.EFFECT),
    ]


def draw_time(frame: Frame, clock: Clock) -> list[Shape]:
    """Moments below the frame, and faint lines up from them."""
    span = frame.end - frame.begin
    wide = breadth("Jun 29 00:00" if clock is Clock.UTC and span >= 2 * 86400 else "00:00:00", 11) + 14
    ticks = axis.moments(frame.begin, frame.end, max(2, int((frame.right - frame.left) / wide)))
    drawn: list[Shape] = []
    taken = frame.left - 40
    for tick in ticks:
        x, text = frame.x(tick), axis.moment(tick, clock, span=span)
        drawn.append(Stroke(points=((x, frame.top), (x, frame.bottom)), ink=Ink.GRID, width=0.8))
        half = breadth(text, 11) / 2
        middle = min(x, frame.right + 8 - half)
        if middle - half < taken:
            continue
        taken = middle + half + 6
        drawn.append(Words(x=middle, y=frame.bottom + 14, text=text, ink=Ink.SOFT, size=11, anchor="middle"))
    return drawn


def _line_across(frame: Frame, share: float, text: str) -> list[Shape]:
    y = frame.y(share)
    return [
        Stroke(points=((frame.left, y), (frame.right, y)), ink=Ink.GRID, width=0.8),
        Words(x=frame.left - 6, y=y + 4, text=text, ink=Ink.SOFT, size=11, anchor="end"),
    ]


def _points(t: Floats, value: Floats, frame: Frame, share: Callable[[float], float]) -> list[Point]:
    return [
        (frame.x(moment), frame.y(share(one))) for moment, one in zip(t.tolist(), value.tolist(), strict=True)
    ]
