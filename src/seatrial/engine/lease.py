"""Work that only one process may do at a time, under a lease in the journal. What is not in: what the work is."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine

from seatrial.clock import SystemClock
from seatrial.errors import CouldNotAct
from seatrial.journal.leases import LEASE_SECONDS, Holder
from seatrial.journal.store import Journal


async def under_lease(journal: Journal, name: str, me: Holder, work: Coroutine[None, None, None]) -> None:
    """Do `work` while `me` keeps the lease that it has taken. Raises CouldNotAct when somebody else has it now."""
    working = asyncio.ensure_future(work)
    beating = asyncio.ensure_future(_beat(journal, name, me))
    try:
        await asyncio.wait({working, beating}, return_when=asyncio.FIRST_COMPLETED)
        if beating.done():
            beating.result()
        await working
    finally:
        for task in (working, beating):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task


async def _beat(journal: Journal, name: str, me: Holder) -> None:
    while journal.keep_lease(name, me):
        # Real seconds, also where a rehearsal's clock runs fast: the lease is between processes.
        await SystemClock().sleep(LEASE_SECONDS / 6)
    raise CouldNotAct(
        f"another controller has taken {name} over",
        hint="it goes on there: watch that one, and end it before this one is begun again",
    )
