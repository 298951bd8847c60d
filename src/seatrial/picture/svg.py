"""A sheet as SVG: real text, a title and a description, both papers, nothing from elsewhere. Pure.

The same sheet gives the same bytes. All names are its own (a number made of its content), so several of them can stand in
one page of HTML.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from html import escape

from seatrial.picture.inks import DARK, LIGHT, Ink, Theme
from seatrial.picture.shapes import Area, Point, Shape, Sheet, Stroke, Words

_FONTS = "'DejaVu Sans', Verdana, 'Noto Sans', system-ui, sans-serif"


def as_svg(sheet: Sheet, *, theme: Theme = Theme.AUTO) -> str:
    """The whole document, without an XML declaration, so that it may also be put into HTML."""
    body = "\n".join(_shape(shape) for shape in sheet.shapes)
    told = _text(sheet.title), _text(sheet.description)
    name = "seatrial-" + hashlib.sha256("\n".join((*told, body, theme)).encode()).hexdigest()[:12]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" id="{name}" class="{name}" role="img" aria-labelledby="{name}-title {name}-desc"'
        f' viewBox="0 0 {sheet.width} {sheet.height}" width="{sheet.width}" height="{sheet.height}"'
        f' style="max-width:100%;height:auto" font-family="{_FONTS}">\n'
        f'<title id="{name}-title">{told[0]}</title>\n<desc id="{name}-desc">{told[1]}</desc>\n'
        f"<style>{_style(name, theme)}</style>\n"
        f'<rect class="f-paper" width="{sheet.width}" height="{sheet.height}"/>\n{body}\n</svg>\n'
    )


def _style(name: str, theme: Theme) -> str:
    first = DARK if theme is Theme.DARK else LIGHT
    rules = f".{name} polyline{{fill:none;stroke-linejoin:round}}{_inks(name, first)}"
    if theme is Theme.AUTO:
        rules += f"@media (prefers-color-scheme:dark){{{_inks(name, DARK)}}}"
    return rules


def _inks(name: str, colours: Mapping[Ink, str]) -> str:
    return "".join(
        f".{name} .f-{ink}{{fill:{colour}}}.{name} .s-{ink}{{stroke:{colour}}}"
        for ink, colour in colours.items()
    )


def _shape(shape: Shape) -> str:
    match shape:
        case Stroke():
            dash = (
                f' stroke-dasharray="{_number(shape.dash[0])} {_number(shape.dash[1])}"' if shape.dash else ""
            )
            width = _number(shape.width)
            return f'<polyline class="s-{shape.ink}" stroke-width="{width}"{dash} points="{_points(shape.points)}"/>'
        case Area():
            opacity = "" if shape.opacity == 1 else f' fill-opacity="{_number(shape.opacity)}"'
            return f'<polygon class="f-{shape.ink}"{opacity} points="{_points(shape.points)}"/>'
        case Words():
            anchor = "" if shape.anchor == "start" else f' text-anchor="{shape.anchor}"'
            bold = ' font-weight="bold"' if shape.bold else ""
            place = f'x="{_number(shape.x)}" y="{_number(shape.y)}" font-size="{_number(shape.size)}"'
            return f'<text class="f-{shape.ink}" {place}{bold}{anchor}>{_text(shape.text)}</text>'


def _text(text: str) -> str:
    # A lone half of a pair of surrogates is printable to nobody and no XML.
    return escape(text.encode("utf-8", "replace").decode("utf-8"))


def _points(points: tuple[Point, ...]) -> str:
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in points)


def _number(value: float) -> str:
    shown = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if shown == "-0" else shown
