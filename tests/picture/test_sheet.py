"""The sheet and its SVG and PNG: what must be there is there, inside of the paper, the same each time, and harmless."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree

import pytest
from PIL import Image

from seatrial.picture.inks import DARK, LIGHT, Ink, Theme
from seatrial.picture.png import as_png
from seatrial.picture.shapes import Area, Sheet, Stroke, Words, breadth, fitted, wrapped
from seatrial.picture.sheet import described, laid_out, letter
from seatrial.picture.svg import as_svg
from seatrial.picture.values import Mark, Picture

from .shown import HOSTILE, curve, panel, picture

SVG = "{http://www.w3.org/2000/svg}"


def texts(sheet: Sheet) -> list[str]:
    return [shape.text for shape in sheet.shapes if isinstance(shape, Words)]


@pytest.mark.parametrize("width", [320, 390, 960, 2000])
def test_everything_is_on_the_paper(width: int) -> None:
    many = tuple(Mark(t=float(at), text=f"event {at} " * 12) for at in range(0, 60, 2))
    sheet = laid_out(picture(panel("a.very.long.name." * 12), panel(), events=many), width=width)
    assert sheet.width == width
    for shape in sheet.shapes:
        if isinstance(shape, Words):
            wide = breadth(shape.text, shape.size, bold=shape.bold)
            left = shape.x - {"start": 0.0, "middle": wide / 2, "end": wide}[shape.anchor]
            assert left >= -1 and left + wide <= width + 1, shape
            assert 0 < shape.y <= sheet.height, shape
        else:
            assert all(-1 <= x <= width + 1 and 0 <= y <= sheet.height for x, y in shape.points), shape


def test_a_panel_says_its_verdict_effect_bounds_and_moments_in_words() -> None:
    said = texts(laid_out(picture()))
    for wanted in (
        "load.1",
        "FAIL",
        "5x good (4x to 6x)",
        "since",
        "fail",
        "ms",
        "good",
        "candidate",
        "A",
        "B",
    ):
        assert wanted in said
    assert any("1.5x (broken line) matters" in line for line in said)
    assert any("failover" in line for line in said)
    assert "3 more series not shown, which are less bad than these." in said


def test_good_is_a_broken_line_and_candidate_a_whole_one() -> None:
    strokes = [
        shape for shape in laid_out(picture()).shapes if isinstance(shape, Stroke) and len(shape.points) > 2
    ]
    assert all(shape.dash for shape in strokes if shape.ink is Ink.GOOD)
    assert not any(shape.dash for shape in strokes if shape.ink is Ink.CANDIDATE)
    assert {Ink.GOOD, Ink.CANDIDATE, Ink.EFFECT} <= {shape.ink for shape in strokes}


def test_a_curve_stands_where_its_values_are() -> None:
    sheet = laid_out(picture())
    (good,) = [s for s in sheet.shapes if isinstance(s, Stroke) and s.ink is Ink.GOOD and len(s.points) > 2]
    (worse,) = [
        s for s in sheet.shapes if isinstance(s, Stroke) and s.ink is Ink.CANDIDATE and len(s.points) > 2
    ]
    ticks = {w.text: w.y - 4 for w in sheet.shapes if isinstance(w, Words) and w.anchor == "end"}
    assert ticks["0"] > max(y for _, y in good.points) > ticks["10"]
    assert ticks["20"] > max(y for _, y in worse.points)
    assert [x for x, _ in good.points] == sorted(x for x, _ in good.points)


def test_one_look_is_drawn_from_bound_to_bound() -> None:
    one = panel()
    assert one.effect is not None
    effect = type(one.effect)(
        t=one.effect.t[-1:], low=one.effect.low[-1:], ratio=one.effect.ratio[-1:], high=one.effect.high[-1:],
        enough=1.5, sure=0.99,
    )  # fmt: skip
    shown = Picture(
        title="t", panels=(type(one)(name="s", good=one.good, candidate=one.candidate, effect=effect),)
    )
    strokes = [s for s in laid_out(shown).shapes if isinstance(s, Stroke) and s.ink is Ink.EFFECT]
    upright = [s for s in strokes if s.points[0][0] == s.points[1][0]]
    assert len(upright) == 1 and upright[0].points[0][1] < upright[0].points[1][1]


@pytest.mark.parametrize(
    "shown",
    [
        Picture(title="nothing", panels=()),
        picture(panel(with_effect=False)),
        Picture(title="one sample", panels=(type(panel())(name="s", good=curve(), candidate=curve(1.0)),)),
        Picture(title="all zero", panels=(type(panel())(name="s", good=curve(0, 0), candidate=curve(0, 0)),)),
    ],
    ids=lambda shown: shown.title,
)
def test_there_is_a_picture_of_hardly_anything(shown: Picture) -> None:
    sheet = laid_out(shown)
    ElementTree.fromstring(as_svg(sheet))
    assert Image.open(io.BytesIO(as_png(sheet))).size == (sheet.width * 2, sheet.height * 2)


def test_the_svg_is_well_formed_and_says_in_words_what_it_shows() -> None:
    root = ElementTree.fromstring(as_svg(laid_out(picture())))
    assert root.tag == f"{SVG}svg"
    title, desc = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None and title.text == "load.csv: candidate against good"
    assert desc is not None and desc.text is not None
    for wanted in ("load.1: fail 5x good (4x to 6x)", "A, t = 30 s: failover", "3 more series not shown"):
        assert wanted in desc.text
    assert root.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"
    assert [at.text for at in root.iter(f"{SVG}text")] == texts(laid_out(picture()))


def test_the_svg_is_the_same_each_time_and_its_names_are_its_own() -> None:
    one, again = as_svg(laid_out(picture())), as_svg(laid_out(picture()))
    other = as_svg(laid_out(picture(panel("load.5"))))
    assert one == again
    names = [set(re.findall(r'id="([^"]+)"', text)) for text in (one, other)]
    assert names[0] and not names[0] & names[1]
    # Every rule of style begins with the picture's own class: nothing else in a page is touched.
    (style,) = re.findall(r"<style>(.*?)</style>", one)
    rules = re.findall(r"([^{}]+)\{[^{}]*\}", style.replace("@media (prefers-color-scheme:dark){", ""))
    root = re.search(r'class="(seatrial-[0-9a-f]+)"', one)
    assert root is not None and rules
    assert all(rule.lstrip("}").startswith(f".{root[1]} ") for rule in rules)


def test_nothing_in_the_svg_leads_elsewhere() -> None:
    svg = as_svg(laid_out(picture()))
    assert set(re.findall(r"https?://[^\s\"<]+", svg)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<(script|image|foreignObject|a|use)\b|\bon\w+=|url\(|@import", svg)


def test_names_and_events_from_elsewhere_are_text_and_nothing_else() -> None:
    shown = picture(panel(HOSTILE), events=(Mark(t=3.0, text=HOSTILE),))
    svg = as_svg(laid_out(shown))
    root = ElementTree.fromstring(svg)
    assert not [
        at
        for at in root.iter()
        if at.tag
        not in {
            f"{SVG}{name}"
            for name in ("svg", "title", "desc", "style", "rect", "g", "text", "polyline", "polygon")
        }
    ]
    assert "\x1b" not in svg and "\x00" not in svg and "‮" not in svg
    assert any((at.text or "").startswith("<script>") for at in root.iter(f"{SVG}text"))
    assert "\x1b" not in described(shown)


def test_auto_has_both_papers_and_the_others_one() -> None:
    sheet = laid_out(picture())
    both, light, dark = (as_svg(sheet, theme=theme) for theme in (Theme.AUTO, Theme.LIGHT, Theme.DARK))
    assert LIGHT[Ink.PAPER] in both and DARK[Ink.PAPER] in both and "prefers-color-scheme" in both
    assert LIGHT[Ink.PAPER] in light and DARK[Ink.PAPER] not in light
    assert DARK[Ink.PAPER] in dark and LIGHT[Ink.PAPER] not in dark


def luminance(code: str) -> float:
    parts = [int(code[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_every_ink_but_the_grid_s_can_be_read_on_its_paper(colours: dict[Ink, str]) -> None:
    """A contrast of 4.5, as WCAG 2.1 (1.4.3) asks of text."""
    paper = luminance(colours[Ink.PAPER])
    for ink in set(Ink) - {Ink.PAPER, Ink.GRID}:
        one, other = sorted((paper, luminance(colours[ink])))
        assert (other + 0.05) / (one + 0.05) >= 4.5, ink


def test_the_png_has_the_size_of_the_sheet_and_the_inks_of_both_arms() -> None:
    sheet = laid_out(picture(), width=390)
    for theme, colours in ((Theme.AUTO, LIGHT), (Theme.DARK, DARK)):
        image = Image.open(io.BytesIO(as_png(sheet, theme=theme)))
        assert (image.format, image.size) == ("PNG", (780, sheet.height * 2))
        found = {f"#{r:02x}{g:02x}{b:02x}" for _, (r, g, b) in image.getcolors(1 << 24)}  # type: ignore[misc, union-attr]
        assert {colours[ink] for ink in (Ink.PAPER, Ink.GOOD, Ink.CANDIDATE, Ink.FAIL)} <= found


def test_areas_of_a_band_are_closed_around_it() -> None:
    bands = [
        s
        for s in laid_out(picture()).shapes
        if isinstance(s, Area) and s.ink is Ink.EFFECT and len(s.points) > 4
    ]
    assert len(bands) == 1 and len(bands[0].points) == 6


@pytest.mark.parametrize(
    ("number", "sign"), [(0, "A"), (25, "Z"), (26, "AA"), (52, "BA"), (701, "ZZ"), (702, "AAA")]
)
def test_events_have_letters_for_ever(number: int, sign: str) -> None:
    assert letter(number) == sign


def test_words_are_wrapped_and_cut_to_a_width() -> None:
    assert wrapped("one two three", 12, breadth("one two", 12) + 0.1) == ("one two", "three")
    assert wrapped("", 12, 100) == ()
    (cut,) = wrapped("x" * 100, 12, 100)
    assert cut.endswith("...") and breadth(cut, 12) <= 100
    assert fitted("short", 12, 100) == "short"
