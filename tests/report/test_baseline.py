"""A baseline is read as it was printed, and anything else is one error with a hint."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.errors import InputError
from seatrial.model.result import Outcome, Result
from seatrial.report.baseline import read
from seatrial.report.formats import as_document

GOOD = {"check": "a", "outcome": "pass"}


def test_what_was_printed_is_read_back() -> None:
    results = [
        Result(check="a", outcome=Outcome.FAIL, because="no", vantage="vm", evidence={"lost": 3.0}),
        Result(check="b", outcome=Outcome.UNKNOWN, because="who knows", hint="look"),
    ]
    printed = json.dumps(as_document(results, diagnosis="it is b", seconds=1.0)).encode()
    back = read(printed, name="before.json").results
    assert read(printed, name="before.json").diagnosis == "it is b"
    assert list(back) == ["a", "b"]
    assert (back["a"].outcome, back["a"].because, back["a"].vantage) == (Outcome.FAIL, "no", "vm")
    assert back["a"].evidence == {"lost": 3.0}


def test_what_a_newer_version_says_besides_is_passed_over() -> None:
    assert read(json.dumps({"results": [{**GOOD, "colour": "red"}], "more": 1}).encode(), name="b")


@pytest.mark.parametrize(
    ("document", "what"),
    [
        (None, "is no baseline"),
        ([], "is no baseline"),
        ({}, "results: Field required"),
        ({"error": "no such file", "hint": "x", "exit_code": 2}, "results: Field required"),
        ({"results": []}, "no result"),
        ({"results": [{"check": "a"}]}, "results.0.outcome"),
        ({"results": [{**GOOD, "outcome": "green"}]}, "results.0.outcome"),
        ({"results": [{**GOOD, "check": ""}]}, "results.0.check"),
        ({"results": [GOOD, GOOD]}, "'a' twice"),
    ],
)
def test_what_is_no_baseline_is_named_with_a_hint(document: Any, what: str) -> None:
    with pytest.raises(InputError) as caught:
        read(json.dumps(document).encode(), name="before.json")
    assert what in caught.value.message
    assert caught.value.message.startswith("before.json: ")
    assert "check --format json" in caught.value.hint


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reading(data: bytes) -> None:
    try:
        read(data, name="b")
    except InputError as error:
        assert error.message.isprintable()


def test_text_that_would_move_a_cursor_is_made_harmless() -> None:
    back = read(
        json.dumps({"results": [{**GOOD, "because": "\x1b[2J" + "x" * 9999}]}).encode(), name="b"
    ).results
    assert back["a"].because.isprintable() and len(back["a"].because) == 500
