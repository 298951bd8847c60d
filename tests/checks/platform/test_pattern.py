"""Expressions that are read in linear time: they find what Python's finds, and no text of a host can hold them up."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.model.pattern import MOST_DEPTH, read_pattern

SINGLE = [
    "a",
    "b",
    ".",
    "[ab]",
    "[^a]",
    r"\d",
    r"\w",
    r"\S",
    "(a|b)",
    "(?:ab)",
    r"\.",
    "(a*b|c)",
    "[a-c1]",
    "[]x]",
]
PLACES = ["^", "$", r"\b", r"\B"]
REPEATS = ["", "*", "+", "?", "{2}", "{1,2}", "{0,3}", "{2,}", "+?"]
part = st.one_of(
    st.tuples(st.sampled_from(SINGLE), st.sampled_from(REPEATS)).map("".join), st.sampled_from(PLACES)
)
patterns = st.lists(st.lists(part, max_size=4).map("".join), min_size=1, max_size=3).map("|".join)


@settings(max_examples=400, deadline=None)
@given(pattern=patterns, text=st.text(alphabet="abc1. x", max_size=10))
def test_what_is_found_is_what_python_finds(pattern: str, text: str) -> None:
    # Python's $ also stands before a line end at the end of the text, and there is none in a line.
    wanted = re.search(pattern.replace("$", r"\Z"), text, re.ASCII) is not None
    # An edge of a word in an empty text is none to Python before 3.14, and is none here.
    if text or r"\B" not in pattern:
        assert read_pattern(pattern).found_in(text) is wanted


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("(?i)ready", "NotREADY", True),
        ("(?i)[A-C]x", "bX", True),
        ("ready", "NotREADY", False),
        ("[[:digit:]]+ms", "12ms", True),
        ("a{,3}", "a{,3}", True),
        (r"\x", "", None),
        ("größe", "die größe", True),
        (r"^\[ \]$", "[ ]", True),
    ],
)
def test_what_other_tools_write_is_read(pattern: str, text: str, found: bool | None) -> None:
    if found is None:
        with pytest.raises(ValueError, match="not known"):
            read_pattern(pattern)
    else:
        assert read_pattern(pattern).found_in(text) is found


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "^(a|a)*$", "(a|aa)+$", "^a*a*a*a*a*a*a*a*$", "(.*a){12}$", "^(a?){50}a{50}$"]
)
def test_patterns_that_hold_up_others_end_here(pattern: str) -> None:
    # With Python's re the first of these takes longer than anybody lives; here the test would just not end.
    assert not read_pattern(pattern).found_in("a" * 30 + "!" + "a" * 3000 + "!")


@pytest.mark.parametrize(
    "pattern",
    ["(", ")", "a)", "[a", "*", "a**", "(?=a)", r"(a)\1", "a{300}", "a{3,2}", "(a{100}){100}", "a" * 501, "\\", "^*",
     "[z-a]", "(?i)\\W", "[[:nothing:]]", "(" * (MOST_DEPTH + 1) + ")" * (MOST_DEPTH + 1)],
)  # fmt: skip
def test_what_is_not_read_is_refused_with_a_reason(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_pattern(pattern)


def test_a_nest_of_repeats_of_nothing_is_read_at_once() -> None:
    pattern = "()"
    for _ in range(20):
        pattern = f"({pattern}){{200}}"
    assert read_pattern(pattern).found_in("")


@settings(max_examples=300, deadline=None)
@given(pattern=st.text(alphabet="ab()[]{}|*+?^$\\.-,123:=!<di", max_size=40), text=st.text(max_size=20))
def test_no_text_of_a_pattern_does_anything_but_find_or_be_refused(pattern: str, text: str) -> None:
    try:
        read = read_pattern(pattern)
    except ValueError:
        return
    read.found_in(text)
