"""Every check against captured outputs of the real tools: each room's `golden/` has them, as status, stdout and stderr."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from seatrial.checks import registry
from seatrial.model.check import Check
from seatrial.model.command import Command, Output, Trouble
from seatrial.model.result import Outcome

from .host import cases as host
from .platform import cases as platform
from .storage import cases as storage
from .traffic import cases as traffic

HERE = Path(__file__).parent
ROOMS = (traffic, storage, host, platform)
PASS, UNKNOWN = Outcome.PASS, Outcome.UNKNOWN

CHECKS: dict[str, dict[str, Any]] = {name: check for room in ROOMS for name, check in room.CHECKS.items()}
CASES = [case for room in ROOMS for case in room.CASES]


def golden_file(name: str) -> Path:
    (found,) = HERE.glob(f"*/golden/{name}.txt")
    return found


def commands_of(check: Check) -> list[Command]:
    return [command for _, command in registry.ask(check)]


def test_every_kind_of_check_is_judged_here() -> None:
    assert {check["kind"] for check in CHECKS.values()} == set(registry.KINDS)
    assert {name for name, *_ in CASES} == set(CHECKS)
    assert sum(len(room.CHECKS) for room in ROOMS) == len(CHECKS), "two checks have one name"


def golden(name: str, command: Any) -> Output:
    head, _, rest = golden_file(name).read_text().partition("--- stdout\n")
    stdout, _, stderr = rest.rpartition("--- stderr\n")
    return Output(
        command=command, status=int(head.removeprefix("status: ")), stdout=stdout, stderr=stderr, seconds=0.5
    )


def check_of(name: str) -> Check:
    check: Check = TypeAdapter(Check).validate_python(CHECKS[name])
    return check


@pytest.mark.parametrize(("name", "files", "outcome", "because"), CASES, ids=lambda value: str(value)[:40])
def test_each_captured_answer_is_read_for_what_it_says(
    name: str, files: list[str], outcome: Outcome, because: str
) -> None:
    check = check_of(name)
    commands = commands_of(check)
    assert len(commands) == len(files)
    outputs = [golden(file, command) for file, command in zip(files, commands, strict=True)]
    result = registry.judge(name, check, outputs)
    assert (result.outcome, result.because) == (outcome, because)
    assert (result.check, result.vantage) == (name, "vm")


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("trouble", Trouble)
def test_no_answer_is_unknown_and_never_a_failure(name: str, trouble: Trouble) -> None:
    check = check_of(name)
    outputs = [
        Output(command=command, status=None, trouble=trouble, problem="it \x1b[31mbroke", hint="mend it")
        for command in commands_of(check)
    ]
    result = registry.judge(name, check, outputs)
    assert result.outcome is UNKNOWN
    assert result.hint
    assert "\x1b" not in result.because + result.hint
    assert registry.judge(name, check, []).outcome is UNKNOWN


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize(
    "stdout",
    [
        "",
        "\x1b[2J\x00\ufffd",
        "{}",
        "[]",
        "null",
        '{"error": "\\u001b[31m"}',
        '{"status": -1}',
        "x" * 100_000,
        "=" * 500,
    ],
    ids=range(9),
)
def test_hostile_answers_pass_nothing_and_move_no_cursor(name: str, stdout: str) -> None:
    check = check_of(name)
    commands = commands_of(check)
    result = registry.judge(
        name, check, [Output(command=c, status=0, stdout=stdout, stderr=stdout) for c in commands]
    )
    # Any text is a kernel message, and a plugin says with its exit status what it found.
    assert result.outcome is not PASS or check.kind in ("dmesg", "nagios")
    assert str(result.because).isprintable()
    assert len(result.because) < 1500
