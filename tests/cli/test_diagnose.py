"""`seatrial diagnose` as a person calls it: what it prints, and with which code it ends."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from seatrial.cli.diagnose import MOST_BYTES, diagnose
from seatrial.cli.main import app
from seatrial.errors import InputError


def one(name: str, path: list[str], sent: int, lost: int) -> dict[str, Any]:
    return {"id": name, "path": path, "sent": sent, "lost": lost}


NAMED = {
    "observations": [one("p1", ["vm>gw", "gw:snat", "gw>wan"], 40, 40), one("p2", ["vm>gw"], 40, 0)],
    "prior": {"gw:snat": 0.01},
}


def written(room: Path, document: Any) -> str:
    file = room / "seen.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    return str(file)


def test_what_explains_the_losses_is_named_with_what_cannot_be_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert diagnose(written(tmp_path, NAMED)) == 0
    assert capsys.readouterr().out == (
        " 99 %  gw:snat   1 of 1 lossy observations cross it and lost 40 of 40\n"
        "       cannot be told apart from: gw>wan\n"
        "next: a probe over vm>gw, gw:snat would tell gw:snat | gw>wan\n"
    )


def test_as_json_it_is_the_document_of_the_contract(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert diagnose(written(tmp_path, NAMED), json=True) == 0
    answer = json.loads(capsys.readouterr().out)
    assert set(answer) == {"suspects", "next", "outcome"}
    assert answer["outcome"] == "named"
    assert answer["suspects"][0]["components"] == ["gw:snat"]
    assert answer["suspects"][0]["same_evidence"] == [["gw>wan"]]


@pytest.mark.parametrize(
    ("seen", "code", "outcome", "words"),
    [
        ([one("p", ["a"], 100, 0)], 0, "healthy", "healthy: 1 observations, 0 of 100 lost"),
        (
            [one(f"p{n}", ["a"], 100, int(n == 7)) for n in range(20)],
            0,
            "healthy",
            "healthy: 20 observations",
        ),
        ([one("p", ["a"], 1, 1)], 3, "unknown", "cannot be told: 1 observations, 1 of 1 lost"),
        ([one("p", ["a"], 0, 0)], 3, "unknown", "cannot be told: nothing was sent"),
        ([], 3, "unknown", "cannot be told: nothing was sent"),
    ],
)
def test_it_says_whether_all_is_healthy_or_nothing_can_be_told(
    seen: list[Any], code: int, outcome: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, {"observations": seen})
    assert diagnose(file) == code
    assert capsys.readouterr().out.startswith(words)
    assert diagnose(file, json=True) == code
    assert json.loads(capsys.readouterr().out) == {"suspects": [], "next": [], "outcome": outcome}


def test_top_is_the_most_explanations_that_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = [one("p1", ["a", "b"], 9, 9), one("p2", ["a"], 1, 0)]
    file = written(tmp_path, {"observations": seen})
    assert diagnose(file, json=True) == 0
    assert len(json.loads(capsys.readouterr().out)["suspects"]) > 1
    assert diagnose(file, top=1, json=True) == 0
    assert len(json.loads(capsys.readouterr().out)["suspects"]) == 1


def test_a_dash_is_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(NAMED).encode())))
    assert app(["diagnose", "-", "--json"], result_action="return_value") == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "named"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the document: "),
        ("not json", "the document: Invalid JSON"),
        ('{"observations": 3}', "observations: "),
        ('{"observations": [{"id": "p", "path": ["a"], "sent": "9", "lost": 0}]}', "observations.0.sent: "),
        ('{"observations": [{"id": "p", "path": ["a"], "sent": 1, "lost": 2}]}', "more is lost than was sent"),
        ('{"observations": [{"id": "p", "path": [], "sent": 1, "lost": 0}]}', "path and paths"),
        ('{"observations": [{"id": "p", "paths": [["a"], []], "sent": 1, "lost": 0}]}', "paths.1: "),
        ('{"observations": [{"id": "p", "path": ["a"], "sent": 1, "lost": 0, "x": 1}]}', "observations.0.x: "),
        ('{"observations": [{"id": "p", "path": ["a"], "sent": 1e400, "lost": 0}]}', "observations.0.sent: "),
        ('{"observations": [], "prior": {"a": "0.5"}}', "prior.a: "),
    ],
)  # fmt: skip
def test_a_wrong_document_is_one_error_with_file_place_and_example(
    text: str, said: str, tmp_path: Path
) -> None:
    file = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        diagnose(file)
    assert caught.value.message.startswith(f"{file}: ")
    assert said in caught.value.message
    assert caught.value.hint


def test_what_is_no_readable_file_is_one_error(tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    for path, said in ((tmp_path / "none", "no such file"), (tmp_path, "directory"), (large, "too large")):
        with pytest.raises(InputError, match=said):
            diagnose(str(path))
    with pytest.raises(InputError, match="cannot be read"):
        diagnose("a\0b")
    with pytest.raises(InputError, match="at least one"):
        diagnose("-", top=0)
