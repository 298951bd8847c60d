"""Expressions that are read in linear time: no text of a host can hold them up, and a wrong one is told with its mistake."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.model.pattern import read_pattern


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("(?i)ready", "NotREADY", True),
        ("ready", "NotREADY", False),
        ("[[:digit:]]+ms", "12ms", True),
        ("größe", "die größe", True),
        (r"^\[ \]$", "[ ]", True),
        (r"\bload\b", "overload", False),
    ],
)
def test_what_operators_write_is_found(pattern: str, text: str, found: bool) -> None:
    assert read_pattern(pattern).found_in(text) is found


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "^(a|a)*$", "(a|aa)+$", "^a*a*a*a*a*a*a*a*$", "(.*a){12}$", "^(a?){50}a{50}$"]
)
def test_patterns_that_hold_up_others_end_here(pattern: str) -> None:
    # With Python's re the first of these takes longer than anybody lives; here the test would just not end.
    assert not read_pattern(pattern).found_in("a" * 30 + "!" + "a" * 3000 + "!")


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(", "missing"),
        ("a)", "unexpected"),
        ("[a", "missing"),
        ("(?=a)", "invalid perl operator"),
        (r"(a)\1", "invalid escape sequence"),
        ("((a{100}){100}){100}", "invalid repetition size"),
        ("a" * 501, "longer than 500"),
    ],
)
def test_what_is_not_read_is_refused_with_a_reason(pattern: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_pattern(pattern)


@settings(max_examples=300, deadline=None)
@given(pattern=st.text(alphabet="ab()[]{}|*+?^$\\.-,123:=!<di", max_size=40), text=st.text(max_size=20))
def test_no_text_of_a_pattern_does_anything_but_find_or_be_refused(pattern: str, text: str) -> None:
    try:
        read = read_pattern(pattern)
    except ValueError:
        return
    read.found_in(text)
