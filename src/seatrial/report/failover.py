"""A failover's Events as lines that a person follows, one a step. Pure: no colour, no terminal, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from seatrial.model.event import Event, Kind
from seatrial.model.failover import Ending, FailoverState, advance_failover
from seatrial.model.result import Outcome
from seatrial.report.narrate import Line

_MARKS = {Ending.MOVED: "ok", Ending.BACK: "FAIL", Ending.STUCK: "FAIL"}


class FailoverNarrator:
    """Makes lines of the Events of one failover, fed in order."""

    def __init__(self, failover: str) -> None:
        self.state = FailoverState(id=failover)

    def feed(self, event: Event) -> list[Line]:
        """The lines that this Event adds."""
        before = self.state
        self.state = advance_failover(before, event)
        line = _line(event, before, self.state)
        return [] if line is None else [line]


def narrate_failover(events: Iterable[Event], *, failover: str) -> list[Line]:
    """All lines of a failover."""
    narrator = FailoverNarrator(failover)
    return [line for event in events for line in narrator.feed(event)]


def document_of(state: FailoverState) -> dict[str, Any]:
    """Where a failover stands, for programs."""
    ended = state.ended and state.started and (state.ended - state.started).total_seconds()
    return {
        "failover": state.id,
        "group": state.group,
        "driver": state.driver,
        "from": state.origin or None,
        "to": state.to,
        "by": state.by,
        "why": state.why,
        "force": state.force,
        "trial": state.trial or None,
        "started": state.started,
        "ended": state.ended,
        "outcome": state.outcome or None,
        "because": state.because,
        "hint": state.end_hint,
        "seconds": ended,
    }


def _line(event: Event, before: FailoverState, state: FailoverState) -> Line | None:
    data = event.data
    match event.kind:
        case Kind.FAILOVER_STARTED:
            way = f"from {state.origin or 'nobody'} to {state.to or 'any other'}"
            text = f"{state.group}   {way}   {state.driver}   by {event.by}"
            text += f', "{state.why}"' if state.why else ""
            return Line(at=event.at, step=f"failover {state.id}", text=text)
        case Kind.RESULTS:
            return _asked(event)
        case Kind.FAILOVER_ACTED:
            return Line(
                at=event.at,
                step=f"  {data['deed']}",
                text=_because(before) + _steps(data.get("steps", {})),
                mark="ok",
                seconds=float(data.get("seconds", 0.0)),
            )
        case Kind.FAILOVER_FAILED:
            return Line(
                at=event.at,
                step=f"  {data['deed']}",
                text=str(data.get("problem", "")) + _steps(data.get("steps", {})),
                mark="FAIL",
                seconds=float(data.get("seconds", 0.0)),
                detail=_hint(data),
            )
        case Kind.FAILOVER_TURNED:
            text = f"back to {data['to']}: {data.get('because', '')}"
            return Line(at=event.at, step="  turned", text=text, detail=_hint(data))
        case Kind.FAILOVER_ENDED:
            return _ended(event, state)
    return None


def _asked(event: Event) -> Line:
    results = event.data.get("results", ())
    bad = [one for one in results if one["outcome"] != Outcome.PASS]
    first = bad[0] if bad else {}
    worst = Outcome.FAIL if any(one["outcome"] == Outcome.FAIL for one in bad) else Outcome.UNKNOWN
    details = [f"{one['because']}" + (f" (hint: {one['hint']})" if one.get("hint") else "") for one in bad]
    text = f"{len(results) - len(bad)} of {len(results)} pass"
    return Line(
        at=event.at,
        step=f"  {event.data.get('purpose', '')}",
        text=text,
        mark=("FAIL" if worst is Outcome.FAIL else "UNKNOWN") if first else "ok",
        detail=tuple(details),
    )


def _because(before: FailoverState) -> str:
    return f"towards {before.to}" if before.to else ""


def _steps(steps: Mapping[str, Any]) -> str:
    told = [
        f"{place}: "
        + ", ".join(
            f"{one['name']} {int(one['ms']) / 1000:.1f}"
            for one in some
            if int(one["ms"]) >= 100 or one["status"]
        )
        for place, some in steps.items()
        if some
    ]
    return f"   ({'; '.join(told)} s)" if told else ""


def _hint(data: Mapping[str, Any]) -> tuple[str, ...]:
    return (f"hint: {data['hint']}",) if data.get("hint") else ()


def _ended(event: Event, state: FailoverState) -> Line:
    outcome = str(event.data.get("outcome", ""))
    seconds = (event.at - state.started).total_seconds() if state.started else None
    mark = _MARKS.get(Ending(outcome), "UNKNOWN") if outcome in set(Ending) else ""
    text = f"{outcome}: {event.data.get('because', '')}"
    step = f"failover {state.id}"
    return Line(at=event.at, step=step, text=text, mark=mark, seconds=seconds, detail=_hint(event.data))
