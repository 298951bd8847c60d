"""What the runner's lines mean: each test passes, fails, or is not known. Pure.

What is in: reading the lines, which come from another machine and may be anything, and one Result for a test. What is
not: the comparison itself (rules.py), which the runner uses as well to know whether the next command is run.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seatrial.checklist.definition import Checklist, Cmd, Test
from seatrial.checklist.rules import MOST_OUTPUT, as_wanted
from seatrial.model.result import Outcome, Result

# What a sentence quotes of an output or a command.
_QUOTED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One output: stripped, as much of it as it takes to compare it, and whether that is all of it."""

    text: str
    whole: bool
    utf8: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One line of the runner. `word` is begins, ran, ends, broken or over; the rest is about a command that ran."""

    word: str
    test: int = -1
    cmd: int = -1
    ran: str = ""
    status: int | None = None
    seconds: float = 0.0
    problem: str = ""
    stdout: Stream = Stream(text="", whole=True, utf8=True)
    stderr: Stream = Stream(text="", whole=True, utf8=True)


def read_line(line: bytes | str) -> Said | None:
    """One line of the runner, or None for what is none: an account's greeting, half a line."""
    try:
        said = json.loads(line)
        if not isinstance(said, dict):
            return None
        if "cmd" in said:
            return _ran(said)
        if "broken" in said:
            return Said(word="broken", test=int(said["test"]), problem=str(said["broken"]))
        word = next(word for word in ("begins", "ends", "over") if said.get(word) is True)
        return Said(word=word, test=int(said.get("test", -1)))
    except (ValueError, KeyError, TypeError, StopIteration, RecursionError):
        return None


def _ran(said: Mapping[str, Any]) -> Said:
    status = said["status"]
    return Said(
        word="ran",
        test=int(said["test"]),
        cmd=int(said["cmd"]),
        ran=str(said["ran"]),
        status=None if status is None else int(status),
        seconds=float(said["seconds"]),
        problem=str(said["problem"]),
        stdout=_stream(said["stdout"]),
        stderr=_stream(said["stderr"]),
    )


def _stream(said: Mapping[str, Any]) -> Stream:
    return Stream(text=str(said["text"]), whole=said["whole"] is True, utf8=said["utf8"] is True)


def judge(
    checklist: Checklist,
    lines: Iterable[Said],
    *,
    timeout: float,
    where: str = "",
    problem: str = "",
    hint: str = "",
) -> tuple[Result, ...]:
    """One Result a test, in the order of the file.

    `timeout` is the limit that each command had, in seconds; `problem` says why lines are missing, where they are.
    """
    ran: dict[tuple[int, int], Said] = {}
    broken: dict[int, str] = {}
    for said in lines:
        if said.word == "ran":
            ran.setdefault((said.test, said.cmd), said)
        elif said.word == "broken":
            broken[said.test] = said.problem
    results = []
    for index, test in enumerate(checklist.tests):
        mine = [ran.get((index, number)) for number in range(len(test.cmds))]
        why = broken.get(index) or problem or "the runner did not say"
        results.append(_judge(test, mine, timeout=timeout, where=where, problem=why, hint=hint))
    return tuple(results)


def _judge(
    test: Test, ran: Sequence[Said | None], *, timeout: float, where: str, problem: str, hint: str
) -> Result:
    outcome, because, advice = Outcome.PASS, f"{len(ran)} commands are as wanted", ""
    if len(ran) < 2:
        because = "1 command is as wanted" if ran else "has no commands"
    done: list[Said] = []
    for cmd, said in zip(test.cmds, ran, strict=True):
        if said is None:
            outcome, because, advice = Outcome.UNKNOWN, f"was not asked to the end: {problem}", hint
            break
        done.append(said)
        if said.status is None:
            why = said.problem or f"did not end within {timeout:g} s and was ended"
            outcome, because = Outcome.UNKNOWN, f"{_called(cmd, said)} {why}"
            advice = "" if said.problem else "give it more time with --timeout, if it needs more"
            break
        if wrong := differences(cmd, said):
            outcome, because = Outcome.FAIL, f"{_called(cmd, said)}: {'; '.join(wrong)}"
            break
    return Result(
        check=test.name,
        outcome=outcome,
        because=because,
        vantage=where,
        hint=advice,
        seconds=sum(said.seconds for said in done),
        evidence={
            "line": test.line,
            "cmds": [_evidence(cmd, said) for cmd, said in zip(test.cmds, done, strict=False)],
        },
    )


def differences(cmd: Cmd, said: Said) -> list[str]:
    """What is not as wanted of a command that ended; what the file does not name is not looked at."""
    wrong = []
    if cmd.retcode is not None and said.status != cmd.retcode:
        wrong.append(f"expected return code {cmd.retcode}, but got {said.status}")
    for name, wanted, stream in (("stdout", cmd.stdout, said.stdout), ("stderr", cmd.stderr, said.stderr)):
        if wanted is not None and not as_wanted(wanted, stream.text, stream.whole, stream.utf8):
            wrong.append(f"expected {name} {_quote(wanted)}, but got {_got(wanted, stream)}")
    return wrong


def _got(wanted: str, stream: Stream) -> str:
    text = _quote(stream.text)
    if not stream.utf8:
        return f"{text}, which is no UTF-8"
    if not stream.whole and len(stream.text) <= len(wanted):
        return f"{text} and more than {MOST_OUTPUT:,} bytes"
    if wanted != wanted.strip() and stream.text == wanted.strip():
        return f"{text}: an output is stripped, so that an expectation with space around it is never met"
    return text


def _called(cmd: Cmd, said: Said) -> str:
    return f"line {cmd.line}: `{_cut(said.ran)}`"


def _quote(text: str) -> str:
    return f"'{_cut(text)}'"


def _cut(text: str) -> str:
    return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…"


def _evidence(cmd: Cmd, said: Said) -> dict[str, Any]:
    """Plain JSON about one command: what ran, what came back, and for what was compared, what was wanted."""
    return {
        "line": cmd.line,
        "cmd": said.ran,
        "retcode": said.status,
        "stdout": said.stdout.text,
        "stderr": said.stderr.text,
        "seconds": said.seconds,
    }
