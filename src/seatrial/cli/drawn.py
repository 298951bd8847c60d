"""`--plot`: a picture to a file, as SVG or PNG by its name, or `-` for this terminal."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter
from rich.text import Text

from seatrial.cli.options import console
from seatrial.errors import CouldNotAct, InputError

if TYPE_CHECKING:
    from seatrial.picture.values import Picture

Plot = Annotated[
    str | None,
    Parameter(
        name="--plot",
        allow_leading_hyphen=True,
        help="draw it: a file that ends in .svg or .png, or - for this terminal",
    ),
]
Width = Annotated[
    int | None,
    Parameter(
        name="--width",
        help="pixels of the picture, such as 390 for a telephone [default: 960], or columns with --plot -",
    ),
]
Theme = Annotated[
    Literal["auto", "light", "dark"],
    Parameter(name="--theme", help="the paper; auto: an SVG is as its reader likes it, a PNG is light"),
]
Panels = Annotated[int, Parameter(name="--panels", help="so many series are drawn at most, the worst first")]
HINT = "such as --plot soak.svg, --plot soak.png or --plot -"
_INKS = {
    "good": "blue",
    "candidate": "red",
    "soft": "dim",
    "event": "bold",
    "fail": "bold red",
    "pass": "green",
    "unknown": "yellow",
}
PANELS, MOST_PANELS = 6, 50


def wanted(plot: str, *, panels: int, width: int | None, as_json: bool) -> None:
    """Whether such a picture can be drawn at all, before anything else is done. Raises InputError."""
    from seatrial.picture.sheet import NARROWEST, WIDEST

    if plot == "-" and as_json:
        raise InputError("--plot - and --json both want the standard output", hint="name a file: " + HINT)
    if plot != "-" and Path(plot).suffix.lower() not in (".svg", ".png"):
        raise InputError(f"--plot {plot}: its name says neither SVG nor PNG", hint=HINT)
    if not 1 <= panels <= MOST_PANELS:
        raise InputError(f"--panels {panels} is not within 1 and {MOST_PANELS}", hint="such as --panels 6")
    if plot != "-" and width is not None and not NARROWEST <= width <= WIDEST:
        raise InputError(f"--width {width} is not within {NARROWEST} and {WIDEST} pixels", hint="such as 960")


def draw(picture: Picture, plot: str, *, width: int | None, theme: str) -> None:
    """Draw it where `plot` says. Raises CouldNotAct when the file cannot be written."""
    if plot == "-":
        _show(picture, width)
        return
    from seatrial.picture.inks import Theme as Paper
    from seatrial.picture.sheet import WIDTH, laid_out
    from seatrial.picture.svg import as_svg

    sheet = laid_out(picture, width=width or WIDTH)
    if Path(plot).suffix.lower() == ".svg":
        data = as_svg(sheet, theme=Paper(theme)).encode("utf-8")
    else:
        # The library behind it is loaded for nobody who has not asked for a PNG.
        from seatrial.picture.png import as_png

        data = as_png(sheet, theme=Paper(theme))
    _write(Path(plot), data)


def _write(path: Path, data: bytes) -> None:
    """All of it or nothing: whoever looks at the file meanwhile sees the one before."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if path.exists() and not path.is_file():
            # A pipe or /dev/stdout takes bytes and no new name.
            path.write_bytes(data)
            return
        new.write_bytes(data)
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise CouldNotAct(
            f"cannot write {path}: {error.strerror}", hint="the verdict stands; name another file"
        ) from error


def _show(picture: Picture, width: int | None) -> None:
    from seatrial.picture.terminal import rows

    out = console()
    braille = (out.encoding or "").lower().startswith("utf")
    for row in rows(picture, width=width or out.width, braille=braille):
        out.print(Text.assemble(*((text, _INKS.get(ink, "")) for text, ink in row)), no_wrap=True)
