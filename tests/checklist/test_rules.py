"""The two rules that decide, against Python's own expansion and as tables."""

from __future__ import annotations

import os

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seatrial.checklist.rules import MOST_SHOWN, TooLong, as_wanted, excerpt, expand, stripped

NAMES = ("A", "AB", "a_1", "_", "X9", "a-b", "a b", "{", "é")
VARIABLES = {
    "A": "one",
    "AB": "",
    "a_1": "$A",
    "_": "${A}",
    "X9": "'\"\n",
    "a-b": "dash",
    "a b": "space",
    "{": "brace",
    "é": "no word in ASCII",
}
PIECES = st.sampled_from(
    ["$", "{", "}", "'", '"', "\\", " ", "\n", "$$", "${", "$A", "${A}", "${", "é", "1", "-", *NAMES]
)


@given(st.lists(PIECES).map("".join))
@example("${{}")
@example("$A$AB$a_1${_}$X9${a-b}${a b}$é${é}$")
@example("'$A' \"${A}\" \\$A $1 ${A:-b} ${} ${A")
def test_expansion_is_that_of_os_path_expandvars(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            patch.delenv(name)
        for name, value in VARIABLES.items():
            patch.setenv(name, value)
        assert expand(text, VARIABLES) == os.path.expandvars(text)


def test_expansion_has_an_end() -> None:
    assert expand("$A" * 3, {"A": "x" * 10}, 30) == "x" * 30
    with pytest.raises(TooLong):
        expand("$A" * 3, {"A": "x" * 10}, 29)
    with pytest.raises(TooLong):
        expand("y" * 30, {}, 29)
    with pytest.raises(TooLong):
        expand("$A" * 60_000, {"A": "x" * 4_000_000}, 128 * 1024)
    # The library's own pattern looks for the end of each of these again and again.
    assert expand("${" * 2_000_000, {"A": "x"}) == "${" * 2_000_000


@pytest.mark.parametrize(
    ("data", "whole", "said"),
    [
        (b"", True, ("", True)),
        (b" \t\n\v\f\r\x1c x y \xc2\xa0\xe2\x80\x83\xe3\x80\x80\n", True, ("x y", True)),
        (b"\xef\xbb\xbfx", True, ("\ufeffx", True)),
        (b"\xff", True, ("\ufffd", False)),
        (b"x\xc3", True, ("x\ufffd", False)),
        (b"x\xc3", False, ("x", True)),
        (b"\xed\xa0\x80", True, ("\ufffd\ufffd\ufffd", False)),
    ],
)
def test_an_output_is_stripped_as_python_strips(data: bytes, whole: bool, said: tuple[str, bool]) -> None:
    assert stripped(data, whole) == said
    if said[1] and whole:
        assert data.decode().strip() == said[0]


def test_what_is_not_looked_at_is_as_wanted_and_what_was_cut_is_not() -> None:
    assert as_wanted(None, "x", False, False)
    assert as_wanted("", "", True, True)
    assert not as_wanted("", "x", True, True)
    assert not as_wanted("x", "x", False, True)
    assert not as_wanted("\ufffd", "\ufffd", True, False)
    assert not as_wanted("x\n", "x", True, True)


def test_an_excerpt_is_enough_to_compare_with() -> None:
    assert len(excerpt(None, "x" * 9999)) == len(excerpt("short", "x" * 9999)) == MOST_SHOWN
    wanted = "x" * 5000
    assert excerpt(wanted, "x" * 9999) == "x" * 5001 != wanted
    assert excerpt(wanted, wanted) == wanted
