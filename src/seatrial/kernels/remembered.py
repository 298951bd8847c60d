"""What finished trials have taught about kernels. Pure: Events of all rollouts in, verdicts out.

A kernel is bad for a role when a trial of a host with that role failed or the candidate died, and no later trial of
that role blessed it; or when a person marked it so, or another team's signed file says so. A trial that was aborted,
or that ended without anybody knowing, teaches nothing. What others found good lifts no verdict of one's own: it was
not this fleet's traffic.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from seatrial.kernels.record import is_verdict
from seatrial.model.event import Event, Kind
from seatrial.model.trial import State

# The kinds of Events that are read here.
KINDS = (
    Kind.ROLLOUT_STARTED,
    Kind.TRIAL_MOVED,
    Kind.KERNEL_MARKED,
    Kind.KERNELS_IMPORTED,
    Kind.KERNEL_OVERRIDDEN,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A person's word that a kernel may be tried all the same, until a time; `roles` is empty for all."""

    kernel: str
    roles: tuple[str, ...]
    by: str
    why: str
    at: datetime
    until: datetime

    def holds(self, now: datetime) -> bool:
        """Whether it has not ended yet."""
        return now < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelVerdict:
    """What is known of one kernel for one role, and from which trial.

    `source` is who signed the file that it came from, "" for one's own; `by` is the person who marked it, "" for a
    trial. `record` has package, good, hardware, checks and evidence where they were written down. `override` is the
    newest one that speaks of it, also when it has ended.
    """

    kernel: str
    role: str
    good: bool
    because: str
    rollout: str
    host: str
    at: datetime
    source: str = ""
    by: str = ""
    record: Mapping[str, Any] = field(default_factory=dict)
    override: Override | None = None

    def refuses(self, now: datetime) -> bool:
        """Whether it stands in the way of a rollout at that time."""
        return not self.good and not (self.override is not None and self.override.holds(now))

    @property
    def origin(self) -> str:
        """Where it comes from, in words."""
        if self.source:
            return f"imported from {self.source}" + (f", {self.rollout} {self.host}" if self.rollout else "")
        return f"marked by {self.by}" if self.by else f"rollout {self.rollout}, {self.host}"


class Memory:
    """The verdicts, kept up to date by Events of KINDS that are fed in order. It keeps what counts and nothing else."""

    def __init__(self) -> None:
        self._started: dict[str, Event] = {}
        self._verdicts: dict[tuple[str, str], KernelVerdict] = {}
        self._overrides: list[Override] = []

    def feed(self, event: Event) -> None:
        """Take one more Event."""
        if event.kind == Kind.ROLLOUT_STARTED:
            self._started[event.rollout] = event
        elif event.kind == Kind.KERNEL_OVERRIDDEN:
            self._overrides.append(_override(event))
        for verdict in _verdicts(event, self._started):
            key = (verdict.kernel, verdict.role)
            if _outweighs(verdict, self._verdicts.get(key)):
                self._verdicts[key] = verdict

    def verdicts(self) -> dict[tuple[str, str], KernelVerdict]:
        """The verdict for each (kernel, role)."""
        return {
            key: replace(verdict, override=found)
            if (found := _overriding(self._overrides, verdict))
            else verdict
            for key, verdict in self._verdicts.items()
        }


def remembered(events: Iterable[Event]) -> dict[tuple[str, str], KernelVerdict]:
    """The verdict for each (kernel, role). `events` are those of all rollouts (of KINDS at least), oldest first."""
    memory = Memory()
    for event in events:
        memory.feed(event)
    return memory.verdicts()


def _outweighs(new: KernelVerdict, known: KernelVerdict | None) -> bool:
    """One's own newest counts; an imported one only where it is newer and says no, or where nothing is known."""
    if known is None:
        return True
    if not new.source:
        return not (known.source and not known.good and known.at > new.at)
    return new.at > known.at and (not new.good or bool(known.source))


def _verdicts(event: Event, started: Mapping[str, Event]) -> Iterator[KernelVerdict]:
    data = event.data
    match event.kind:
        case Kind.TRIAL_MOVED if event.rollout in started:
            if not is_verdict(State(data["to"]), data.get("facts", {})):
                return
            first = started[event.rollout].data
            for role in first.get("roles", {}).get(event.host, ()):
                yield KernelVerdict(
                    kernel=str(first["candidate"]),
                    role=role,
                    good=data["to"] == State.BLESSED,
                    because=str(data.get("because", "")),
                    rollout=event.rollout,
                    host=event.host,
                    at=event.at,
                    record=data.get("record", {}),
                )
        case Kind.KERNEL_MARKED:
            for role in data["roles"]:
                yield KernelVerdict(
                    kernel=str(data["kernel"]),
                    role=str(role),
                    good=bool(data["good"]),
                    because=str(data.get("because", "")),
                    rollout="",
                    host="",
                    at=event.at,
                    by=event.by,
                )
        case Kind.KERNELS_IMPORTED:
            for row in data["verdicts"]:
                yield _imported(row, event)


def _imported(row: Mapping[str, Any], event: Event) -> KernelVerdict:
    return KernelVerdict(
        kernel=str(row["kernel"]),
        role=str(row["role"]),
        good=bool(row["good"]),
        because=str(row.get("because", "")),
        rollout=str(row.get("rollout", "")),
        host=str(row.get("host", "")),
        # A file may say anything of its time; it was known at the latest when it was imported.
        at=min(datetime.fromisoformat(str(row["at"])), event.at),
        source=str(event.data["signer"]),
        by=str(row.get("by", "")),
        record=row.get("record", {}),
    )


def _override(event: Event) -> Override:
    until = str(event.data.get("until", ""))
    return Override(
        kernel=str(event.data["kernel"]),
        roles=tuple(str(role) for role in event.data.get("roles", ())),
        by=event.by,
        why=str(event.data.get("why", "")),
        at=event.at,
        # One that is taken back has ended when that was said.
        until=datetime.fromisoformat(until) if until else event.at - timedelta(microseconds=1),
    )


def _overriding(overrides: list[Override], verdict: KernelVerdict) -> Override | None:
    """The newest override that speaks of a verdict and is newer than it: a new failure asks a person anew."""
    return next(
        (
            one
            for one in reversed(overrides)
            if one.kernel == verdict.kernel
            and (not one.roles or verdict.role in one.roles)
            and one.at >= verdict.at
        ),
        None,
    )
