"""Broken, flaky or fine: what several answers to one check come to, and that small questions travel together."""

from __future__ import annotations

import json

import pytest

from seatrial.checks import registry
from seatrial.checks.asked import apart, is_question, together
from seatrial.checks.repeated import several
from seatrial.model.check.traffic import DnsCheck, TcpCheck
from seatrial.model.command import Output, Trouble
from seatrial.model.result import Outcome, Result

P, F, U = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("outcomes", "outcome", "because", "flaky"),
    [
        ([F, F, F], F, "failed 3 of 3 times: said fail", False),
        ([F, P, P], F, "flaky, failed 1 of 3 times: said fail", True),
        ([F, U, P], F, "flaky, failed 1 of 3 times: said fail", True),
        ([U, P, P], U, "no answer 1 of 3 times: said unknown", False),
        ([U, U], U, "no answer 2 of 2 times: said unknown", False),
    ],
)
def test_no_retry_is_hidden(outcomes: list[Outcome], outcome: Outcome, because: str, flaky: bool) -> None:
    result = several([Result(check="c", outcome=one, because=f"said {one}") for one in outcomes])
    assert (result.outcome, result.because) == (outcome, because)
    assert result.evidence["asked"] == len(outcomes)
    assert result.evidence["failed"] == outcomes.count(F)
    assert result.evidence["flaky"] is flaky


def test_one_answer_stays_as_it_is() -> None:
    result = Result(check="c", outcome=F, because="no", evidence={"a": 1})
    assert several([result]) is result


def questions() -> list[tuple[str, TcpCheck | DnsCheck]]:
    return [
        ("a", TcpCheck.model_validate({"kind": "tcp", "from": "vm", "address": "127.0.0.1", "port": 1})),
        (
            "b",
            DnsCheck.model_validate({"kind": "dns", "from": "vm", "server": "127.0.0.1", "name": "x.test"}),
        ),
    ]


def test_questions_travel_together_and_their_answers_come_apart() -> None:
    commands = [command for _, check in questions() for _, command in registry.ask(check)]
    assert all(is_question(command) for command in commands)
    whole = together(commands)
    assert whole.argv[2] == "many"
    said = [{"connected": True}, {"code": "NXDOMAIN", "records": []}]
    outputs = apart(Output(command=whole, status=0, stdout=json.dumps(said)), commands)
    results = [
        registry.judge(name, check, [output])
        for (name, check), output in zip(questions(), outputs, strict=True)
    ]
    assert [result.outcome for result in results] == [P, F]


@pytest.mark.parametrize("stdout", ["", "[]", "{}", "null", "[1]", "[{}, {}, {}]", "x"])
def test_answers_that_are_not_understood_are_unknown_to_each(stdout: str) -> None:
    commands = [command for _, check in questions() for _, command in registry.ask(check)]
    outputs = apart(Output(command=together(commands), status=0, stdout=stdout), commands)
    for (name, check), output in zip(questions(), outputs, strict=True):
        assert registry.judge(name, check, [output]).outcome is not P


def test_a_place_that_is_gone_is_unknown_to_each() -> None:
    commands = [command for _, check in questions() for _, command in registry.ask(check)]
    gone = Output(command=together(commands), status=None, trouble=Trouble.LOST, problem="gone", hint="look")
    for (name, check), output in zip(questions(), apart(gone, commands), strict=True):
        result = registry.judge(name, check, [output])
        assert (result.outcome, result.hint) == (U, "look")
