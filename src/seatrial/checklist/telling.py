"""What other tools read of a run: the lines that they look for, and the metric of the old tool. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from seatrial.model.result import Outcome, Result
from seatrial.model.text import safe

METRIC = "cmd_checklist_runner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The machine that asked, as the labels of the metric name it."""

    hostname: str
    os: str
    release: str


def log_line(at: datetime, level: str, text: str) -> str:
    """`[YYYY-mm-dd HH:MM:SS] INFO: ...`, in the time zone of `at`; nothing in `text` can begin a line of its own."""
    return f"[{at:%Y-%m-%d %H:%M:%S}] {level}: {safe(text)}"


def totals(results: Sequence[Result]) -> Iterator[str]:
    """The lines that other tools parse. A test whose answer is not known has not passed: it counts as failed."""
    passed = sum(1 for result in results if result.outcome is Outcome.PASS)
    unknown = sum(1 for result in results if result.outcome is Outcome.UNKNOWN)
    # Before the others, since some look for the last line of all.
    if unknown:
        yield f"--- of the failed ones, not known: {unknown}"
    yield f"--- passed tests: {passed}"
    yield f"--- failed tests: {len(results) - passed}"
    yield f"--- total tests: {len(results)}"


def metric(results: Sequence[Result], *, config_file: str, machine: Machine) -> str:
    """The old tool's metric in Prometheus' text format.

    Two tests of one name and one result are one line: a reader of the format refuses a file that has a line twice.
    """
    lines = []
    for result in results:
        labels = {
            "config_file": config_file,
            "test_name": result.check,
            "test_result": "ok" if result.outcome is Outcome.PASS else "failed",
            "hostname": machine.hostname,
            "os": machine.os,
            "release": machine.release,
        }
        text = ", ".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
        lines.append(f"{METRIC}{{{text}}} 1\n")
    return "".join(dict.fromkeys(lines))


def _escaped(text: str) -> str:
    plain = text.encode("utf-8", "replace").decode("utf-8")
    return plain.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def told_apart(results: Sequence[Result]) -> tuple[Result, ...]:
    """The Results with names that are unique, for formats in which a name is a key: the second `a` is `a (2)`."""
    taken: set[str] = set()
    apart = []
    for result in results:
        name, number = result.check, 1
        while name in taken:
            number += 1
            name = f"{result.check} ({number})"
        taken.add(name)
        apart.append(replace(result, check=name))
    return tuple(apart)
