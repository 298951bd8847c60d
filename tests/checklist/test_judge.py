"""What the runner's lines mean, as tables; the lines may be anything."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.checklist.definition import Checklist
from seatrial.checklist.judge import Said, judge, read_line
from seatrial.checklist.reading import parse
from seatrial.checklist.telling import Machine, log_line, metric, told_apart, totals
from seatrial.errors import InputError
from seatrial.model.result import Outcome, Result

TWO = parse(
    "- name: a\n  tests:\n    - {cmd: x, retcode: 0, stdout: y}\n    - {cmd: z}\n- name: b\n  tests: []\n",
    filename="f",
)


def ran(test: int, cmd: int, *, status: int | None = 0, out: str = "y", whole: bool = True) -> Said:
    said = read_line(
        json.dumps(
            {
                "test": test,
                "cmd": cmd,
                "ran": "x",
                "status": status,
                "problem": "",
                "seconds": 0.5,
                "stdout": {"text": out, "whole": whole, "utf8": True},
                "stderr": {"text": "", "whole": True, "utf8": True},
            }
        )
    )
    assert said is not None
    return said


def outcomes(lines: list[Said], checklist: Checklist = TWO) -> list[str]:
    return [str(result.outcome) for result in judge(checklist, lines, timeout=60)]


def test_verdicts() -> None:
    assert outcomes([ran(0, 0), ran(0, 1, status=9)]) == ["pass", "pass"]
    assert outcomes([ran(0, 0, status=1)]) == ["fail", "pass"]
    assert outcomes([ran(0, 0, out="z")]) == ["fail", "pass"]
    assert outcomes([ran(0, 0, whole=False)]) == ["fail", "pass"]
    assert outcomes([ran(0, 0), ran(0, 1, status=None)]) == ["unknown", "pass"]


def test_what_was_not_answered_is_not_known() -> None:
    assert outcomes([]) == ["unknown", "pass"]
    assert outcomes([ran(0, 0)]) == ["unknown", "pass"]
    assert outcomes([ran(0, 1)]) == ["unknown", "pass"]
    (first, _) = judge(TWO, [], timeout=60, problem="gw cannot be reached", hint="is it up?")
    assert "gw cannot be reached" in first.because and first.hint == "is it up?"


@given(
    st.binary() | st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps)
)
def test_a_line_may_be_anything(line: bytes | str) -> None:
    said = read_line(line)
    assert said is None or said.word in ("begins", "ran", "ends", "broken", "over")


@pytest.mark.parametrize(
    "line", ["[" * 100_000, "{}", '{"cmd": 1}', '{"test": 0, "cmd": 0, "status": "x"}', "null"]
)
def test_a_line_that_is_none_is_passed_over(line: str) -> None:
    assert read_line(line) is None


@given(st.text(alphabet="-: []{}&*!a\n\t'\"ntesvamcd#0%.\u2028\x85", max_size=80))
def test_any_text_is_a_checklist_or_a_mistake_with_its_place(text: str) -> None:
    try:
        parse(text, filename="f.yaml")
    except InputError as error:
        for line in error.message.splitlines():
            name, row, column, _ = line.split(":", 3)
            assert name == "f.yaml" and int(row) >= 1 and int(column) >= 1


HOSTILE = {
    "documents": "---\n" * 20_000,
    "documents far apart": ("\n" * 2_000 + "---\n- name: a\n") * 100,
    "brackets": "[" * 1_000_000,
    "mistakes": "- 1\n" * 20_000,
    "keys": "- {" + ", ".join(f"k{number}: 1" for number in range(9_000)) + "}\n",
    "variables": "- envvars:\n    - &a {A: &t '" + "x" * 2_000_000 + "'}\n" + "    - *a\n" * 9_000,
    "outputs": "- name: a\n  tests:\n    - &c {cmd: a, stdout: '"
    + "x" * 900_000
    + "'}\n"
    + "    - *c\n" * 9_000,
    "long": "x" * 5_000_000,
    "a long command": "- name: a\n  tests: [{cmd: '" + "x" * 131_072 + "'}]\n",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_file_that_means_harm_is_refused_in_few_words(text: str) -> None:
    with pytest.raises(InputError) as refused:
        parse(text, filename="f.yaml")
    assert len(refused.value.message) < 40_000


def results(*pairs: tuple[str, Outcome]) -> list[Result]:
    return [Result(check=name, outcome=outcome, because="") for name, outcome in pairs]


def test_the_lines_of_the_totals() -> None:
    some = results(("a", Outcome.PASS), ("b", Outcome.FAIL), ("c", Outcome.UNKNOWN))
    assert list(totals(some)) == [
        "--- of the failed ones, not known: 1",
        "--- passed tests: 1",
        "--- failed tests: 2",
        "--- total tests: 3",
    ]
    at = datetime(2021, 11, 2, 9, 5, 1, tzinfo=UTC)
    assert log_line(at, "INFO", "--- passed tests: 1") == "[2021-11-02 09:05:01] INFO: --- passed tests: 1"
    assert "\n" not in log_line(at, "INFO", "a\nb\x1b[2J") and "\x1b" not in log_line(at, "INFO", "\x1b")


def test_the_metric_escapes_its_labels_and_has_no_line_twice() -> None:
    some = results(('a"\\\n', Outcome.PASS), ("b", Outcome.FAIL), ("b", Outcome.FAIL), ("b", Outcome.UNKNOWN))
    machine = Machine(hostname="h", os='Debian "12"', release="6.1")
    rest = 'hostname="h", os="Debian \\"12\\"", release="6.1"} 1'
    assert metric(some, config_file="/c.yaml", machine=machine).splitlines() == [
        f'cmd_checklist_runner{{config_file="/c.yaml", test_name="a\\"\\\\\\n", test_result="ok", {rest}',
        f'cmd_checklist_runner{{config_file="/c.yaml", test_name="b", test_result="failed", {rest}',
    ]


def test_names_that_come_twice_are_told_apart() -> None:
    same = results(*[(name, Outcome.PASS) for name in ("a", "a", "a (2)", "b", "a")])
    assert [result.check for result in told_apart(same)] == ["a", "a (2)", "a (2) (2)", "b", "a (3)"]
