"""A failover: the way, what was done step by step, for how long clients were without, who drives it, and the proof."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from seatrial.clock import Clock
from seatrial.errors import InputError
from seatrial.journal.leases import FAILOVER_LEASE
from seatrial.journal.store import Journal
from seatrial.model.event import Event, Kind
from seatrial.model.failover import Asked, Ending, FailoverState, fold_failover
from seatrial.model.result import Outcome
from seatrial.report.failover import document_of, narrate_failover
from seatrial.web.following import Following
from seatrial.web.views.words import line_shown, mark_shown, moment, outcome_shown, plain

MOST = 100
MOST_LINES = 150
_DONE = {Kind.FAILOVER_ACTED: "pass", Kind.FAILOVER_FAILED: "fail"}


def failovers(following: Following) -> dict[str, Any]:
    """The newest failovers, those under way first."""
    with following.lock:
        known = list(following.failovers.values())
    newest = sorted(known, key=lambda one: (one.ended is not None, -one.last))
    return {
        "failovers": [failover_line(one) for one in newest[:MOST]],
        "more": max(len(known) - MOST, 0),
        "problem": plain(following.problem),
        "seq": following.seq,
    }


def stuck_groups(failovers: Iterable[FailoverState]) -> list[FailoverState]:
    """The failovers that are stuck, each the newest one of its group: a later one says how the group stands."""
    newest = {one.group: one for one in failovers}
    return [one for one in newest.values() if one.outcome == Ending.STUCK]


def failover_line(state: FailoverState) -> dict[str, Any]:
    """One failover in a line."""
    return {
        "name": state.id,
        "group": plain(state.group),
        "from": plain(state.origin),
        "to": plain(state.to or state.wanted),
        "outcome": outcome_shown(state.outcome, "under way"),
        "because": plain(state.because or state.problem),
        "by": plain(state.by),
        "why": plain(state.why),
        "trial": plain(state.trial),
        "started": moment(state.started),
        "ended": moment(state.ended),
    }


def failover(following: Following, name: str, clock: Clock) -> dict[str, Any]:
    """Everything of a failover's page. Raises InputError and CouldNotAct."""
    events = following.journal.read(name) if name.startswith("f") else []
    state = fold_failover(events, failover=name)
    if state.started is None:
        known = ", ".join(list(following.failovers)[-5:]) or "none yet"
        raise InputError(f"there is no failover {plain(name)[:80]!r}", hint=f"the latest are: {known}")
    lines = narrate_failover(events, failover=name)
    told = document_of(state)
    return {
        "failover": failover_line(state)
        | {"driver": plain(told["driver"]), "force": plain(state.force), "seconds": told["seconds"]},
        "doing": plain(state.intent),
        "problem_of_deed": plain(state.problem),
        "hint": plain(state.end_hint or state.hint),
        "turned": plain(state.turned),
        "pause": _pause(state, events, clock),
        "controller": None if state.ended else _controller(following.journal, state.group),
        "deeds": _deeds(events),
        "asked": [
            _asked(word, one)
            for word, one in (("before", state.preflight), ("proof", state.proof))
            if one is not None
        ],
        "lines": [line_shown(line, name) for line in lines[-MOST_LINES:]],
        "problem": plain(following.problem),
        "seq": following.seq,
    }


def _pause(state: FailoverState, events: Sequence[Event], clock: Clock) -> dict[str, Any] | None:
    """From the first deed that clients may have felt to the first proof that they are served again."""
    if state.hurt is None:
        return None
    proven = next((one.at for one in events if one.at >= state.hurt and _proves(one)), None)
    until = proven or clock.now()
    return {
        "since": moment(state.hurt),
        "until": moment(proven),
        "seconds": round((until - state.hurt).total_seconds(), 1),
        "proven": proven is not None,
    }


def _proves(event: Event) -> bool:
    results = event.data.get("results", ())
    return (
        event.kind == Kind.RESULTS
        and event.data.get("purpose") == "proof"
        and bool(results)
        and all(one.get("outcome") == Outcome.PASS for one in results)
    )


def _controller(journal: Journal, group: str) -> dict[str, Any]:
    holder = journal.lease_holder(FAILOVER_LEASE + group)
    if holder is None:
        return {
            "lives": False,
            "says": f"nobody drives it: seatrial failover {plain(group)} --resume goes on",
        }
    return {"lives": True, "says": plain(f"process {holder.pid} on {holder.machine.split()[0]} has its lock")}


def _deeds(events: Sequence[Event]) -> list[dict[str, Any]]:
    """Each deed with its steps, in the order in which they were begun."""
    deeds: list[dict[str, Any]] = []
    for event in events:
        data = event.data
        if event.kind == Kind.FAILOVER_INTENT:
            deeds.append(
                {
                    "deed": plain(data.get("deed", "")),
                    "on": [plain(one) for one in data.get("on", ())],
                    "because": plain(data.get("because", "")),
                    "hurts": bool(data.get("hurts")),
                    "begun": moment(event.at),
                    "seconds": None,
                    "outcome": {"word": "under way", "mark": "●", "tone": "busy"},
                    "problem": "",
                    "steps": [],
                }
            )
        elif event.kind in _DONE and deeds:
            deeds[-1] |= {
                "seconds": data.get("seconds"),
                "outcome": mark_shown(_DONE[Kind(event.kind)]),
                "problem": plain(data.get("problem", "")),
                "steps": _steps(data.get("steps", {})),
            }
    return deeds


def _steps(steps: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "place": plain(place),
            "name": plain(one.get("name", "")),
            "seconds": float(one.get("ms", 0)) / 1000,
            "outcome": mark_shown("fail" if one.get("status") else "pass"),
            "said": plain(one.get("said", ""))[:400],
        }
        for place, some in steps.items()
        for one in some
    ]


def _asked(word: str, asked: Asked) -> dict[str, Any]:
    return {
        "purpose": word,
        "outcome": mark_shown(str(asked.outcome)),
        "results": [
            {
                "check": plain(one.get("check", "")),
                "outcome": mark_shown(str(one.get("outcome", "unknown"))),
                "because": plain(one.get("because", "")),
                "hint": plain(one.get("hint", "")),
            }
            for one in asked.results
        ],
    }
