"""The journal as the pages see it: folded once, and kept up to date by reading only what is new.

What is in: where every rollout, failover and audit stands, and who is told when something has come. What is not: how a page
looks. All viewers share one, so that a hundred of them cost the database no more than one. Of a rollout that is over
nothing is held but a few that somebody looked at; of a trial that is over, only where it ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace

from seatrial.clock import SystemClock
from seatrial.errors import SeatrialError
from seatrial.journal.store import Journal
from seatrial.kernels.remembered import KINDS, KernelVerdict, Memory
from seatrial.model.event import Event, Kind
from seatrial.model.failover import FailoverState, advance_failover
from seatrial.model.fold import RolloutState, advance, fold
from seatrial.model.slots import SLOT_KINDS, Away, fold_away
from seatrial.model.trial import State
from seatrial.model.trialstate import TrialState
from seatrial.report.narrate import Narrator
from seatrial.web.timeline import page
from seatrial.web.told import LIGHT, Told, fleet_of

INTERVAL = 0.4
AT_ONCE = 5_000
MOST_ROLLOUTS = 200
MOST_FAILOVERS = 200
# Of rollouts that are over, and that somebody looked at.
MOST_KEPT = 4
_HEADS = (Kind.ROLLOUT_STARTED, Kind.ROLLOUT_ENDED, Kind.ROLLOUT_ABORTED)
_FAILOVER_HEADS = (Kind.FAILOVER_STARTED, Kind.FAILOVER_INTENT, Kind.FAILOVER_TURNED, Kind.FAILOVER_ENDED)
_TAUGHT = tuple(kind for kind in KINDS if kind is not Kind.TRIAL_MOVED)
_VERDICTS = (State.REVERTING, State.BLESSED)
# Of rollouts that are over, small ones say at once how many hosts ended how.
COUNTED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A rollout in a list: its state without trials and fleet, how many hosts it has, and how many are in which state."""

    state: RolloutState
    hosts: int
    states: Mapping[State, int] = field(default_factory=dict)


