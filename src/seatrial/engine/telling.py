"""Telling people what happens in a rollout, beside it: a reader of the journal that remembers how far each of them was told.

One process at a time tells, under a lease of its own, and what was told is an Event: so with many workers each notice goes once,
and after a crash between sending and writing it down twice at the most. Nothing here holds up a trial or makes a rollout
red: a notice that cannot be delivered is an Event with the reason. What is not in: words (report/announced.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seatrial.clock import SystemClock
from seatrial.engine.lease import under_lease
from seatrial.errors import CouldNotAct, Refused
from seatrial.journal.leases import Fence, Holder
from seatrial.journal.store import Journal
from seatrial.model.event import Kind
from seatrial.model.fleet import Fleet
from seatrial.model.notify import Notify
from seatrial.notify.send import CannotSend, send
from seatrial.report.announced import Announcer, Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds: between looks at the journal, before each further try, for one try, and for all that is left at the end.

    Of more than `most` notices that wait, the older ones become one.
    """

    poll: float = 1.0
    pauses: tuple[float, ...] = (2.0, 10.0, 40.0)
    one: float = 60.0
    farewell: float = 60.0
    late: float = 600.0
    most: int = 20


def telling_lease(rollout: str) -> str:
    """The name of the lease of whoever tells."""
    return f"tell {rollout}"


class Teller:
    """Tells of one rollout. `finish` says that nothing more will happen, so that it ends once all is told."""

    def __init__(
        self,
        journal: Journal,
        rollout: str,
        notify: Mapping[str, Notify],
        me: Holder,
        limits: Limits | None = None,
    ) -> None:
        self._journal = journal
        self._rollout = rollout
        self._notify = notify
        self._me = me
        self._limits = limits or Limits()
        self._ending = asyncio.Event()
        self._announcer = Announcer(rollout)
        self._seen = 0
        self._notices: list[Notice] = []
        self._told = dict.fromkeys(notify, 0)

    @property
    def farewell(self) -> float:
        """How long what is left at the end may take, in seconds."""
        return self._limits.farewell

    def finish(self) -> None:
        """Try what is left without long pauses, and end."""
        self._ending.set()

    async def keep_telling(self) -> None:
        """Go on until all is told after `finish`, or this is cancelled. A database that is away is waited for."""
        name = telling_lease(self._rollout)
        while True:
            with contextlib.suppress(Refused, CouldNotAct):
                await self._read()
                if self._ending.is_set() and not any(self._due(one) for one in self._notify):
                    return
                await asyncio.to_thread(self._journal.take_lease, name, self._me)
                try:
                    await under_lease(self._journal, name, self._me, self._tell_all())
                finally:
                    with contextlib.suppress(CouldNotAct):
                        await asyncio.to_thread(self._journal.drop_lease, name, self._me)
            # Another process tells; or the one that did is gone, which its lease shows.
            await SystemClock().sleep(self._limits.poll)

    async def _read(self) -> None:
        for event in await asyncio.to_thread(self._journal.read, self._rollout, after=self._seen):
            self._seen = event.seq
            if event.kind in (Kind.NOTICE_SENT, Kind.NOTICE_FAILED):
                to, of = str(event.data.get("to")), int(event.data.get("of", 0))
                if to in self._told:
                    self._told[to] = max(self._told[to], of)
            elif notice := self._announcer.feed(event):
                self._notices.append(notice)
        least = min(self._told.values(), default=0)
        self._notices = [notice for notice in self._notices if notice.of > least]

    def _due(self, to: str) -> list[Notice]:
        wanted = self._notify[to].about
        return [one for one in self._notices if one.of > self._told[to] and one.about in wanted]

    async def _tell_all(self) -> None:
        """Each place has a task of its own, so that one that is slow or dead keeps no other waiting."""
        busy: dict[str, asyncio.Task[None]] = {}
        try:
            while True:
                done = {to for to, task in busy.items() if task.done()}
                await self._read()
                for to in done:
                    busy.pop(to).result()
                for to in self._notify:
                    if to not in busy and (due := self._due(to)):
                        busy[to] = asyncio.create_task(self._deliver(to, due))
                if self._ending.is_set() and not busy:
                    return
                waiting = [asyncio.create_task(self._pause(self._limits.poll)), *busy.values()]
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                waiting[0].cancel()
        finally:
            for task in busy.values():
                task.cancel()
            await asyncio.gather(*busy.values(), return_exceptions=True)

    async def _deliver(self, to: str, due: Sequence[Notice]) -> None:
        left = len(due) - self._limits.most
        if left > 0:
            last = due[left]
            text = (
                f"{self._rollout}: {left + 1} more since {due[0].at:%H:%M} UTC, the last of them: {last.text}"
            )
            await self._one(to, last, text, f"!log seatrial: {text}")
            due = due[left + 1 :]
        for notice in due:
            await self._one(to, notice, notice.text, notice.sal)

    async def _one(self, to: str, notice: Notice, text: str, sal: str) -> None:
        notify, because, tries = self._notify[to], "", 0
        for pause in (0.0, *self._limits.pauses):
            if pause:
                await self._pause(pause)
            tries += 1
            # The time of what comes late is part of the news.
            age = (SystemClock().now() - notice.at).total_seconds()
            when = f" (at {notice.at:%Y-%m-%d %H:%M} UTC)" if age > self._limits.late else ""
            said = (sal if notify.form == "sal" else text) + when
            because = await _in_time(lambda said=said: _send(notify, notice, said), self._limits.one)  # type: ignore[misc]
            if not because:
                return await self._append(
                    Kind.NOTICE_SENT, {"to": to, "of": notice.of, "about": notice.about}
                )
            if self._ending.is_set() and tries > 1:
                break
        data = {"to": to, "of": notice.of, "about": notice.about, "because": because, "tries": tries}
        return await self._append(Kind.NOTICE_FAILED, data)

    async def _append(self, kind: Kind, data: Mapping[str, Any]) -> None:
        def append() -> None:
            under = Fence(holder=self._me, leases=(telling_lease(self._rollout),))
            self._journal.append(kind, rollout=self._rollout, by="seatrial", data=data, under=under)

        await asyncio.to_thread(append)

    async def _pause(self, seconds: float) -> None:
        """Wait, but only shortly once nothing more will happen."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ending.wait()
                await SystemClock().sleep(min(seconds, 1.0))


def _send(notify: Notify, notice: Notice, said: str) -> str:
    """Why it did not go, "" when it did."""
    try:
        send(notify, said, f"Seatrial {notice.rollout}: {notice.about}", notice.mood, document(notice, said))
    except CannotSend as error:
        return str(error) or "it is not known why"
    return ""


def document(notice: Notice, said: str) -> dict[str, Any]:
    """What a webhook gets."""
    return {
        "id": notice.id,
        "at": notice.at.isoformat().replace("+00:00", "Z"),
        "about": notice.about,
        "event": notice.kind,
        "rollout": notice.rollout,
        "host": notice.host or None,
        "mood": notice.mood,
        "text": said,
    }


async def _in_time(work: Callable[[], str], limit: float) -> str:
    """What the work says. It may hang for ever in a thread that nobody waits for, which costs the rollout nothing."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[str] = loop.create_future()

    def say(said: str) -> None:
        if not done.done():
            done.set_result(said)

    def run() -> None:
        said = work()
        # The loop may have ended meanwhile; then nobody wants to know.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(say, said)

    threading.Thread(target=run, name="telling", daemon=True).start()
    try:
        async with asyncio.timeout(limit):
            return await done
    except TimeoutError:
        return f"it took more than {limit:.0f} s"


