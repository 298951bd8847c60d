"""The journal as the pages see it: folded once, and kept up to date by reading only what is new.

What is in: the state of every rollout, its newest lines, and who is told when something has come. What is not: how a page
looks. All viewers share one, so that a hundred of them cost the database no more than one.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from seatrial.clock import SystemClock
from seatrial.errors import SeatrialError
from seatrial.fleetfile import parse
from seatrial.journal.store import Journal
from seatrial.kernels.remembered import KernelVerdict, remembered
from seatrial.model.event import Event, Kind
from seatrial.model.fleet import Fleet
from seatrial.model.fold import RolloutState
from seatrial.model.trial import State
from seatrial.report.narrate import Line, Narrator

INTERVAL = 0.4
AT_ONCE = 5_000
MOST_LINES = 400
_TAUGHT = (Kind.ROLLOUT_STARTED, Kind.TRIAL_MOVED)


@dataclass(slots=True, kw_only=True)
class Told:
    """One rollout: its state, its newest lines, and when each host's guard was last given time."""

    narrator: Narrator
    lines: deque[Line] = field(default_factory=lambda: deque(maxlen=MOST_LINES))
    number_of_lines: int = 0
    fleet: Fleet | None = None
    given: dict[str, tuple[datetime, float]] = field(default_factory=dict)

    @property
    def state(self) -> RolloutState:
        """Where it stands."""
        return self.narrator.state


class Following:
    """What the journal says now. `catch_up` reads on; nothing here writes."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.rollouts: dict[str, Told] = {}
        self.seq = 0
        self.problem = ""
        self._taught: list[Event] = []
        self._verdicts: Mapping[tuple[str, str], KernelVerdict] = {}
        self._waiting: set[asyncio.Event] = set()

    @property
    def verdicts(self) -> Mapping[tuple[str, str], KernelVerdict]:
        """What is remembered of kernels."""
        return self._verdicts

    def catch_up(self) -> bool:
        """Read what is new; says whether there was anything. Raises CouldNotAct when the database is away."""
        changed = False
        while events := self.journal.read(after=self.seq, limit=AT_ONCE):
            for event in events:
                self._feed(event)
            changed = True
        if changed and self._taught:
            self._verdicts = remembered(self._taught)
        return changed

    def _feed(self, event: Event) -> None:
        self.seq = event.seq
        if event.kind in _TAUGHT and (event.kind != Kind.TRIAL_MOVED or event.data.get("to") in _ENDINGS):
            self._taught.append(event)
        if not event.rollout:
            return
        told = self.rollouts.get(event.rollout)
        if told is None:
            told = self.rollouts[event.rollout] = Told(narrator=Narrator(event.rollout))
        if event.kind == Kind.ROLLOUT_STARTED:
            told.fleet = _fleet_of(event.data)
        for line in told.narrator.feed(event):
            told.lines.append(line)
            told.number_of_lines += 1
        _remember_time_given(told, event)

    async def keep_up(self) -> None:
        """Read on until this is cancelled, and wake those who wait. A database that is away is tried again."""
        while True:
            try:
                changed = await asyncio.to_thread(self.catch_up)
                self.problem = ""
            except SeatrialError as error:
                changed, self.problem = not self.problem, error.message
            if changed:
                for one in self._waiting:
                    one.set()
            await SystemClock().sleep(INTERVAL)

    async def changes(self) -> AsyncIterator[int]:
        """The place of the newest event, again whenever there is a newer one."""
        woken = asyncio.Event()
        self._waiting.add(woken)
        try:
            yield self.seq
            while True:
                await woken.wait()
                woken.clear()
                yield self.seq
        finally:
            with contextlib.suppress(KeyError):
                self._waiting.remove(woken)


_ENDINGS = frozenset({State.REVERTING, State.BLESSED})


def _fleet_of(data: Mapping[str, Any]) -> Fleet | None:
    try:
        return parse(str(data.get("fleet", "")), filename="the rollout's fleet")
    except SeatrialError:
        # A fleet file of another release: the page does without what only it could tell.
        return None


def _remember_time_given(told: Told, event: Event) -> None:
    """When a host's guard began to count, and from how many seconds: its own clock is the one that decides."""
    if event.kind == Kind.TRIAL_MOVED and event.data.get("to") == State.ON_TRIAL:
        trial = told.state.trials.get(event.host)
        seconds = float(trial.facts.get("deadline", 0.0)) if trial else 0.0
        told.given[event.host] = (event.at, seconds)
    elif event.kind == Kind.TRIAL_ACTED and event.data.get("act") == "extend" and event.host in told.given:
        told.given[event.host] = (event.at, told.given[event.host][1])
