"""Tally: how many trials of a rollout are left, under way and over, by stage, peers and budget. Pure, kept up event by event.

It holds nothing that the folded trials do not say; it is there so that a course over ten thousand hosts need not count
them all for every step. What is not in: any rule.
"""

from __future__ import annotations

import enum
from bisect import insort
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from seatrial.model.fleet import Fleet
from seatrial.model.pace import Budget
from seatrial.model.trial import State
from seatrial.model.trialstate import TrialState

Key = tuple[str, str]


class Phase(enum.StrEnum):
    """How a trial counts."""

    LEFT = "left"
    UNDER_WAY = "under way"
    BLESSED = "blessed"
    FAILED = "failed"
    SKIPPED = "skipped"


def phase_of(trial: TrialState) -> Phase:
    """How it counts now."""
    if trial.skipped:
        return Phase.SKIPPED
    if trial.over:
        return Phase.BLESSED if trial.state is State.BLESSED else Phase.FAILED
    return Phase.UNDER_WAY if trial.under_way else Phase.LEFT


def keys_of(fleet: Fleet, host: str) -> tuple[Key, ...]:
    """What a host counts for in budgets."""
    declared = fleet.hosts[host]
    keys = [("role", role) for role in declared.roles]
    keys += [("site", declared.site)] if declared.site else []
    keys += [("rack", declared.rack)] if declared.rack else []
    return tuple(keys)


@dataclass(slots=True, kw_only=True)
class StageTally:
    """One stage. `left` has peers by what the host of them that may be next counts for, each kind in the order of the rollout.

    Those of a kind stand or fall together. Peers of which another than the first may be next, since traffic can be moved
    between them, are in each kind that one of them is of.
    """

    left: dict[tuple[Key, ...], list[tuple[int, str]]] = field(default_factory=dict)
    number_left: int = 0
    under_way: int = 0
    blessed: int = 0
    failed: int = 0
    skipped: int = 0

    @property
    def ended(self) -> int:
        """Trials that were begun and are over."""
        return self.blessed + self.failed

    @property
    def begun(self) -> int:
        """Trials that were begun."""
        return self.ended + self.under_way