class Following:
    """What the journal says now. `catch_up` reads on; nothing here writes.

    `heads` are all rollouts that are known, each as its first and last Events tell it; `failovers` the newest ones;
    `audits` the newest audit of each host; `away` the slots of hosts that reboot by themselves, and nothing else of who is
    away; `counted` the Results that came since the server started, by purpose and outcome.
    """

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.lock = threading.RLock()
        self.heads: dict[str, Head] = {}
        self.failovers: dict[str, FailoverState] = {}
        self.audits: dict[str, Event] = {}
        self.away = Away()
        self.counted: Counter[tuple[str, str]] = Counter()
        self.seq = 0
        self.at: float = 0.0
        self.problem = ""
        self._live: dict[str, Told] = {}
        self._kept: OrderedDict[str, Told] = OrderedDict()
        self._memory = Memory()
        self._verdicts: Mapping[tuple[str, str], KernelVerdict] | None = None
        self._began = False
        self._waiting: set[asyncio.Event] = set()

    @property
    def viewers(self) -> int:
        """How many listen on the live line."""
        return len(self._waiting)

    @property
    def verdicts(self) -> Mapping[tuple[str, str], KernelVerdict]:
        """What is remembered of kernels."""
        if self._verdicts is None:
            self._verdicts = self._memory.verdicts()
        return self._verdicts

    @property
    def running(self) -> list[Told]:
        """The rollouts that are not over, oldest first."""
        return [told for told in self._live.values() if not told.state.ended]

    @property
    def latest(self) -> Told | None:
        """The newest rollout that runs, else the newest one."""
        names = [told.state.id for told in self.running] or list(self.heads)
        return self.told(names[-1]) if names else None

    def told(self, name: str) -> Told:
        """One rollout; one that is over and that nobody looked at is read. Raises KeyError and CouldNotAct."""
        with self.lock:
            if name in self._live:
                return self._live[name]
            if name in self._kept:
                self._kept.move_to_end(name)
                return self._kept[name]
            known = name in self.heads
        # Without the lock, since it is over and others want to go on.
        told = self._loaded(name)
        if not known and told.state.started is None:
            raise KeyError(name)
        with self.lock:
            self._kept[name] = told
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return told

    def trial(self, told: Told, host: str) -> TrialState:
        """One trial with all that the journal has of it. Raises CouldNotAct."""
        trial = told.state.trials[host]
        if trial.under_way and told.state.id in self._live:
            return trial
        return self._whole(told.state, host)

    def catch_up(self) -> bool:
        """Read what is new; says whether there was anything. Raises CouldNotAct when the database is away."""
        if not self._began:
            self._begin()
        changed = False
        while events := self.journal.read(after=self.seq, limit=AT_ONCE):
            with self.lock:
                for event in events:
                    self._feed(event)
            changed = True
        return changed

    def _begin(self) -> None:
        """Read what a first page needs of a journal of any length; all later Events are then read one by one."""
        newest = self.journal.read(limit=1, newest=True)
        before = newest[-1].seq + 1 if newest else 1
        for event in self.journal.read(before=before, kinds=_HEADS, limit=3 * MOST_ROLLOUTS, newest=True):
            self._head(event)
        unended = self.journal.without(Kind.ROLLOUT_STARTED, Kind.ROLLOUT_ENDED)
        for name in dict.fromkeys((*unended, *list(self.heads)[-1:])):
            self._live[name] = self._loaded(name, before=before)
            self.heads[name] = head_of(self._live[name].state)
        for name in [name for name, one in self.heads.items() if 0 < one.hosts <= COUNTED][-25:]:
            state = fold(self.journal.read(name, before=before, kinds=LIGHT), rollout=name)
            self.heads[name] = head_of(state)
        self._begin_failovers(before)
        self._begin_memory(before)
        self.audits = {event.host: event for event in self.journal.latest(Kind.DRIFT_AUDITED)}
        self.away = fold_away(self.journal.read(before=before, kinds=SLOT_KINDS))
        if told_latest := self.latest:
            fleet_of(told_latest.state.fleet)
        for event in newest:
            self.seq, self.at = event.seq, event.at.timestamp()
        self._began = True

    def _begin_failovers(self, before: int) -> None:
        begun = self.journal.read(before=before, kinds=_FAILOVER_HEADS, limit=4 * MOST_FAILOVERS, newest=True)
        for name in self.journal.without(Kind.FAILOVER_STARTED, Kind.FAILOVER_ENDED):
            begun += (
                []
                if any(event.rollout == name for event in begun)
                else self.journal.read(name, before=before)
            )
        for event in sorted(begun, key=lambda one: one.seq):
            self._failover(event)

    def _begin_memory(self, before: int) -> None:
        known = self.journal.read(before=before, kinds=_TAUGHT) + self.journal.moves(_VERDICTS)
        for event in sorted(known, key=lambda one: one.seq):
            if event.seq < before:
                self._memory.feed(event)

    def _loaded(self, name: str, *, before: int | None = None) -> Told:
        """A rollout as the journal has it, light; the trials under way whole."""
        state = fold(self.journal.read(name, before=before, kinds=LIGHT), rollout=name)
        narrator = Narrator(name)
        took = self.journal.read(name, before=before, kinds=(Kind.CONTROLLER_TOOK,), limit=1)
        narrator.begin(state, controllers=len(took))
        told = Told(narrator=narrator)
        if not state.ended:
            for trial in [one for one in state.trials.values() if one.under_way]:
                told.put(self._whole(state, trial.host, before=before))
        shown = page(self.journal, name, before=before, trials=state.trials)
        told.lines.extend((seq, line) for seq, _, line in shown.lines)
        return told

    def _whole(self, state: RolloutState, host: str, *, before: int | None = None) -> TrialState:
        alone = replace(state, trials={host: TrialState(host=host, since=state.started)})
        for event in self.journal.read(state.id, host=host, before=before):
            alone = advance(alone, event)
        return alone.trials[host]

    def _feed(self, event: Event) -> None:
        self.seq, self.at = event.seq, event.at.timestamp()
        self._teach(event)
        if event.kind == Kind.DRIFT_AUDITED:
            self.audits[event.host] = event
        if event.kind in SLOT_KINDS:
            self.away = fold_away((event,), self.away)
        if event.kind == Kind.RESULTS:
            purpose = str(event.data.get("purpose", ""))
            self.counted.update((purpose, str(one.get("outcome"))) for one in event.data.get("results", ()))
        if event.rollout.startswith("f"):
            self._failover(event)
        if not event.rollout.startswith("r"):
            return
        self._kept.pop(event.rollout, None)
        told = self._live.get(event.rollout)
        if told is None:
            is_first = event.kind == Kind.ROLLOUT_STARTED
            # An Event of a rollout that was over, such as a person's line: it is read anew when somebody looks.
            if not is_first:
                self._head(event)
                return
            self._let_go()
            told = self._live[event.rollout] = Told(narrator=Narrator(event.rollout))
        told.feed(event)
        if event.kind in _HEADS:
            self.heads[event.rollout] = head_of(told.state)

    def _let_go(self) -> None:
        """Rollouts that are over are not kept once another one runs."""
        for name in [name for name, told in self._live.items() if told.state.ended]:
            del self._live[name]

    def _teach(self, event: Event) -> None:
        if event.kind in _TAUGHT or (event.kind == Kind.TRIAL_MOVED and event.data.get("to") in _VERDICTS):
            self._memory.feed(event)
            self._verdicts = None

    def _head(self, event: Event) -> None:
        known = self.heads.get(event.rollout)
        if event.kind == Kind.ROLLOUT_STARTED:
            self.heads[event.rollout] = head_of(advance(RolloutState(id=event.rollout), event), counted=False)
        elif known is not None and event.kind in _HEADS:
            self.heads[event.rollout] = replace(known, state=advance(known.state, event))

    def _failover(self, event: Event) -> None:
        known = self.failovers.get(event.rollout)
        if known is None and event.kind != Kind.FAILOVER_STARTED:
            return
        # The fleet file's text is the same for all of them, and long.
        after = advance_failover(known or FailoverState(id=event.rollout), event)
        self.failovers[event.rollout] = replace(after, fleet="")
        over = [name for name, one in self.failovers.items() if one.ended]
        for name in over[: max(len(self.failovers) - MOST_FAILOVERS, 0)]:
            del self.failovers[name]

    async def keep_up(self) -> None:
        """Read on until this is cancelled, and wake those who wait. A database that is away is tried again."""
        while True:
            try:
                changed = await asyncio.to_thread(self.catch_up)
                changed = changed or bool(self.problem)
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


def head_of(state: RolloutState, *, counted: bool = True) -> Head:
    """A rollout for lists; `counted`: its trials are as they ended."""
    states = Counter(trial.state for trial in state.trials.values()) if counted else {}
    return Head(state=replace(state, fleet="", trials={}), hosts=len(state.trials), states=states)
