"""What the vantages of one process share: places, time limits, and SSH connections once the first is wanted."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING

from seatrial.clock import Clock, SystemClock

if TYPE_CHECKING:
    from seatrial.vantage.lines import Switchboard

WIDTH = 64
CONNECT_TIMEOUT = 10.0


class Pool:
    """Shared by the vantages of one process.

    At most `width` handshakes or local processes are under way at once; `connect_timeout` is in seconds, and an
    ssh config's ConnectTimeout comes before it.
    """

    def __init__(
        self, *, width: int = WIDTH, connect_timeout: float = CONNECT_TIMEOUT, clock: Clock | None = None
    ) -> None:
        self.places = asyncio.Semaphore(width)
        self.connect_timeout = connect_timeout
        self.clock: Clock = clock or SystemClock()
        self._switchboard: Switchboard | None = None

    @property
    def switchboard(self) -> Switchboard:
        """The SSH connections. asyncssh takes 0.2 s to import, so it waits until somebody wants one."""
        if self._switchboard is None:
            from seatrial.vantage.lines import Switchboard

            # What was imported by now stays; a tenth of the CPU of a fan-out was the collector walking it again.
            gc.freeze()
            self._switchboard = Switchboard(
                places=self.places, connect_timeout=self.connect_timeout, clock=self.clock
            )
        return self._switchboard

    async def close(self) -> None:
        """Close every connection that is kept."""
        if self._switchboard is not None:
            await self._switchboard.close()
