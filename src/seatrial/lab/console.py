"""A guest's serial console as lines with times, and where the time of a boot goes.

What is in: the format of console.log, cleaning what the guest wrote, splitting a boot into its parts. What is not:
reading the serial port (warden.py). Every line is `MONOTONIC UTC TEXT`; lines of the warden's own begin with `==`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from seatrial.clock import SystemClock, monotonic

POWER_ON, RESET, LOGIN = "== power on", "== reset", "== login"
READY = "seatrial-lab: ready"
LONGEST_LINE = 1000

_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[@-_])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleLine:
    """`at` is in seconds of this machine's monotonic clock, `utc` its wall clock."""

    at: float
    utc: datetime
    text: str

    def __str__(self) -> str:
        return f"{self.at:.3f} {self.utc.isoformat(timespec='milliseconds')} {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BootTimings:
    """Where one boot's seconds went; None for a part that was not reached (or is not over)."""

    began: float
    release: str | None = None
    firmware_and_grub: float | None = None
    kernel: float | None = None
    userspace: float | None = None
    ssh: float | None = None

    @property
    def total(self) -> float | None:
        """Power-on or reset to the first SSH login; None when there was none."""
        parts = (self.firmware_and_grub, self.kernel, self.userspace, self.ssh)
        return None if None in parts else sum(part for part in parts if part is not None)

    def __str__(self) -> str:
        def shown(seconds: float | None) -> str:
            return "-" if seconds is None else f"{seconds:.1f} s"

        return (
            f"{self.release or 'no kernel'}: {shown(self.total)} = firmware and GRUB {shown(self.firmware_and_grub)}"
            f" + kernel {shown(self.kernel)} + userspace {shown(self.userspace)} + SSH login {shown(self.ssh)}"
        )


def clean(raw: bytes) -> str:
    """What a guest wrote, without what could move a person's cursor or colour a person's terminal."""
    text = raw.decode(errors="replace")
    return _CONTROLS.sub("", _ESCAPES.sub("", text)).strip()[:LONGEST_LINE]


def mark(text: str) -> ConsoleLine:
    """A line of Seatrial's own, now."""
    return ConsoleLine(at=monotonic(), utc=SystemClock().now(), text=text)


def parse(text: str) -> list[ConsoleLine]:
    """The lines of a console.log; a line that is not whole yet is left out."""
    lines = []
    for line in text.splitlines():
        at, _, rest = line.partition(" ")
        utc, _, said = rest.partition(" ")
        try:
            lines.append(ConsoleLine(at=float(at), utc=datetime.fromisoformat(utc), text=said))
        except ValueError:
            continue
    return lines


def boots(lines: Iterable[ConsoleLine]) -> list[BootTimings]:
    """Every boot that the console shows, the latest last."""
    found: list[BootTimings] = []
    marks: dict[str, float] = {}
    release: str | None = None

    def close() -> None:
        if "began" in marks:
            found.append(_timings(marks, release))

    for line in lines:
        if line.text.startswith((POWER_ON, RESET)):
            close()
            marks, release = {"began": line.at}, None
        elif said := re.match(r"\[ +0\.000000\] Linux version (\S+)", line.text):
            marks.setdefault("linux", line.at)
            release = release or said[1]
        elif "as init process" in line.text:
            marks.setdefault("init", line.at)
        elif READY in line.text:
            marks.setdefault("ready", line.at)
        elif line.text.startswith(LOGIN):
            marks.setdefault("login", line.at)
    close()
    return found


def _timings(marks: dict[str, float], release: str | None) -> BootTimings:
    def between(first: str, second: str) -> float | None:
        return marks[second] - marks[first] if first in marks and second in marks else None

    return BootTimings(
        began=marks["began"],
        release=release,
        firmware_and_grub=between("began", "linux"),
        kernel=between("linux", "init"),
        userspace=between("init", "ready"),
        ssh=between("ready", "login"),
    )
