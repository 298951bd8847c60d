"""How a plan is foreseen, in words and as JSON: how long it takes, and why a host's turn comes when it does."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from seatrial.model.fleet import Fleet
from seatrial.model.text import duration
from seatrial.rollout.forecast import Forecast, Spread
from seatrial.rollout.holding import what_holds

_GIVEN = "approvals given at once, no blocker in the way, every trial blessed"
# Hosts that are named; the rest is a number.
_NAMED = 6


def duration_document(ahead: Forecast) -> dict[str, Any]:
    """As JSON, in seconds."""
    return {
        "seconds": _spread(ahead.ends),
        "never": ahead.never or None,
        "runs": ahead.runs,
        "basis": ahead.basis,
        "assumed": _GIVEN,
    }


def duration_lines(ahead: Forecast, now: datetime) -> list[str]:
    """For people."""
    if ahead.ends is None:
        return [f"duration  it would not end: {ahead.never}", f"          {ahead.basis}"]
    ends = ahead.ends
    when = now + timedelta(seconds=ends.median)
    return [
        f"duration  {_told(ends)}: over at {when:%Y-%m-%d %H:%M} UTC if it began now",
        f"          {ahead.basis}; {_GIVEN}",
    ]


def explained_document(ahead: Forecast, fleet: Fleet, host: str, now: datetime) -> dict[str, Any]:
    """Why one host's turn comes when it does, as JSON; moments in seconds from the beginning."""
    turn = ahead.turn
    return {
        "host": host,
        "stage": fleet.hosts[host].stage,
        "wave": turn.wave if turn else None,
        "begins_seconds": _spread(turn.begins) if turn else None,
        "before": list(turn.before) if turn else [],
        "beside": list(turn.beside) if turn else [],
        "peers": list(fleet.peers_of(host)),
        "waits": [
            {"from_seconds": one.begin, "until_seconds": one.until, "because": one.because}
            for one in (turn.stood if turn else ())
        ],
        "would_hold": list(what_holds(fleet, host, now)),
    }


def explained_lines(ahead: Forecast, fleet: Fleet, host: str, now: datetime) -> list[str]:
    """The same for people; nothing without a host."""
    if not host:
        return []
    turn = ahead.turn
    if turn is None:
        head = [f"{host}   its turn never comes: {ahead.never or 'it is not in this plan'}"]
    else:
        when = now + timedelta(seconds=turn.begins.median)
        head = [
            f"{host}   stage {fleet.hosts[host].stage}, {turn.wave}: begins after {_told(turn.begins)},"
            f" at {when:%Y-%m-%d %H:%M} UTC if it all began now",
            f"  before it   {_names(turn.before)}",
            f"  beside it   {_names(turn.beside)}",
        ]
        head += [
            f"  waits       {duration(one.until - one.begin):<9} {one.because}" for one in turn.stood
        ] or ["  waits       for nothing"]
    holds = what_holds(fleet, host, now)
    return ["", *head, *(f"  {'would hold' if not n else '':<11} {one}" for n, one in enumerate(holds))]


def _told(spread: Spread) -> str:
    return f"{duration(spread.median)} ({duration(spread.low)} to {duration(spread.high)} in 8 of 10 runs)"


def _names(hosts: tuple[str, ...]) -> str:
    more = f" and {len(hosts) - _NAMED} more" if len(hosts) > _NAMED else ""
    return (", ".join(hosts[-_NAMED:]) + more) if hosts else "nobody"


def _spread(spread: Spread | None) -> dict[str, float] | None:
    if spread is None:
        return None
    return {"p10": round(spread.low, 1), "median": round(spread.median, 1), "p90": round(spread.high, 1)}
