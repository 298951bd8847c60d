"""BootMethod: what Seatrial must know and do about a boot loader. What is not in: any one boot loader, and the guard."""

from __future__ import annotations

from typing import Protocol

from seatrial.model.command import Command, Output
from seatrial.model.hostfacts import BootFacts
from seatrial.model.result import Result


class BootMethod(Protocol):
    """One way in which hosts choose their kernel. Every method is pure: it makes or reads values."""

    @property
    def name(self) -> str:
        """The word for it in the fleet file (`boot.method`)."""
        ...

    def facts(self) -> Command:
        """The one Command, safe to run at any time, whose Output `read` understands."""
        ...

    def glance(self) -> Command:
        """Like `facts`, and cheap enough to be asked every second: what runs, what can be booted, what is next.

        What it leaves out is named in `unread`, so no refusal can be judged by it.
        """
        ...

    def read(self, output: Output) -> BootFacts | None:
        """What the host said; None when it gave no answer, or one that was cut off."""
        ...

    def boot_once(self, entry: str) -> Command:
        """The next boot, and only that one, takes `entry` (an InstalledKernel's)."""
        ...

    def make_default(self, entry: str) -> Command:
        """Every boot takes `entry`, for hosts without a guard: a blessing does this itself, on the host."""
        ...

    def refusals(self, facts: BootFacts, good: str, candidate: str) -> tuple[Result, ...]:
        """One Result for each question that arming depends on; only all of them PASS lets a trial begin."""
        ...
