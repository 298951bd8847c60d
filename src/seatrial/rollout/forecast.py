"""When a rollout would be over, and when one host's turn comes and why: the course itself, run ahead on paper. Pure.

Each run asks the same rules that a rollout goes by, with trials that take as long as they are drawn to, and all end
blessed; time jumps from one end to the next, over windows and freezes. The dice have a fixed seed. What is not in: people's
approvals, which are taken as given at once, blockers, which are taken not to stand in the way, and failures.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import heappop, heappush

from seatrial.model.fleet import Fleet
from seatrial.model.fold import Approval, RolloutState, TrialState
from seatrial.model.trial import State
from seatrial.model.trials import Trials
from seatrial.rollout.course import (
    AskBlockers,
    AskCarriers,
    Begin,
    End,
    Facts,
    Hold,
    OpenGate,
    Survey,
    next_step,
    why_not,
)
from seatrial.rollout.lengths import Lengths
from seatrial.rollout.tally import Tally

SEED = 2021
MOST_RUNS, LEAST_RUNS = 100, 5
# Trials that are run ahead in all, so that ten thousand hosts do not take minutes.
MOST_TRIALS = 4_000
# How often it is asked what stands in a host's way, at most: the answer looks at all hosts of its stage.
MOST_ASKED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Seconds from the beginning: in half of the runs no more than `median`, in eight of ten between the others."""

    low: float
    median: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stood:
    """What stood in one host's way, from when until when, in seconds from the beginning."""

    begin: float
    until: float
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """When one host's trial begins, in which wave, and what comes before that in a run in which all takes as long as usual."""

    host: str
    wave: str
    begins: Spread
    before: tuple[str, ...]
    beside: tuple[str, ...]
    stood: tuple[Stood, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """When it is over; `never` says what it would wait for without an end. `turn` is that of the host that was asked for."""

    runs: int
    basis: str
    ends: Spread | None
    never: str = ""
    turn: Turn | None = None


@dataclass(slots=True, kw_only=True)
class _Run:
    """One way that it may go."""

    fleet: Fleet
    carriers: Mapping[str, frozenset[str] | None]
    begin: datetime
    state: RolloutState
    length: Callable[[str], float]
    watched: str = ""
    down: tuple[str, ...] = ()
    now: datetime = field(init=False)
    tally: Tally = field(init=False)
    never: str = ""
    begun: dict[str, float] = field(default_factory=dict)
    waves: dict[str, str] = field(default_factory=dict)
    beside: tuple[str, ...] = ()
    stood: list[tuple[float, str]] = field(default_factory=list)
    _ends: list[tuple[datetime, str]] = field(default_factory=list)
    _asked: int = 0

    def __post_init__(self) -> None:
        self.now = self.begin
        self.tally = Tally(self.fleet, self.state.trials)

    @property
    def passed(self) -> float:
        return (self.now - self.begin).total_seconds()

    def go(self) -> None:
        """Go on until it is over, or would never be."""
        while True:
            facts = Facts(now=self.now, carriers=self.carriers, blockers=())
            step = next_step(self.state, self.tally, self.fleet, facts)
            self._look(facts)
            match step:
                case End():
                    return
                case Begin():
                    for start in step.starts:
                        self._start(start.host, start.wave)
                    if self.watched in (start.host for start in step.starts):
                        self.beside = tuple(host for host in self.tally.under_way if host != self.watched)
                case OpenGate():
                    self.state = replace(self.state, gates=self.state.gates | {step.stage})
                case Survey():
                    self.state = replace(self.state, surveyed=self.now, down=frozenset(self.down))
                    self.tally.now_down(self.state.down)
                case Hold() if not self._waited(step):
                    self.never = step.because
                    return
                case AskCarriers() | AskBlockers():
                    raise ValueError("everything was told")

    def _waited(self, hold: Hold) -> bool:
        """Let time pass until something may be another matter; False when nothing ever will."""
        if self._ends and (hold.opens is None or self._ends[0][0] <= hold.opens):
            self.now, host = heappop(self._ends)
            self._put(replace(self.state.trials[host], state=State.BLESSED, since=self.now))
            return True
        if hold.opens is None or hold.opens <= self.now:
            return False
        self.now = hold.opens
        return True

    def _start(self, host: str, wave: str) -> None:
        self._put(replace(self.state.trials[host], begun=self.now, wave=wave))
        self.begun[host], self.waves[host] = self.passed, wave
        heappush(self._ends, (self.now + timedelta(seconds=self.length(host)), host))

    def _put(self, after: TrialState) -> None:
        before = self.state.trials[after.host]
        assert isinstance(self.state.trials, Trials)
        self.state = replace(self.state, trials=self.state.trials.put(after))
        self.tally.follow(before, after)

    def _look(self, facts: Facts) -> None:
        """Write down what stands in the way of the host that is watched."""
        if not self.watched or self.watched in self.begun:
            return
        self._asked += 1
        if self._asked % max(1, 2 * len(self.state.trials) // MOST_ASKED):
            return
        found = why_not(self.state, self.tally, self.fleet, facts, self.watched)
        because = found[0] if found else "nothing any more"
        # The same reason with other figures is the same reason.
        if not self.stood or _plain(self.stood[-1][1]) != _plain(because):
            self.stood.append((self.passed, because))


def _plain(because: str) -> str:
    return re.sub(r"\d+ \w+", "", because)


def forecast(
    fleet: Fleet,
    lengths: Lengths,
    *,
    hosts: tuple[str, ...],
    begin: datetime,
    carriers: Mapping[str, frozenset[str] | None] | None = None,
    down: tuple[str, ...] = (),
    explain: str = "",
) -> Forecast:
    """Run it ahead from `begin` on, often enough for its spread; `explain` is the host whose turn is told."""
    known = {name: (carriers or {}).get(name) for name in fleet.groups}
    state = _begun(fleet, hosts, begin)

    def run(length: Callable[[str], float], watched: str = "") -> _Run:
        one = _Run(
            fleet=fleet, carriers=known, begin=begin, state=state, length=length, watched=watched, down=down
        )
        one.go()
        return one

    usual = run(lengths.usual, explain)
    if usual.never:
        turn = _turn(explain, usual, [usual]) if explain in usual.begun else None
        return Forecast(runs=1, basis=lengths.basis, ends=None, never=usual.never, turn=turn)
    dice = random.Random(SEED)  # noqa: S311 - a forecast, and the same each time
    number = max(LEAST_RUNS, min(MOST_RUNS, MOST_TRIALS // max(1, len(hosts))))
    runs = [run(lambda host: lengths.drawn(host, dice)) for _ in range(number)]
    ends = _spread([one.passed for one in runs])
    turn = _turn(explain, usual, runs) if explain in usual.begun else None
    return Forecast(runs=number, basis=lengths.basis, ends=ends, turn=turn)


def _begun(fleet: Fleet, hosts: tuple[str, ...], begin: datetime) -> RolloutState:
    given = tuple(
        Approval(stage=stage.name, by="", why="taken as given", ticket="", at=begin)
        for stage in fleet.stages
        if stage.gate == "approval"
    )
    trials = Trials.of({host: TrialState(host=host, since=begin) for host in hosts})
    return RolloutState(id="plan", started=begin, trials=trials, approvals=given)


def _spread(values: list[float]) -> Spread:
    ordered = sorted(values)

    def at(share: float) -> float:
        return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]

    return Spread(low=at(0.1), median=at(0.5), high=at(0.9))


def _turn(host: str, usual: _Run, runs: list[_Run]) -> Turn:
    mine = usual.begun[host]
    until = [moment for moment, _ in usual.stood[1:]] + [mine]
    return Turn(
        host=host,
        wave=usual.waves[host],
        begins=_spread([one.begun[host] for one in runs]),
        before=tuple(other for other, when in usual.begun.items() if when < mine),
        beside=usual.beside,
        stood=tuple(
            Stood(begin=begin, until=end, because=because)
            for (begin, because), end in zip(usual.stood, until, strict=True)
            if end > begin
        ),
    )
