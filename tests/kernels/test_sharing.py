"""A file of verdicts: what is written is read again, and what is no such file is refused with one sentence."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from seatrial.errors import InputError
from seatrial.kernels.remembered import KernelVerdict
from seatrial.kernels.sharing import envelope, open_envelope, read_statement, statement_text
from tests.kernels.test_remembered import BAD, START

ONE = KernelVerdict(
    kernel=BAD, role="gateway", good=False, because="ünlucky \u202e", rollout="r1", host="gw", at=START,
    record={"hardware": {"cpu": "x"}},
)  # fmt: skip
TEXT = statement_text(
    [ONE, replace(ONE, source="others")], by="ann", now=START, expires=START + timedelta(days=9)
)


def test_what_is_written_is_read_again_without_what_was_imported() -> None:
    text, signature = open_envelope(envelope(TEXT, "signed").encode(), name="f")
    assert (text, signature) == (TEXT, "signed")
    found = read_statement(text, name="f", now=START)
    (row,) = found.verdicts
    assert (row["kernel"], row["because"], row["record"]) == (BAD, ONE.because, ONE.record)
    assert found.by == "ann"


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"\xff\xfe", b'{"statement": 1, "signature": []}', b"[" * 100_000, b"null"]
)
def test_what_is_no_file_of_verdicts_is_refused(data: bytes) -> None:
    with pytest.raises(InputError) as refused:
        open_envelope(data, name="f.json")
    assert refused.value.message == "f.json: is no file of exported verdicts"


@pytest.mark.parametrize(
    "change",
    [
        {"format": "seatrial-kernels-2"},
        {"verdicts": "none"},
        {"verdicts": [{"kernel": "", "role": "r", "good": True, "at": "2026-01-01T00:00:00Z"}]},
        {"verdicts": [{"kernel": "k", "role": "r", "good": True, "at": "2026-01-01T00:00:00"}]},
        {"expires_at": "soon"},
        {"expires_at": "2030-01-01T00:00:00"},
    ],
)
def test_a_statement_that_is_not_in_order_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InputError) as refused:
        read_statement(json.dumps({**json.loads(TEXT), **change}), name="f.json", now=START)
    assert "not in a form that is known here" in refused.value.message


def test_a_statement_that_has_expired_is_refused() -> None:
    with pytest.raises(InputError) as refused:
        read_statement(TEXT, name="f.json", now=START + timedelta(days=9))
    assert "has expired" in refused.value.message
    assert "ann" in refused.value.hint
