"""A picture in lines of characters: braille dots where they can be shown, letters elsewhere. Pure.

Each panel is its verdict and one field of samples: candidate as a whole line, good as single dots, events as upright
lines with their letters above. Where both lie on one place the candidate is shown.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from seatrial.model.text import safe
from seatrial.picture import axis
from seatrial.picture.inks import Ink
from seatrial.picture.sheet import letter
from seatrial.picture.thin import Run, thinned
from seatrial.picture.values import Curve, Mark, Panel, Picture, What

Piece = tuple[str, Ink]
Row = tuple[Piece, ...]
NARROWEST, HEIGHT = 48, 9
_GUTTER = 9
# Where in a character of braille the dot of a column and a row is.
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_OUTCOMES = {"fail": Ink.FAIL, "pass": Ink.PASS, "unknown": Ink.UNKNOWN}


@dataclass(slots=True, kw_only=True)
class _Field:
    """Characters of one panel. `across` and `down` are the dots of one of them."""

    wide: int
    high: int
    across: int
    down: int
    dots: dict[tuple[int, int], dict[Ink, int]]

    def put(self, x: int, y: int, ink: Ink) -> None:
        """Make the dot x from the left and y from the bottom."""
        if 0 <= x < self.wide * self.across and 0 <= y < self.high * self.down:
            up = self.high * self.down - 1 - y
            cell = self.dots.setdefault((x // self.across, up // self.down), {})
            cell[ink] = cell.get(ink, 0) | (_DOTS[x % self.across][up % self.down] if self.down > 1 else 1)


def rows(picture: Picture, *, width: int, height: int = HEIGHT, braille: bool = True) -> list[Row]:
    """The lines of a picture, no wider than `width` characters (NARROWEST at least); `height` of them are a field."""
    width = max(width, NARROWEST)
    told: list[Row] = []
    for panel in picture.panels:
        told += [(), _heading(panel, width), *_field(panel, picture, width, height, braille=braille)]
    whole, single = ("⣀⣀", "⠄⠄") if braille else ("xx", "..")
    told += [
        (),
        (
            (f"{whole} candidate", Ink.CANDIDATE),
            (f"   {single} good", Ink.GOOD),
            ("   ^ since   ! verdict", Ink.TEXT),
        ),
    ]
    for at, mark in enumerate(picture.events):
        when = axis.moment_in_list(mark.t, picture.clock, picture.span)
        first, *more = textwrap.wrap(f"{when}  {safe(mark.text)}", width - 4)
        told.append(((f"{letter(at):>2}  ", Ink.EVENT), (first, Ink.TEXT)))
        told += [((f"    {line}", Ink.TEXT),) for line in more]
    told += [((line, Ink.SOFT),) for line in textwrap.wrap(safe(picture.left_out), width)]
    return [_stripped(row) for row in told]


def _stripped(row: Row) -> Row:
    """A row without what is blank at its end."""
    pieces = list(row)
    while pieces and not pieces[-1][0].rstrip():
        pieces.pop()
    return (*pieces[:-1], (pieces[-1][0].rstrip(), pieces[-1][1])) if pieces else ()


def _heading(panel: Panel, width: int) -> Row:
    outcome = panel.outcome
    name = _cut(safe(panel.name), max(8, width - len(outcome) - len(panel.short) - 4))
    pieces = [(name, Ink.TEXT)]
    if outcome:
        pieces.append((f"  {outcome}", _OUTCOMES.get(outcome, Ink.TEXT)))
    if panel.short:
        used = sum(len(text) for text, _ in pieces)
        pieces.append((_cut(f"  {panel.short}", max(0, width - used)), Ink.TEXT))
    return tuple(pieces)


def _field(panel: Panel, picture: Picture, width: int, height: int, *, braille: bool) -> Iterator[Row]:
    wide = width - _GUTTER - 1
    field = _Field(wide=wide, high=height, across=2 if braille else 1, down=4 if braille else 1, dots={})
    begin, end = picture.span
    places = wide * field.across
    good, candidate = (_runs(curve, begin, end, places) for curve in (panel.good, panel.candidate))
    # Room for the middle of the samples only: their range has no place here.
    top = axis.values(axis.top_of(run.middle for run in (*good, *candidate)), 3)[-1]
    _draw(field, good, begin, end, top, Ink.GOOD)
    _draw(field, candidate, begin, end, top, Ink.CANDIDATE)
    upright = _upright(panel, picture.events, begin, end, wide)
    yield _flags(upright, wide)
    for row in range(height):
        value = {0: axis.number(top), height - 1: "0"}.get(row, "")
        if row == height // 2 and height % 2:
            value = axis.number(top / 2)
        edge = "┤" if value else "│"
        pieces: list[Piece] = [(f"{value:>{_GUTTER - 1}} {edge if braille else '|'}", Ink.SOFT)]
        pieces += [_cell(field, column, row, upright, braille=braille) for column in range(wide)]
        yield tuple(_joined(pieces))
    yield ((_times(picture, wide), Ink.SOFT),)


def _runs(curve: Curve, begin: float, end: float, places: int) -> tuple[Run, ...]:
    return thinned(curve, begin, end, places)


def _draw(field: _Field, runs: Sequence[Run], begin: float, end: float, top: float, ink: Ink) -> None:
    across, up = field.wide * field.across - 1, field.high * field.down - 1
    # With letters for dots every place counts; with braille good is every other dot, so that the lines differ.
    every = 2 if ink is Ink.GOOD and field.down > 1 else 1
    for run in runs:
        before: tuple[int, int] | None = None
        for t, value in zip(run.t.tolist(), run.middle.tolist(), strict=True):
            x = round(across * (t - begin) / (end - begin))
            y = round(up * min(1.0, max(0.0, value / top)))
            if x % every == 0 or len(run.t) < every * 2:
                field.put(x, y, ink)
            if before is not None and every == 1:
                _connect(field, before, (x, y), ink)
            before = (x, y)


def _connect(field: _Field, one: tuple[int, int], other: tuple[int, int], ink: Ink) -> None:
    steps = max(abs(other[0] - one[0]), abs(other[1] - one[1]))
    for step in range(1, steps):
        field.put(
            one[0] + round((other[0] - one[0]) * step / steps),
            one[1] + round((other[1] - one[1]) * step / steps),
            ink,
        )


def _upright(
    panel: Panel, events: Sequence[Mark], begin: float, end: float, wide: int
) -> dict[int, tuple[str, Ink]]:
    """By column: what stands above an upright line, and its ink. Marks of the panel come before events."""
    found: dict[int, tuple[str, Ink]] = {}
    signs = [(mark, letter(at)) for at, mark in enumerate(events)]
    for mark, sign in [*((mark, "^" if mark.what is What.SINCE else "!") for mark in panel.marks), *signs]:
        column = round((wide - 1) * (mark.t - begin) / (end - begin))
        ink = Ink.EVENT if mark.what is What.EVENT else _OUTCOMES.get(panel.outcome, Ink.TEXT)
        found.setdefault(column, (sign, ink))
    return found


def _flags(upright: dict[int, tuple[str, Ink]], wide: int) -> Row:
    line: list[Piece] = [(" " * (_GUTTER + 1), Ink.TEXT)]
    free = 0
    for column in sorted(upright):
        sign, ink = upright[column]
        at = min(column, wide - len(sign))
        # Where signs would lie on each other the first one is shown; the upright lines are all there.
        if at >= free:
            line += [(" " * (at - free), Ink.TEXT), (sign, ink)]
            free = at + len(sign)
    return tuple(_joined(line))


def _cell(
    field: _Field, column: int, row: int, upright: dict[int, tuple[str, Ink]], *, braille: bool
) -> Piece:
    dots = field.dots.get((column, row), {})
    for ink, plain in ((Ink.CANDIDATE, "x"), (Ink.GOOD, ".")):
        if ink in dots:
            return (chr(0x2800 + dots[ink]) if braille else plain, ink)
    if column in upright:
        return ("┊" if braille else ":", upright[column][1])
    return (" ", Ink.TEXT)


def _times(picture: Picture, wide: int) -> str:
    begin, end = picture.span
    line = [" "] * (wide + _GUTTER + 1)
    free = _GUTTER
    for tick in axis.moments(begin, end, max(2, wide // 14)):
        text = axis.moment(tick, picture.clock, span=end - begin)
        at = _GUTTER + 1 + round((wide - 1) * (tick - begin) / (end - begin)) - len(text) // 2
        at = min(max(at, 0), len(line) - len(text))
        if at < free:
            continue
        line[at : at + len(text)] = text
        free = at + len(text) + 1
    return "".join(line).rstrip()


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(0, width - 3)] + "..."[: max(0, width)]


def _joined(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Neighbours of one ink as one piece."""
    text, ink = "", Ink.TEXT
    for more, other in pieces:
        if other is not ink and text:
            yield text, ink
            text = ""
        text, ink = text + more, other
    if text:
        yield text, ink
