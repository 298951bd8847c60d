"""Is the clock of a host kept in step with others, and how far is it off as far as the host can tell?

What is in: chrony where it runs, else the kernel (which ntpd and systemd-timesyncd steer), else timedatectl. What is
not in: a comparison with the clock of this machine, which may be the wrong one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from seatrial.checks.asked import made, unknown
from seatrial.checks.host.files import not_understood
from seatrial.checks.onhost import script
from seatrial.checks.reading import Said, clean, understood, why_not
from seatrial.model.check.host import TimeCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result

# The columns of `chronyc -c tracking`: who is followed, the remaining correction in seconds, the leap status.
CHRONY_COLUMNS, IDENT, FOLLOWED, CORRECTION, LEAP = 14, 0, 1, 4, 13
# 127.127.1.1: chrony takes its own clock for the right one (`local`), and calls that normal.
ITSELF = "7F7F0101"
LONGEST = 10.0**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """What one of those who know said; `offset` in seconds is None where it does not tell."""

    by: str
    synchronised: bool
    offset: float | None = None


class Kernel(Said):
    """What clockstate.py says."""

    synchronised: bool
    offset: float
    error: float


def commands(check: TimeCheck) -> tuple[Command, ...]:
    """Everyone who may know; nobody has to be there."""
    return (
        Command(
            name="time.chrony",
            argv=("chronyc", "-c", "-n", "tracking"),
            timeout=check.timeout,
            package="chrony",
        ),
        Command(
            name="time.kernel",
            argv=("python3", "-"),
            stdin=script("clockstate"),
            timeout=check.timeout,
            package="python3",
        ),
        Command(
            name="time.systemd",
            argv=("timedatectl", "show", "-p", "NTPSynchronized"),
            timeout=check.timeout,
            package="systemd",
        ),
    )


def judge(name: str, check: TimeCheck, outputs: Sequence[Output]) -> Result:
    """PASS when the clock is synchronised and, where that is told, no further off than allowed."""
    place = check.source_vantage
    known = list(_told(outputs, place))
    if not known:
        return unknown(name, check, _why(outputs, place))
    clock = known[0]
    evidence = {"by": clock.by, "synchronised": clock.synchronised, "offset": clock.offset}
    if not clock.synchronised:
        because = f"the clock follows no other ({clock.by})"
        hint = f"is chrony or systemd-timesyncd running on {place}, and does a time server answer it?"
        return made(name, check, Outcome.FAIL, because, hint=hint, evidence=evidence)
    because = f"the clock is synchronised ({clock.by})"
    if clock.offset is not None:
        because += f", {clock.offset:.6f} s off"
    if clock.offset is not None and clock.offset > check.most:
        because += f"; at most {check.most:g} s is wanted"
        hint = f"`chronyc sources` or `timedatectl timesync-status` on {place} says whom it follows"
        return made(name, check, Outcome.FAIL, because, hint=hint, evidence=evidence)
    seconds = sum(output.seconds for output in outputs)
    return made(name, check, Outcome.PASS, because, seconds=seconds, evidence=evidence)


def _told(outputs: Sequence[Output], place: str) -> Iterator[Clock]:
    """Those who know, the most exact first."""
    said = {output.command.name: output for output in outputs if output.ok and not output.truncated}
    if (output := said.get("time.chrony")) and (clock := _chrony(output.stdout)):
        yield clock
    if output := said.get("time.kernel"):
        found = understood(Kernel, output, place)
        if isinstance(found, Kernel) and abs(found.offset) < LONGEST:
            yield Clock(by="the kernel", synchronised=found.synchronised, offset=abs(found.offset))
    if output := said.get("time.systemd"):
        word = output.stdout.strip()
        if word in ("NTPSynchronized=yes", "NTPSynchronized=no"):
            yield Clock(by="timedatectl", synchronised=word.endswith("yes"))


def _chrony(said: str) -> Clock | None:
    words = said.strip().split(",")
    if len(words) != CHRONY_COLUMNS:
        return None
    try:
        correction = abs(float(words[CORRECTION]))
    except ValueError:
        return None
    # `not (a < b)` where b is not a number as well.
    if not correction < LONGEST:
        return None
    followed = clean(words[FOLLOWED], 60)
    is_well = words[LEAP] in ("Normal", "Insert second", "Delete second") and words[IDENT] != ITSELF
    return Clock(
        by=f"chrony by {followed}" if followed else "chrony", synchronised=is_well, offset=correction
    )


def _why(outputs: Sequence[Output], place: str) -> tuple[str, str]:
    """Why nobody knows; the kernel's own word is the one that every host can give."""
    troubles = {output.command.name: why_not(output, place) for output in outputs}
    if not troubles:
        return f"{place} was not asked", ""
    return troubles.get("time.kernel") or not_understood(place, "the state of the clock")
