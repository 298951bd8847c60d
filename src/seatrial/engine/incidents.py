"""Incidents that people open and close: while one is open, no rollout of the journal begins a trial.

What is in: the two wishes as Events, and which are open. What is not: incidents of another tool, which a blocker of the
fleet file asks about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from seatrial.errors import InputError, Refused
from seatrial.journal.leases import Holder
from seatrial.journal.store import Journal
from seatrial.model.event import Event, Kind

_KINDS = (Kind.INCIDENT_OPENED, Kind.INCIDENT_CLOSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One that is open: its name, who opened it when, why, and the ticket."""

    name: str
    at: datetime
    by: str
    why: str
    ticket: str

    @property
    def sentence(self) -> str:
        """What stands in the way, in words."""
        ticket = f" ({self.ticket})" if self.ticket else ""
        return f"incident {self.name} is open since {self.at:%Y-%m-%d %H:%M} UTC, by {self.by}{ticket}: {self.why}"


def _after(open_: Mapping[str, Incident], events: Iterable[Event]) -> dict[str, Incident]:
    found = dict(open_)
    for event in events:
        name = str(event.data.get("incident", ""))
        if event.kind == Kind.INCIDENT_CLOSED:
            found.pop(name, None)
        else:
            found[name] = Incident(
                name=name,
                at=event.at,
                by=event.by,
                why=str(event.data.get("why", "")),
                ticket=str(event.data.get("ticket", "")),
            )
    return found


def open_incidents(journal: Journal) -> tuple[Incident, ...]:
    """Those that nobody has closed, oldest first."""
    return tuple(_after({}, journal.read(kinds=_KINDS)).values())


class Incidents:
    """The same for whoever asks again and again: only what has come since the last time is read."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._seen = 0
        self._open: dict[str, Incident] = {}

    def standing(self, seen: int) -> tuple[str, ...]:
        """What stands in the way, in words; `seen` is a place up to which the journal was read before this call."""
        events = self._journal.read(after=self._seen, kinds=_KINDS)
        self._open = _after(self._open, events)
        self._seen = max(seen, self._seen, *(event.seq for event in events))
        return tuple(incident.sentence for incident in self._open.values())


def open_incident(journal: Journal, *, by: str, why: str, ticket: str = "") -> str:
    """Write down that something is going on, and return its name. Raises InputError without a reason."""
    if not why.strip():
        raise InputError("a reason is wanted, for those who wait", hint="--why 'the storage is slow'")
    me = Holder.here()
    journal.take_lease("incident", me)
    try:
        number = len(journal.read(kinds=(Kind.INCIDENT_OPENED,))) + 1
        data = {"incident": f"i{number}", "why": why, "ticket": ticket}
        journal.append(Kind.INCIDENT_OPENED, rollout="", by=by, data=data)
        return f"i{number}"
    finally:
        journal.drop_lease("incident", me)


def close_incident(journal: Journal, name: str, *, by: str, why: str = "") -> None:
    """Write down that it is over. Raises InputError for a name that was never given, Refused when it is closed."""
    known = {str(event.data.get("incident", "")) for event in journal.read(kinds=(Kind.INCIDENT_OPENED,))}
    still = ", ".join(one.name for one in open_incidents(journal))
    hint = f"open are: {still}" if still else "no incident is open"
    if name not in known:
        raise InputError(f"there is no incident {name!r}", hint=hint)
    if name not in still.split(", "):
        raise Refused(f"incident {name} is closed already", hint=hint)
    journal.append(Kind.INCIDENT_CLOSED, rollout="", by=by, data={"incident": name, "why": why})
