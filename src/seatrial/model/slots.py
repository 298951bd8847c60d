"""Slots: who may reboot by itself, who did and is not proven yet, and what else keeps hosts away, folded from Events. Pure.

Every reader of the journal sees slots through this one door: servers, rollouts and the verb. Kinds and keys that are not
known here are passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from seatrial.model.event import Event, Kind
from seatrial.model.trial import FINAL, State

_T = TypeVar("_T")

SLOT_KINDS = (
    Kind.SLOT_GRANTED,
    Kind.SLOT_REFUSED,
    Kind.SLOT_WISHED,
    Kind.SLOT_UNPROVEN,
    Kind.SLOT_RELEASED,
)
# What is read to know who is away; a grant is written only when none of them has come since it was decided.
KINDS = (
    *SLOT_KINDS,
    Kind.TRIAL_BEGUN,
    Kind.TRIAL_MOVED,
    Kind.HOST_SKIPPED,
    Kind.ROLLOUT_ENDED,
    Kind.FAILOVER_STARTED,
    Kind.FAILOVER_ENDED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One host's slot. `wished` is when it said that it is back, None before; `because` is why it is not proven yet."""

    host: str
    group: str
    at: datetime
    seq: int
    wished: datetime | None = None
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """Who is away, as far as the journal says. `refused` is the last no to each host that has none since.

    `on_trial` names the rollout of each host on trial, `stuck` those that wait for a person, `moving` the failover of
    each group whose service moves.
    """

    slots: Mapping[str, Slot] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    on_trial: Mapping[str, str] = field(default_factory=dict)
    stuck: Mapping[str, str] = field(default_factory=dict)
    moving: Mapping[str, str] = field(default_factory=dict)
    last: int = 0


def fold_away(events: Iterable[Event], before: Away | None = None) -> Away:
    """What `events`, oldest first, add to what was known `before`."""
    away = before or Away()
    for event in events:
        away = replace(_after(away, event), last=event.seq)
    return away


def _after(away: Away, event: Event) -> Away:
    host, data = event.host, event.data
    match event.kind:
        case Kind.SLOT_GRANTED:
            slot = Slot(host=host, group=str(data.get("group", "")), at=event.at, seq=event.seq)
            return replace(away, slots={**away.slots, host: slot}, refused=_without(away.refused, host))
        case Kind.SLOT_REFUSED:
            return replace(away, refused={**away.refused, host: str(data.get("because", ""))})
        case Kind.SLOT_WISHED | Kind.SLOT_UNPROVEN if host in away.slots:
            slot = away.slots[host]
            wished = slot.wished or event.at
            because = str(data.get("because", "")) if event.kind == Kind.SLOT_UNPROVEN else ""
            return replace(
                away, slots={**away.slots, host: replace(slot, wished=wished, because=because, seq=event.seq)}
            )
        case Kind.SLOT_RELEASED:
            # Of a host that is stuck behind a trial it says that a person has seen to it.
            return replace(away, slots=_without(away.slots, host), stuck=_without(away.stuck, host))
        case Kind.TRIAL_BEGUN:
            return replace(away, on_trial={**away.on_trial, host: event.rollout})
        case Kind.TRIAL_MOVED:
            return _moved(away, event)
        case Kind.HOST_SKIPPED:
            return replace(away, stuck=_without(away.stuck, host))
        case Kind.ROLLOUT_ENDED:
            left = {host: rollout for host, rollout in away.on_trial.items() if rollout != event.rollout}
            return replace(away, on_trial=left)
        case Kind.FAILOVER_STARTED:
            return replace(away, moving={**away.moving, str(data.get("group", "")): event.rollout})
        case Kind.FAILOVER_ENDED:
            left = {group: name for group, name in away.moving.items() if name != event.rollout}
            return replace(away, moving=left)
    return away


def _moved(away: Away, event: Event) -> Away:
    host, to = event.host, State(event.data["to"])
    if to not in FINAL:
        return replace(away, on_trial={**away.on_trial, host: event.rollout})
    stuck = _without(away.stuck, host)
    if to is State.STUCK:
        stuck = {**stuck, host: event.rollout}
    return replace(away, on_trial=_without(away.on_trial, host), stuck=stuck)


def _without(some: Mapping[str, _T], key: str) -> Mapping[str, _T]:
    return {name: value for name, value in some.items() if name != key} if key in some else some
