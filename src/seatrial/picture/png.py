"""A sheet as PNG, drawn by Pillow: the one door to it. Bytes out, no file.

Lines are drawn twice as large and made smaller again, which smooths them; words are set at the size that they have.
"""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Iterator, Mapping

from PIL import Image, ImageColor, ImageDraw, ImageFont

from seatrial.picture.inks import DARK, LIGHT, Ink, Theme
from seatrial.picture.shapes import Area, Point, Sheet, Stroke, Words

# Pixels of the file for one of the sheet, so that it is sharp on the screens of today.
DENSITY = 2
_SMOOTH = 2
_ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def as_png(sheet: Sheet, *, theme: Theme = Theme.AUTO) -> bytes:
    """The file. DejaVu Sans is taken where it is installed, else the font in Pillow, which knows ASCII only."""
    colours = DARK if theme is Theme.DARK else LIGHT
    scale = DENSITY * _SMOOTH
    large = Image.new("RGB", (sheet.width * scale, sheet.height * scale), colours[Ink.PAPER])
    pen = ImageDraw.Draw(large, "RGBA")
    for shape in sheet.shapes:
        if isinstance(shape, Area):
            fill = (*_colour(colours[shape.ink]), round(255 * shape.opacity))
            if len(shape.points) > 1:
                pen.polygon(_scaled(shape.points, scale), fill=fill)
        elif isinstance(shape, Stroke):
            wide = max(1, round(shape.width * scale))
            for part in _dashes(shape.points, shape.dash):
                pen.line(_scaled(part, scale), fill=_colour(colours[shape.ink]), width=wide, joint="curve")
    small = large.reduce(_SMOOTH)
    _write(small, sheet, colours)
    out = io.BytesIO()
    small.save(out, format="PNG", optimize=True)
    return out.getvalue()


def _write(image: Image.Image, sheet: Sheet, colours: Mapping[Ink, str]) -> None:
    pen = ImageDraw.Draw(image)
    for shape in sheet.shapes:
        if isinstance(shape, Words):
            font, is_whole = _font(shape.size * DENSITY, bold=shape.bold)
            text = shape.text if is_whole else shape.text.encode("ascii", "replace").decode("ascii")
            place = (shape.x * DENSITY, shape.y * DENSITY)
            pen.text(place, text, font=font, fill=colours[shape.ink], anchor=_ANCHORS[shape.anchor])


def _font(size: float, *, bold: bool) -> tuple[Font, bool]:
    """A font of that size, and whether it knows more than ASCII."""
    try:
        return ImageFont.truetype("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf", size), True
    except OSError:
        return ImageFont.load_default(size), False


def _colour(code: str) -> tuple[int, int, int]:
    red, green, blue = ImageColor.getrgb(code)[:3]
    return red, green, blue


def _scaled(points: tuple[Point, ...], scale: int) -> list[Point]:
    return [(x * scale, y * scale) for x, y in points]


def _dashes(points: tuple[Point, ...], dash: tuple[float, float] | None) -> Iterator[tuple[Point, ...]]:
    """The parts of a line that are drawn; Pillow has whole lines only."""
    if dash is None:
        yield points
        return
    drawn, left = True, dash[0]
    part = [points[0]]
    for (x, y), (to_x, to_y) in itertools.pairwise(points):
        length, gone = math.hypot(to_x - x, to_y - y), 0.0
        while length - gone > left:
            gone += left
            at = (x + (to_x - x) * gone / length, y + (to_y - y) * gone / length)
            if drawn:
                yield (*part, at)
            drawn, left, part = not drawn, dash[drawn], [at]
        left -= length - gone
        part.append((to_x, to_y))
    if drawn and len(part) > 1:
        yield tuple(part)
