"""Laying a picture out on a sheet: head, list of events, and one panel below the other. Pure.

A panel has its verdict in words, the samples of both arms, and below them the effect with its bounds, on one clock with
the events. What is not in: files (svg.py, png.py) and terminals (terminal.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from seatrial.model.text import safe
from seatrial.picture import axis
from seatrial.picture.inks import Ink
from seatrial.picture.plots import Frame, draw_effect, draw_samples, draw_time
from seatrial.picture.shapes import Area, Shape, Sheet, Stroke, Words, box, breadth, fitted, wrapped
from seatrial.picture.values import Clock, Mark, Panel, Picture, What

NARROWEST, WIDTH, WIDEST = 320, 960, 4000
# Below this a sheet is laid out for a telephone.
_SMALL = 560
_EDGE = 16.0
_FLAG = 15.0
_LANES = 5
_OUTCOMES = {"fail": Ink.FAIL, "pass": Ink.PASS, "unknown": Ink.UNKNOWN}


@dataclass(slots=True, kw_only=True)
class _Page:
    """A sheet as it grows downwards: `y` is where the next thing begins."""

    width: float
    y: float = _EDGE
    shapes: list[Shape] = field(default_factory=list)

    @property
    def small(self) -> bool:
        return self.width < _SMALL

    @property
    def inside(self) -> float:
        return self.width - 2 * _EDGE

    def text(self, text: str, *, size: float = 12.5, ink: Ink = Ink.TEXT, bold: bool = False) -> None:
        """Lines of text over the whole width."""
        for line in wrapped(safe(text), size * (1.12 if bold else 1.0), self.inside):
            self.y += size * 1.4
            self.shapes.append(
                Words(x=_EDGE, y=self.y - size * 0.35, text=line, ink=ink, size=size, bold=bold)
            )


def laid_out(picture: Picture, *, width: int = WIDTH) -> Sheet:
    """The sheet of a picture. `width` in pixels, from NARROWEST to WIDEST."""
    page = _Page(width=float(width))
    page.text(picture.title, size=19, bold=True)
    if picture.summary:
        page.text(picture.summary, size=13, ink=Ink.SOFT)
    _legend(page)
    _list(page, picture)
    for panel in picture.panels:
        _panel(page, panel, picture)
    page.y += 6
    begin, end = picture.span
    if picture.clock is Clock.UTC:
        times = (axis.moment_in_full(moment, picture.clock) for moment in (begin, end))
        page.text("Times are UTC: " + " to ".join(times).replace(" UTC", "") + ".", ink=Ink.SOFT)
    if picture.left_out:
        page.text(picture.left_out, ink=Ink.SOFT)
    return Sheet(
        width=width,
        height=round(page.y + _EDGE),
        title=safe(picture.title),
        description=described(picture),
        shapes=tuple(page.shapes),
    )


def described(picture: Picture) -> str:
    """The picture in words, for who cannot see it."""
    told = [picture.summary, "Good is a broken line, candidate a whole one."]
    told += [
        f"{panel.name}: {' '.join(part for part in (panel.outcome, panel.short, panel.because) if part)}."
        for panel in picture.panels
    ]
    told += [
        f"{letter(at)}, {axis.moment_in_full(mark.t, picture.clock)}: {mark.text}."
        for at, mark in enumerate(picture.events)
    ]
    told.append(picture.left_out)
    return safe(" ".join(part for part in told if part).replace("..", "."))


def letter(number: int) -> str:
    """The sign of an event: A, B, ... Z, AA, AB, ..."""
    sign = ""
    number += 1
    while number:
        number, digit = divmod(number - 1, 26)
        sign = chr(ord("A") + digit) + sign
    return sign


def _legend(page: _Page) -> None:
    page.y += 24
    x = _EDGE
    samples = (
        (Ink.GOOD, (6.0, 3.0), "good"),
        (Ink.CANDIDATE, None, "candidate"),
        (Ink.EFFECT, None, "candidate as a multiple of good"),
    )
    for ink, dash, text in samples:
        wide = 36 + breadth(text, 12.5)
        if x + wide > page.width - _EDGE and x > _EDGE:
            x, page.y = _EDGE, page.y + 18
        middle = page.y - 4
        page.shapes += [
            Area(points=box(x, middle - 5, x + 28, middle + 5), ink=ink, opacity=0.18),
            Stroke(points=((x, middle), (x + 28, middle)), ink=ink, width=2.2, dash=dash),
            Words(x=x + 34, y=page.y, text=text, ink=Ink.TEXT, size=12.5),
        ]
        x += wide + 22
    page.y += 4


def _list(page: _Page, picture: Picture) -> None:
    """The events with their letters, in one column or two."""
    if not picture.events:
        return
    page.y += 8
    lines = [
        safe(f"{axis.moment_in_list(mark.t, picture.clock, picture.span)}  {mark.text}")
        for mark in picture.events
    ]
    # Two columns save height, and are worth nothing if they cut what happened.
    fits = all(breadth(line, 12.5) <= page.inside / 2 - 32 for line in lines)
    columns = 2 if fits and len(lines) > 3 else 1
    wide = page.inside / columns
    top, rows = page.y, -(-len(lines) // columns)
    for at, line in enumerate(lines):
        column, row = divmod(at, rows)
        if columns == 2 or row == 0:
            page.y = top + 19 * row
        x = _EDGE + column * wide
        page.shapes += _flag(letter(at), x + 9, page.y + 19)
        for part in wrapped(line, 12.5, wide - 32):
            page.y += 19
            page.shapes.append(Words(x=x + 24, y=page.y, text=part, ink=Ink.TEXT, size=12.5))
    page.y = max(page.y, top + 19 * rows)


def _flag(sign: str, x: float, y: float) -> list[Shape]:
    half = max(7.5, breadth(sign, 11, bold=True) / 2 + 2)
    corners = box(x - half, y - 11.5, x + half, y + 3.5)
    return [
        Area(points=corners, ink=Ink.EVENT),
        Words(x=x, y=y, text=sign, ink=Ink.PAPER, size=11, bold=True, anchor="middle"),
    ]


def _panel(page: _Page, panel: Panel, picture: Picture) -> None:
    page.y += 14
    page.shapes.append(
        Stroke(points=((_EDGE, page.y), (page.width - _EDGE, page.y)), ink=Ink.GRID, width=1.2)
    )
    page.y += 6
    _heading(page, panel)
    if panel.because:
        page.text(panel.because, size=12, ink=Ink.SOFT)
    left, right = (50.0, 10.0) if page.small else (62.0, 16.0)
    begin, end = picture.span
    frame = Frame(left=left, right=page.width - right, top=0.0, bottom=0.0, begin=begin, end=end)
    signs = _signs(panel, picture.events)
    lanes = _lanes(signs, frame)
    page.y += 11 + _FLAG * (1 + max((lane for *_, lane in lanes), default=-1))
    top = page.y
    samples = frame.at(top, 120.0 if page.small else 150.0)
    page.shapes += draw_samples(panel, samples)
    page.y = samples.bottom
    if panel.effect is not None and len(panel.effect.t):
        page.y += 22
        below = frame.at(page.y, 84.0)
        page.shapes += draw_effect(panel.effect, below)
        page.y = below.bottom
    whole = frame.at(top, page.y - top)
    page.shapes += draw_time(whole, picture.clock)
    page.shapes += _marked(lanes, whole, panel.outcome)
    page.y += 20


def _heading(page: _Page, panel: Panel) -> None:
    page.y += 21
    name = fitted(safe(panel.name), 15, page.inside * (1.0 if page.small else 0.5), bold=True)
    page.shapes.append(Words(x=_EDGE, y=page.y, text=name, ink=Ink.TEXT, size=15, bold=True))
    x = _EDGE + breadth(name, 15, bold=True) + 14
    outcome = panel.outcome.upper()
    wide = breadth(outcome, 12, bold=True) + 12 if outcome else 0.0
    if x + wide + breadth(panel.short, 13) > page.width - _EDGE:
        x, page.y = _EDGE, page.y + 22
    if outcome:
        page.shapes += [
            Area(
                points=box(x, page.y - 13, x + wide, page.y + 4), ink=_OUTCOMES.get(panel.outcome, Ink.SOFT)
            ),
            Words(
                x=x + wide / 2,
                y=page.y - 0.5,
                text=outcome,
                ink=Ink.PAPER,
                size=12,
                bold=True,
                anchor="middle",
            ),
        ]
    page.shapes.append(Words(x=x + wide + 8, y=page.y, text=panel.short, ink=Ink.TEXT, size=13))
    page.y += 7


def _signs(panel: Panel, events: tuple[Mark, ...]) -> list[tuple[Mark, str]]:
    """What is marked in a panel, from left to right, with what stands on its flag."""
    signs = [(mark, letter(at)) for at, mark in enumerate(events)]
    signs += [(mark, mark.text or str(mark.what)) for mark in panel.marks]
    return sorted(signs, key=lambda one: one[0].t)


def _lanes(signs: list[tuple[Mark, str]], frame: Frame) -> list[tuple[Mark, str, float, int]]:
    """Each sign with the middle of its flag and its lane, so that flags do not lie on each other; lane 0 is lowest.

    Where all lanes are full the flag is left out (lane -1), and the line stays.
    """
    ends = [0.0] * _LANES
    placed = []
    for mark, sign in signs:
        half = max(8.0, breadth(sign, 11, bold=True) / 2 + 3)
        middle = min(max(frame.x(mark.t), frame.left - 30 + half), frame.right - half + 8)
        lane = next((at for at, taken in enumerate(ends) if taken <= middle - half), -1)
        if lane >= 0:
            ends[lane] = middle + half
        placed.append((mark, sign, middle, lane))
    return placed


def _marked(lanes: list[tuple[Mark, str, float, int]], frame: Frame, outcome: str) -> list[Shape]:
    drawn: list[Shape] = []
    for mark, sign, middle, lane in lanes:
        x = frame.x(mark.t)
        ink = Ink.EVENT if mark.what is What.EVENT else _OUTCOMES.get(outcome, Ink.SOFT)
        dash = {What.EVENT: (4.0, 3.0), What.SINCE: (1.5, 2.5), What.VERDICT: None}[mark.what]
        top = frame.top - _FLAG * max(lane, 0) - 4
        line, wide = (Ink.SOFT, 1.0) if mark.what is What.EVENT else (ink, 1.5)
        drawn.append(Stroke(points=((x, top), (x, frame.bottom)), ink=line, width=wide, dash=dash))
        if lane < 0:
            continue
        y = frame.top - _FLAG * lane - 7.5
        if mark.what is What.EVENT:
            drawn += _flag(sign, middle, y)
        else:
            drawn.append(Words(x=middle, y=y, text=sign, ink=ink, size=11, bold=True, anchor="middle"))
    return drawn