class Tally:
    """The counts of one rollout of `fleet`."""

    def __init__(self, fleet: Fleet, trials: Mapping[str, TrialState]) -> None:
        self._fleet = fleet
        self._keys = {host: keys_of(fleet, host) for host in fleet.hosts}
        # A budget that is a share is one of all hosts of the fleet, in the rollout or not.
        self.sizes = Counter(key for keys in self._keys.values() for key in keys)
        self.stages = {stage.name: StageTally() for stage in fleet.stages}
        self.under_way: dict[str, None] = {}
        self.failed: list[str] = []
        self.blessed = 0
        self.forced: dict[str, None] = {}
        # Hosts that wait for a person: away, and their peers are not touched until somebody has seen to them.
        self.stuck: dict[str, None] = {}
        self._busy: Counter[str] = Counter()
        self._left_of: dict[str, dict[str, None]] = {}
        self._blessed_of: dict[str, frozenset[str]] = {}
        self._away_hosts: set[str] = set()
        self._away: Counter[Key] = Counter()
        self._down: frozenset[str] = frozenset()
        # Hosts that reboot by themselves: away like those that are down, and never beside a trial of a peer.
        self._rebooting: frozenset[str] = frozenset()
        self._down_of: Counter[Key] = Counter()
        self.place = {host: number for number, host in enumerate(trials)}
        for trial in trials.values():
            if trial.host in fleet.hosts:
                self._enter(trial, phase_of(trial))

    def follow(self, before: TrialState, after: TrialState) -> None:
        """Count what became of one trial."""
        if after.host not in self._fleet.hosts:
            return
        was, now = phase_of(before), phase_of(after)
        if after.seen_to and not before.seen_to and after.host in self.stuck:
            del self.stuck[after.host]
            self._comes(after.host)
        if after.forced and now is Phase.LEFT:
            self.forced[after.host] = None
        if was is not now:
            self._leave(after.host, was)
            self._enter(after, now)

    def now_down(self, down: frozenset[str]) -> None:
        """Count which hosts do not answer."""
        if down != self._down:
            self._down = down
            self._count_down()

    def now_rebooting(self, hosts: frozenset[str]) -> None:
        """Count which hosts have a slot of FleetLock."""
        if hosts != self._rebooting:
            self._rebooting = hosts
            self._count_down()

    def _is_down(self, host: str) -> bool:
        return host in self._down or host in self._rebooting

    def _count_down(self) -> None:
        # Who is on trial does not answer for a while, and counts once.
        others = (self._down | self._rebooting) - self._away_hosts
        self._down_of = Counter(key for host in others for key in self._keys.get(host, ()))

    def peers(self, host: str) -> str:
        """The name of what a host shares with its peers: its group, or itself."""
        return self._fleet.group_of(host) or host

    def is_busy(self, peers: str) -> bool:
        """Whether one of these peers is on trial, or waits for a person behind one."""
        return self._busy[peers] > 0

    def down_peer(self, host: str) -> str:
        """A peer that is down for another reason, "" when none is known to be."""
        if not self._down:
            return ""
        return next((peer for peer in self._fleet.peers_of(host) if peer in self._down), "")

    def rebooting(self, host: str) -> str:
        """The host itself or a peer of it that reboots by itself, "" when none does."""
        if not self._rebooting:
            return ""
        return next((one for one in (host, *self._fleet.peers_of(host)) if one in self._rebooting), "")

    def away(self, key: Key) -> int:
        """Hosts of a role, site or rack that are away: on trial, stuck behind one, or down for another reason."""
        return self._away[key] + self._down_of[key]

    def full(self, budgets: Iterable[Budget], keys: tuple[Key, ...], more: Mapping[Key, int]) -> str:
        """The budget that has no room for one more host of these keys, in words; "" when all have.

        `more` are hosts that are about to be away.
        """
        for budget in budgets:
            for key in keys:
                kind, value = key
                if kind != budget.per or (budget.only and value not in budget.only):
                    continue
                away, limit = self.away(key) + more.get(key, 0), budget.limit(self.sizes[key])
                if away >= limit:
                    return f"{away} of {self.sizes[key]} hosts of {kind} {value} are away, and {limit} may be"
        return ""

    def keys(self, host: str) -> tuple[Key, ...]:
        """What a host counts for."""
        return self._keys[host]

    def left_of(self, peers: str) -> tuple[str, ...]:
        """The hosts of these peers that have not begun, in the order of the rollout."""
        return tuple(self._left_of.get(peers, ()))

    def blessed_of(self, peers: str) -> frozenset[str]:
        """The hosts of these peers whose trials were blessed. It is asked with every turn, so it is kept and not looked for."""
        return self._blessed_of.get(peers, frozenset())

    def idle(self, stage: str) -> Iterator[tuple[tuple[Key, ...], Iterator[tuple[int, str]]]]:
        """The peers of a stage of which one might begin and the place of their first host, by what may be next of them."""
        busy = self._busy
        for keys, in_order in self.stages[stage].left.items():
            yield keys, (one for one in in_order if not busy[one[1]])

    def _places(self, stage: str, peers: str) -> set[tuple[tuple[Key, ...], int]]:
        """Where these peers stand in the stage: kinds, and the place of their first host."""
        left = (host for host in self._left_of.get(peers, ()) if self._fleet.hosts[host].stage == stage)
        first = next(left, None)
        if first is None:
            return set()
        candidates = (first, *left) if self._fleet.relieves(first) else (first,)
        return {(self._keys[host], self.place[first]) for host in candidates}

    def _stands(self, stage: str, peers: str, before: set[tuple[tuple[Key, ...], int]]) -> None:
        """Put these peers where they stand now, and no longer where they stood `before`."""
        kinds, now = self.stages[stage].left, self._places(stage, peers)
        for keys, place in before - now:
            kinds[keys].remove((place, peers))
            if not kinds[keys]:
                del kinds[keys]
        for keys, place in now - before:
            insort(kinds.setdefault(keys, []), (place, peers))

    def _enter(self, trial: TrialState, phase: Phase) -> None:
        host = trial.host
        name, peers = self._fleet.hosts[host].stage, self.peers(host)
        stage = self.stages[name]
        match phase:
            case Phase.LEFT:
                before = self._places(name, peers)
                self._left_of.setdefault(peers, {})[host] = None
                self._stands(name, peers, before)
                stage.number_left += 1
                if trial.forced:
                    self.forced[host] = None
            case Phase.UNDER_WAY:
                stage.under_way += 1
                self.under_way[host] = None
                self._goes(host, peers)
            case Phase.BLESSED:
                stage.blessed += 1
                self.blessed += 1
                self._blessed_of[peers] = self.blessed_of(peers) | {host}
            case Phase.FAILED:
                stage.failed += 1
                self.failed.append(host)
                if trial.state is State.STUCK and not trial.seen_to:
                    self.stuck[host] = None
                    self._goes(host, peers)
            case Phase.SKIPPED:
                stage.skipped += 1

    def _leave(self, host: str, phase: Phase) -> None:
        name, peers = self._fleet.hosts[host].stage, self.peers(host)
        stage = self.stages[name]
        match phase:
            case Phase.LEFT:
                before = self._places(name, peers)
                del self._left_of[peers][host]
                self._stands(name, peers, before)
                stage.number_left -= 1
                self.forced.pop(host, None)
            case Phase.UNDER_WAY:
                stage.under_way -= 1
                del self.under_way[host]
                self._comes(host)
            case Phase.BLESSED | Phase.FAILED | Phase.SKIPPED:
                raise ValueError(f"the trial of {host} was over and goes on")

    def _goes(self, host: str, peers: str) -> None:
        self._busy[peers] += 1
        self._away.update(self._keys[host])
        self._away_hosts.add(host)
        if self._is_down(host):
            self._down_of.subtract(self._keys[host])

    def _comes(self, host: str) -> None:
        self._busy[self.peers(host)] -= 1
        self._away.subtract(self._keys[host])
        self._away_hosts.discard(host)
        if self._is_down(host):
            self._down_of.update(self._keys[host])
