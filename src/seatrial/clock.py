"""The one door to time. What is in: reading the clock and waiting. What is not: any policy of how long.

A simulated fleet brings a Clock of its own, so that ten minutes of a guard's deadline pass at once. Where many things
wait side by side in such a time, it is the event loop's: it jumps to the next moment at which somebody has something to do.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar

_T = TypeVar("_T")


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


class LoopClock:
    """The time of the event loop that is running, counted from `start`: real in a usual loop, fast in `run_fast`."""

    def __init__(self, start: datetime) -> None:
        self.start = start
        self._loop: asyncio.AbstractEventLoop | None = None

    def passed(self) -> float:
        """Seconds since its start. It belongs to the loop in which it was asked first."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        return self._loop.time()

    def now(self) -> datetime:
        """The time, UTC and aware."""
        return self.start + timedelta(seconds=self.passed())

    async def sleep(self, seconds: float) -> None:
        """Come back when `seconds` have passed."""
        await asyncio.sleep(seconds)


class _Jumping(selectors.SelectSelector):
    """A selector that never waits: the time that it would have waited has passed at once."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            # Another thread may have something for the loop; nothing of a rehearsal has one.
            return super().select(None)
        self.passed += max(timeout, 0.0)
        return super().select(0)


class _FastLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.passed


def fast_runner() -> asyncio.Runner:
    """A runner whose loop's time jumps so; between two of its runs nothing of what was begun in it goes on."""
    return asyncio.Runner(loop_factory=_FastLoop)


def run_fast(main: Coroutine[Any, Any, _T]) -> _T:
    """Run `main` in a loop whose time jumps from one thing that somebody waits for to the next; it begins at 0."""
    with fast_runner() as runner:
        return runner.run(main)
