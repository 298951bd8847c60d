"""Files of /proc, /sys and /etc as questions: what the checks of a host share. What is not in: what the files mean."""

from __future__ import annotations

from collections.abc import Sequence

from seatrial.checks.reading import why_not
from seatrial.model.check import CheckBase
from seatrial.model.command import Command, Output

ABSENT = ": No such file or directory"


def look(name: str, check: CheckBase, *paths: str) -> Command:
    """Read files one after the other; no tool is needed for it that any Linux lacks."""
    return Command(name=name, argv=("cat", *paths), timeout=check.timeout, package="coreutils")


def absent(output: Output) -> bool:
    """Whether the file is not there, which is an answer, and another one than a file that may not be read."""
    return output.status == 1 and output.stderr.rstrip().endswith(ABSENT)


def first_trouble(outputs: Sequence[Output], wanted: int, place: str) -> tuple[str, str] | None:
    """Why one of the first `wanted` Outputs is no answer; None when all of them are."""
    for number in range(wanted):
        if why := why_not(outputs[number] if number < len(outputs) else None, place):
            return why
    return None


def not_understood(place: str, what: str) -> tuple[str, str]:
    """The answer to a question whose answer has another shape than it has on Linux."""
    return f"{what} of {place} is not understood", "Seatrial reads what Linux says; is this another system?"
