"""Does a command of the operator's own end and say what it should? What is not in: what the command means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from seatrial.checks.asked import made, unknown
from seatrial.checks.reading import clean, why_not
from seatrial.model.check.platform import CommandCheck, Wording
from seatrial.model.command import Command, Output, Trouble
from seatrial.model.pattern import read_pattern
from seatrial.model.result import Outcome, Result

# What an expression is looked for in; a line that is longer is cut.
MOST_SEARCHED = 64 * 1024
LONGEST_LINE = 4096
SHOWN = 120
# What the shell says of a program that it cannot run, and of one that it does not find.
NOT_RUN = {126: "may not be run", 127: "is not there"}


def commands(check: CommandCheck) -> tuple[Command, ...]:
    """The command as it was declared, through /bin/sh only where it is text."""
    argv = check.argv or ("/bin/sh", "-c", check.shell or "")
    return (
        Command(name="command.run", argv=argv, safe=not check.writes, root=check.root, timeout=check.timeout),
    )


def judge(name: str, check: CommandCheck, outputs: Sequence[Output]) -> Result:
    """PASS when the status is the wanted one and both outputs are as they must be."""
    output = outputs[0] if outputs else None
    if output is None or not output.answered:
        return unknown(name, check, _no_answer(output, check.source_vantage))
    assert output.status is not None
    shown = clean(check.shell or output.command.paste, SHOWN)
    if output.status in NOT_RUN and check.status != output.status:
        said = _last(output.stderr) or f"{shown} {NOT_RUN[output.status]}"
        hint = f"look whether it is installed on {check.source_vantage}, and in its PATH"
        return unknown(name, check, (f"{check.source_vantage}: {said}", hint))
    evidence = {
        "command": shown,
        "status": output.status,
        "stdout": clean(output.stdout),
        "stderr": clean(output.stderr),
    }
    looked_at = check.stdout is not None or check.stderr is not None
    if output.truncated and looked_at:
        because = f"{shown} said more than is read"
        hint = "let the command itself say less, for example with grep or head"
        return made(name, check, Outcome.UNKNOWN, because, hint=hint, evidence=evidence)
    wrong = list(_wrong(check, output))
    if wrong:
        because, outcome = f"{shown}: {'; '.join(wrong[:3])}", Outcome.FAIL
    else:
        because, outcome = f"{shown} ended with status {output.status}", Outcome.PASS
    return made(name, check, outcome, because, seconds=output.seconds, evidence=evidence)


def _no_answer(output: Output | None, place: str) -> tuple[str, str]:
    if output is not None and output.trouble is Trouble.NO_PROGRAM:
        program = clean(output.command.argv[0], SHOWN)
        return f"{place} has no {program}", f"look whether it is installed on {place}, and in its PATH"
    why, hint = why_not(output, place) or (f"{place} did not answer", "")
    if output is not None and output.trouble is Trouble.TIMEOUT and not hint:
        hint = "give the check a longer timeout, or see what the command waits for"
    return why, hint


def _wrong(check: CommandCheck, output: Output) -> Iterator[str]:
    """A sentence for each thing that is not as wanted."""
    if check.status is not None and output.status != check.status:
        said = _last(output.stderr)
        yield f"status {output.status}, not {check.status}" + (f" ({said})" if said else "")
    for stream, wanted, text in (
        ("stdout", check.stdout, output.stdout),
        ("stderr", check.stderr, output.stderr),
    ):
        if wanted is not None:
            yield from _differs(stream, wanted, text.strip())


def _differs(stream: str, wanted: Wording, text: str) -> Iterator[str]:
    said = f"{clean(text, SHOWN)!r}" if text else "nothing"
    if wanted.equals is not None and text != wanted.equals.strip():
        yield f"{stream} is {said}, not {clean(wanted.equals, SHOWN)!r}"
    for part in wanted.contains:
        if part not in text:
            yield f"{stream} is {said}, without {clean(part, SHOWN)!r}"
    for part in wanted.lacks:
        if part in text:
            yield f"{stream} has {clean(part, SHOWN)!r}"
    if wanted.matches:
        lines = [line[:LONGEST_LINE] for line in text[:MOST_SEARCHED].splitlines()] or [""]
        for expression in wanted.matches:
            pattern = read_pattern(expression)
            if not any(pattern.found_in(line) for line in lines):
                yield f"{stream} is {said}, and no line fits {clean(expression, SHOWN)!r}"


def _last(text: str) -> str:
    lines = text.strip().splitlines()
    return clean(lines[-1], SHOWN) if lines else ""