async def try_all(notify: Mapping[str, Notify], limits: Limits | None = None) -> dict[str, str]:
    """Send each of them one message that says that it is none; what went wrong by name, "" where nothing did."""
    now = SystemClock().now()
    notice = Notice(
        of=0, at=now, kind="try", about="started", rollout="r0", host="", mood="info",
        text="Seatrial tries whether you hear it; nothing has happened",
        sal="!log seatrial: tries whether you hear it; nothing has happened",
    )  # fmt: skip

    async def one(to: str) -> str:
        said = notice.sal if notify[to].form == "sal" else notice.text
        return await _in_time(lambda: _send(notify[to], notice, said), (limits or Limits()).one)

    said = await asyncio.gather(*(one(to) for to in notify))
    return dict(zip(notify, said, strict=True))


async def tell_rest(journal: Journal, rollout: str, fleet: Fleet, limits: Limits | None = None) -> None:
    """Tell what nobody was told yet of a rollout, whether or not it is over. Raises Refused while another process tells."""
    me, name = Holder.here(), telling_lease(rollout)
    if holder := await asyncio.to_thread(journal.lease_holder, name):
        raise Refused(
            f"process {holder.pid} on {holder.machine.split()[0]} tells of {rollout}",
            hint="it goes on by itself; nothing has to be done",
        )
    async with telling(journal, rollout, fleet, me, limits):
        pass


@contextlib.asynccontextmanager
async def telling(
    journal: Journal, rollout: str, fleet: Fleet, me: Holder, limits: Limits | None = None
) -> AsyncIterator[None]:
    """Tell meanwhile, and what is left at the end for a while. Errors of this never reach the rollout."""
    if not fleet.notify:
        yield
        return
    teller = Teller(journal, rollout, fleet.notify, me, limits)
    task = asyncio.create_task(teller.keep_telling())
    try:
        yield
        teller.finish()
        await asyncio.wait([task], timeout=teller.farewell)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
