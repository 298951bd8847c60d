"""The one door to time. What is in: reading the clock and waiting. What is not: any policy of how long.

A simulated fleet brings a Clock of its own, so that ten minutes of a guard's deadline pass at once.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Time as the controller sees it."""

    def now(self) -> datetime:
        """The time, UTC and aware."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Come back when `seconds` have passed."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The time, UTC and aware."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Come back when `seconds` have passed."""
        await asyncio.sleep(seconds)


def monotonic() -> float:
    """Seconds on a clock that nobody sets, for durations and time limits."""
    return time.monotonic()


def sleep_blocking(seconds: float) -> None:
    """Wait in a thread or a process that has no event loop."""
    time.sleep(seconds)
