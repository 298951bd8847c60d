"""What finished trials have taught about kernels. Pure: Events of all rollouts in, verdicts out.

A kernel is bad for a role when a trial of a host with that role failed or the candidate died, and no later trial of
that role blessed it. A trial that was aborted, or that ended without anybody knowing, teaches nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from seatrial.model.event import Event, Kind
from seatrial.model.trial import State


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelVerdict:
    """What is known of one kernel for one role, and from which trial."""

    kernel: str
    role: str
    good: bool
    because: str
    rollout: str
    host: str
    at: datetime


def remembered(events: Iterable[Event]) -> dict[tuple[str, str], KernelVerdict]:
    """The newest verdict for each (kernel, role). `events` are those of all rollouts, oldest first."""
    started: dict[str, Event] = {}
    verdicts: dict[tuple[str, str], KernelVerdict] = {}
    for event in events:
        if event.kind == Kind.ROLLOUT_STARTED:
            started[event.rollout] = event
        if event.kind != Kind.TRIAL_MOVED or event.rollout not in started:
            continue
        if event.data["to"] == State.REVERTING:
            if event.data.get("facts", {}).get("cause") not in ("failed", "died"):
                continue
        elif event.data["to"] != State.BLESSED:
            continue
        first = started[event.rollout]
        for role in first.data.get("roles", {}).get(event.host, ()):
            verdicts[(str(first.data["candidate"]), role)] = KernelVerdict(
                kernel=str(first.data["candidate"]),
                role=role,
                good=event.data["to"] == State.BLESSED,
                because=str(event.data.get("because", "")),
                rollout=event.rollout,
                host=event.host,
                at=event.at,
            )
    return verdicts
