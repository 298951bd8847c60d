"""A drawing that is laid out: lines, areas and words on a sheet of a known size, for whoever puts them on real paper.

What is in: the shapes, and how wide words are. What is not in: where they go (sheet.py) and files (svg.py, png.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from seatrial.picture.inks import Ink

Point = tuple[float, float]
Anchor = Literal["start", "middle", "end"]
# Widths of letters in parts of their height, as wide as those of DejaVu Sans, so that no other common font needs more.
_NARROW, _WIDE = frozenset("iljtfI.,:;'|!()[] "), frozenset("mwMW@%")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stroke:
    """A line through points; `dash` is how long it is drawn and left out, in turn."""

    points: tuple[Point, ...]
    ink: Ink
    width: float = 1.0
    dash: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """What is within the points; `opacity` from 0 to 1."""

    points: tuple[Point, ...]
    ink: Ink
    opacity: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A line of text; `x`, `y` is where its base line begins, has its middle or ends."""

    x: float
    y: float
    text: str
    ink: Ink
    size: float = 12.0
    bold: bool = False
    anchor: Anchor = "start"


Shape = Stroke | Area | Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A whole drawing in pixels. `title` and `description` say in words what it shows."""

    width: int
    height: int
    title: str
    description: str
    shapes: tuple[Shape, ...]


def breadth(text: str, size: float, *, bold: bool = False) -> float:
    """How wide a text is at most, in pixels."""
    parts = sum(
        0.37
        if letter in _NARROW
        else 0.95
        if letter in _WIDE
        else 0.72
        if letter.isupper()
        else 0.62
        if letter.isascii()
        else 1.0
        for letter in text
    )
    return parts * size * (1.12 if bold else 1.0)


def wrapped(text: str, size: float, width: float) -> tuple[str, ...]:
    """The text in lines that are not wider; a word that is too long by itself is cut."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        both = f"{line} {word}" if line else word
        if breadth(both, size) <= width:
            line = both
            continue
        if line:
            lines.append(line)
        line = fitted(word, size, width)
    return (*lines, line) if line else tuple(lines)


def fitted(text: str, size: float, width: float, *, bold: bool = False) -> str:
    """The text, or its beginning and three dots if it is wider."""
    if breadth(text, size, bold=bold) <= width:
        return text
    kept = text
    while kept and breadth(f"{kept}...", size, bold=bold) > width:
        kept = kept[:-1]
    return f"{kept}..."


def box(left: float, top: float, right: float, bottom: float) -> tuple[Point, ...]:
    """The corners of a rectangle."""
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def band(above: Sequence[Point], below: Sequence[Point]) -> tuple[Point, ...]:
    """What is between two lines, as one area."""
    return (*above, *reversed(below))
