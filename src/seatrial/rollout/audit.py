"""Audit: does the journal of a rollout show that its promises were kept? Pure: Events in, broken promises out.

It is told by the Events alone, by other rules than those that made them, so that a rehearsal, a run of random faults and
a rollout with many controllers can be held to the same. What is not in: whether the kernel was any good.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from seatrial.model.event import Event, Kind
from seatrial.model.fleet import Fleet
from seatrial.model.result import Outcome, worst
from seatrial.model.trial import FINAL, State


@dataclass(slots=True, kw_only=True)
class _Proof:
    """What one host's boot of the candidate has shown, by boot id; the newest round counts."""

    boot: str = ""
    shown: dict[str, Outcome] = field(default_factory=dict)
    asked: bool = False


@dataclass(slots=True, kw_only=True)
class Audit:
    """What was counted so far. `most` is how many hosts of each budget's value were away at once, at most."""

    fleet: Fleet
    forced: set[str] = field(default_factory=set)
    down: frozenset[str] = frozenset()
    over: bool = False
    broken: list[str] = field(default_factory=list)
    under_way: dict[str, None] = field(default_factory=dict)
    most_at_once: int = 0
    most_away: Counter[tuple[str, str]] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    _stuck: set[str] = field(default_factory=set)
    _sizes: Counter[tuple[str, str]] = field(default_factory=Counter)
    _proofs: dict[str, _Proof] = field(default_factory=dict)
    _armed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._sizes = Counter(key for host in self.fleet.hosts for key in self._keys(host))

    def follow(self, event: Event) -> None:
        """One more Event."""
        host, data = event.host, event.data
        match event.kind:
            case Kind.FLEET_SURVEYED:
                self.down = frozenset(data.get("down", ()))
            case Kind.ROLLOUT_ENDED:
                self.over = True
            case Kind.HOST_FORCED:
                self.forced.add(host)
            case Kind.HOST_SKIPPED:
                self._stuck.discard(host)
            case Kind.TRIAL_BEGUN:
                self._begun(event)
            case Kind.TRIAL_INTENT if data.get("act") in ("reboot", "bless"):
                if host not in self._armed:
                    self._no(event, f"was to {data['act']} without a guard")
                proof = self._proofs.setdefault(host, _Proof())
                if data["act"] == "bless" and proof.shown.get(proof.boot) is not Outcome.PASS:
                    self._no(event, "was to be blessed without evidence of this boot")
                proof.asked |= data["act"] == "bless"
            case Kind.RESULTS if data.get("purpose") in ("exercise", "soak"):
                outcome = worst(Outcome(result["outcome"]) for result in data.get("results", ()))
                self._proofs.setdefault(host, _Proof()).shown[str(data.get("boot_id"))] = outcome
            case Kind.TRIAL_MOVED:
                self._moved(event)

    def close(self) -> None:
        """There are no more Events."""
        if self.over and self.under_way:
            self.broken.append(f"it ended while {', '.join(self.under_way)} were on trial")
        for host, times in self.ended.items():
            if times != 1:
                self.broken.append(f"{host} ended {times} times")

    def _no(self, event: Event, what: str) -> None:
        self.broken.append(f"event {event.seq}: {event.host} {what}")

    def _begun(self, event: Event) -> None:
        host, fleet = event.host, self.fleet
        if host in self.under_way or self.ended[host]:
            self._no(event, "was begun twice")
        group = fleet.group_of(host)
        peer = next((one for one in self.under_way if group and fleet.group_of(one) == group), None)
        if peer is not None:
            self._no(event, f"was begun while its peer {peer} was on trial")
        self.under_way[host] = None
        self.most_at_once = max(self.most_at_once, len(self.under_way))
        forced = host in self.forced
        if len(self.under_way) > fleet.rollout.at_once and not forced:
            self._no(
                event,
                f"was begun as one of {len(self.under_way)}, and {fleet.rollout.at_once} may be at once",
            )
        if fleet.rollout.budgets and not forced:
            self._budgets(event)

    def _budgets(self, event: Event) -> None:
        away = self.down | self._stuck | self.under_way.keys()
        for budget in self.fleet.rollout.budgets:
            for key in self._keys(event.host):
                if key[0] != budget.per or (budget.only and key[1] not in budget.only):
                    continue
                number = sum(1 for host in away if key in self._keys(host))
                self.most_away[key] = max(self.most_away[key], number)
                if number > budget.limit(self._sizes[key]):
                    self._no(
                        event,
                        f"made {number} of {key[0]} {key[1]} away, and {budget.limit(self._sizes[key])} may be",
                    )

    def _moved(self, event: Event) -> None:
        host, to = event.host, State(event.data["to"])
        proof = self._proofs.setdefault(host, _Proof())
        proof.boot = str(event.data.get("facts", {}).get("trial_boot_id", proof.boot))
        if to is State.ARMED:
            self._armed.add(host)
        if to is State.BLESSED and not (proof.asked and proof.shown.get(proof.boot) is Outcome.PASS):
            self._no(event, "was blessed without evidence of this boot")
        if to in FINAL:
            self.ended[host] += 1
            self.under_way.pop(host, None)
            del self._proofs[host]
        if to is State.STUCK:
            self._stuck.add(host)

    def _keys(self, host: str) -> tuple[tuple[str, str], ...]:
        declared = self.fleet.hosts.get(host)
        if declared is None:
            return ()
        return (
            *(("role", role) for role in declared.roles),
            *((("site", declared.site),) if declared.site else ()),
            *((("rack", declared.rack),) if declared.rack else ()),
        )


def audit(events: Iterable[Event], fleet: Fleet) -> Audit:
    """All that these Events of one rollout show, oldest first."""
    made = Audit(fleet=fleet)
    for event in events:
        made.follow(event)
    made.close()
    return made
