"""Failover: a service's move from one peer to another, as its Events tell it. It decides nothing.

What is in: the state that is folded from the Events of one failover. Kinds and keys that are not known are passed over.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from seatrial.model.event import Event, Kind
from seatrial.model.result import Outcome, worst


class Ending(enum.StrEnum):
    """How a failover ends. REFUSED and UNDONE changed nothing; BACK is served again where it was; STUCK wants a person."""

    MOVED = "moved"
    BACK = "back"
    REFUSED = "refused"
    UNDONE = "undone"
    STUCK = "stuck"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A round of Results: before anything was changed, or as the proof."""

    outcome: Outcome
    because: str
    hint: str
    results: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FailoverState:
    """Where a failover stands. `since` is when its present goal was set, or the latest deed was over; `intent` is a deed begun and not ended.

    `to`, `away` and `origin` are as in ha's Goal, `wanted` is where it was to go when it began, and
    `is_back` is set while it goes back; `turns` counts how often it was turned round, and `turned` says why it was at first. `tries`
    counts deeds that came to an end since the goal was set, well or not: one whose controller died does not count. `changed` says whether any deed was begun at all, `hurt` from when clients
    may have felt it. `proofs` counts the rounds of the proof since the goal was set.
    """

    id: str
    group: str = ""
    driver: str = ""
    trial: str = ""
    fleet: str = ""
    by: str = ""
    why: str = ""
    force: str = ""
    to: str = ""
    away: str = ""
    origin: str = ""
    wanted: str = ""
    is_back: bool = False
    turned: str = ""
    turns: int = 0
    started: datetime | None = None
    since: datetime | None = None
    intent: str = ""
    deed: str = ""
    tries: Mapping[str, int] = field(default_factory=dict)
    problem: str = ""
    hint: str = ""
    changed: bool = False
    hurt: datetime | None = None
    preflight: Asked | None = None
    proof: Asked | None = None
    proofs: int = 0
    ended: datetime | None = None
    outcome: str = ""
    because: str = ""
    end_hint: str = ""
    last: int = 0


def fold_failover(events: Iterable[Event], *, failover: str) -> FailoverState:
    """The state after `events`, which are those of one failover, oldest first."""
    state = FailoverState(id=failover)
    for event in events:
        state = advance_failover(state, event)
    return state


def advance_failover(state: FailoverState, event: Event) -> FailoverState:
    """The state after one more Event."""
    return replace(_apply(state, event), last=event.seq)


def _apply(state: FailoverState, event: Event) -> FailoverState:
    data = event.data
    match event.kind:
        case Kind.FAILOVER_STARTED:
            return _started(state, event)
        case Kind.RESULTS:
            return _asked(state, event)
        case Kind.FAILOVER_INTENT:
            deed = str(data["deed"])
            hurt = state.hurt or (event.at if data.get("hurts") else None)
            return replace(state, intent=deed, deed=deed, changed=True, hurt=hurt, proof=None, proofs=0)
        case Kind.FAILOVER_ACTED:
            return replace(state, intent="", problem="", hint="", tries=_counted(state, data), since=event.at)
        case Kind.FAILOVER_FAILED:
            problem, hint = str(data.get("problem", "")), str(data.get("hint", ""))
            return replace(
                state, intent="", problem=problem, hint=hint, tries=_counted(state, data), since=event.at
            )
        case Kind.FAILOVER_TURNED:
            return replace(
                state,
                to=str(data["to"]),
                away="",
                force="",
                is_back=not state.is_back,
                turned=state.turned or str(data.get("because", "")),
                turns=state.turns + 1,
                since=event.at,
                tries={},
                proof=None,
                proofs=0,
            )
        case Kind.FAILOVER_ENDED:
            return replace(
                state,
                ended=event.at,
                outcome=str(data.get("outcome", "")),
                because=str(data.get("because", "")),
                end_hint=str(data.get("hint", "")),
            )
    return state


def _counted(state: FailoverState, data: Mapping[str, Any]) -> Mapping[str, int]:
    deed = str(data["deed"])
    return {**state.tries, deed: state.tries.get(deed, 0) + 1}


def _started(state: FailoverState, event: Event) -> FailoverState:
    data = event.data
    return replace(
        state,
        group=str(data["group"]),
        away=str(data.get("away", "")),
        origin=str(data.get("origin", "")),
        by=event.by,
        driver=str(data.get("driver", "")),
        trial=str(data.get("trial", "")),
        fleet=str(data.get("fleet", "")),
        why=str(data.get("why", "")),
        force=str(data.get("force", "")),
        to=str(data.get("to", "")),
        wanted=str(data.get("to", "")),
        started=event.at,
        since=event.at,
    )


def _asked(state: FailoverState, event: Event) -> FailoverState:
    results = tuple(event.data.get("results", ()))
    outcome = worst(Outcome(result["outcome"]) for result in results)
    first: Mapping[str, Any] = next(
        (r for r in results if r["outcome"] == outcome and outcome is not Outcome.PASS), {}
    )
    because, hint = str(first.get("because", "")), str(first.get("hint", ""))
    asked = Asked(outcome=outcome, because=because, hint=hint, results=results)
    if event.data.get("purpose") == "preflight":
        return replace(state, preflight=asked)
    return replace(state, proof=asked, proofs=state.proofs + 1)
