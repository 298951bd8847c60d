"""The picture in characters: as wide as the terminal, readable without colour, harmless whatever a series is called."""

from __future__ import annotations

import pytest

from seatrial.picture.inks import Ink
from seatrial.picture.terminal import Row, rows
from seatrial.picture.values import Clock, Mark, Picture

from .shown import HOSTILE, curve, panel, picture


def lines(shown: Picture, *, width: int = 80, braille: bool = True) -> list[str]:
    return ["".join(text for text, _ in row) for row in rows(shown, width=width, braille=braille)]


@pytest.mark.parametrize("width", [48, 80, 120])
@pytest.mark.parametrize("braille", [True, False])
def test_no_line_is_wider_than_the_terminal(width: int, braille: bool) -> None:
    many = tuple(Mark(t=float(at), text=f"event {at} " * 20) for at in range(60))
    told = lines(picture(panel("a.very.long.name." * 12), panel(), events=many), width=width, braille=braille)
    assert max(len(line) for line in told) <= width
    # The field uses what is there.
    assert max(len(line) for line in told) >= width - 2


def test_it_is_read_without_colour() -> None:
    told = lines(picture(), braille=False)
    text = "\n".join(told)
    assert text.isascii()
    assert "load.1  fail  5x good (4x to 6x)" in told
    field = [line[10:] for line in told if "|" in line]
    high, low = field[: len(field) // 2], field[len(field) // 2 :]
    assert "x" in "".join(high) and "." not in "".join(high)
    assert "." in "".join(low) and "x" not in "".join(low)
    assert "xx candidate   .. good   ^ since   ! verdict" in told
    assert " A  30 s  failover" in told
    assert any(line.split()[:1] == ["^"] and line.split()[1:] == ["AB", "!"] for line in told), text


def test_braille_has_the_candidate_above_good_and_marks_as_upright_lines() -> None:
    told = lines(picture())
    field = [line for line in told if "┤" in line or "│" in line]
    assert len(field) == 9
    # Samples stand before the lines of the marks.
    assert sum("┊" in line for line in field) >= 6
    dots = [sum(0x2800 < ord(letter) <= 0x28FF for letter in line) for line in field]
    assert dots[0] + dots[1] + dots[2] > 20 and dots[-1] + dots[-2] > 20
    assert dots[4] == dots[5] == 0


def test_the_inks_are_those_of_the_arms() -> None:
    found: list[Row] = rows(picture(), width=80)
    inks = {ink for row in found for text, ink in row if any(ord(letter) > 0x2800 for letter in text)}
    assert {Ink.GOOD, Ink.CANDIDATE} <= inks


def test_a_name_from_elsewhere_cannot_move_the_cursor() -> None:
    told = "\n".join(lines(picture(panel(HOSTILE), events=(Mark(t=1.0, text=HOSTILE),))))
    assert "\x1b" not in told and "\x00" not in told and "‮" not in told
    assert "<script>" in told


def test_times_of_day_are_said_below_the_field() -> None:
    begin = 1498750560.0
    shown = Picture(
        title="t",
        clock=Clock.UTC,
        panels=(
            type(panel())(
                name="s",
                good=curve(1, 2, begin=begin, step=3600),
                candidate=curve(2, 3, begin=begin, step=3600),
            ),
        ),
    )
    assert any("15:45" in line and "16:15" in line for line in lines(shown))


def test_there_is_a_picture_of_hardly_anything() -> None:
    for one in (
        Picture(title="t", panels=()),
        picture(type(panel())(name="s", good=curve(), candidate=curve(0.0))),
    ):
        assert lines(one)
