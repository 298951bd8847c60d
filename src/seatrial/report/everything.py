"""Lines of all that a journal has, whichever rollout or failover it belongs to, and what people wrote beside it. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from seatrial.model.event import Event, Kind
from seatrial.report.failover import FailoverNarrator
from seatrial.report.narrate import Line, Narrator


def everything(events: Iterable[Event]) -> list[Line]:
    """All lines, in the order of the journal. `events` are those of all rollouts, oldest first."""
    narrators: dict[str, Narrator | FailoverNarrator] = {}
    lines: list[Line] = []
    for event in events:
        if not event.rollout:
            if event.kind == Kind.NOTE:
                lines.append(
                    Line(at=event.at, step="note", text=f"{event.data.get('text', '')} ({event.by})")
                )
            continue
        narrator = narrators.get(event.rollout)
        if narrator is None and event.kind == Kind.FAILOVER_STARTED:
            narrator = narrators[event.rollout] = FailoverNarrator(event.rollout)
        elif narrator is None and event.kind == Kind.ROLLOUT_STARTED:
            narrator = narrators[event.rollout] = Narrator(event.rollout)
        # What else has a name of its own (a bisection) tells of itself.
        lines += narrator.feed(event) if narrator is not None else []
    return lines
