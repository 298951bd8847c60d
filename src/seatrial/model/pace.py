"""Pace: how a rollout may go through a fleet: how many at once, in which waves and budgets, and when. Frozen.

What is in: what the operator declares, and the checks that one entry can pass by itself. What is not: the rules that
go by it, which are the rollout room's. Without an entry one host at a time is on trial, and the first that is not
blessed ends the rollout.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from seatrial.model.check.monitoring import AbsentCheck, AlertsCheck
from seatrial.model.check.platform import CommandCheck, NagiosCheck, PrometheusCheck
from seatrial.model.check.traffic import HttpCheck
from seatrial.model.declared import Declared, Duration, Name, Text, wrong

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("a time zone such as UTC or Europe/Berlin is wanted") from None
    return name


def _moment(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d)?", value):
        try:
            datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            return value.replace(" ", "T")
    raise ValueError("a day or a minute such as 2026-12-20 or 2026-12-20T18:00 is wanted")


Zone = Annotated[str, AfterValidator(_zone)]
Moment = Annotated[str, BeforeValidator(_moment)]
TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]


class Budget(Declared):
    """How many hosts of one role, site or rack may be away at once, for whatever reason."""

    per: Literal["role", "site", "rack"] = Field(description="what is counted: each value has this budget")
    only: tuple[Name, ...] = Field(default=(), description="these values only; absent: each that a host has")
    most: int | None = Field(default=None, ge=1, description="hosts that may be away")
    percent: float | None = Field(
        default=None, gt=0, le=100, description="the same as a share of its hosts; at least one may always be"
    )

    @model_validator(mode="after")
    def _one_limit(self) -> Budget:
        if (self.most is None) == (self.percent is None):
            raise wrong("per", "exactly one of most and percent is wanted")
        return self

    def limit(self, hosts: int) -> int:
        """How many of `hosts` may be away."""
        return self.most if self.most is not None else max(1, int(hosts * (self.percent or 0.0) / 100))


class Window(Declared):
    """A time of the week in which trials may begin, on the clocks of one time zone; it may go past midnight."""

    days: tuple[Day, ...] = Field(
        default=("mon", "tue", "wed", "thu", "fri", "sat", "sun"), min_length=1, description="when it begins"
    )
    begin: TimeOfDay = Field(alias="from", default="00:00", description='such as "09:00", in quotes')
    until: TimeOfDay = Field(default="24:00", description='such as "16:30", in quotes; trials may end later')
    zone: Zone = Field(default="UTC", description="whose clocks: Europe/Berlin, say")
    stages: tuple[Name, ...] = Field(default=(), description="for these stages only; absent: for all")

    @model_validator(mode="after")
    def _some_time(self) -> Window:
        if self.begin == self.until:
            raise wrong("until", "the window ends when it begins")
        return self


class Freeze(Declared):
    """A time in which no trial begins, whatever the windows say; what is on trial is finished."""

    begin: Moment = Field(alias="from", description="the first day or minute: 2026-12-20 or 2026-12-20T18:00")
    until: Moment = Field(description="the first day or minute behind it")
    zone: Zone = Field(default="UTC", description="whose clocks")
    why: Text = Field(description="the reason, for those who wait")
    stages: tuple[Name, ...] = Field(default=(), description="for these stages only; absent: for all")

    @model_validator(mode="after")
    def _forward(self) -> Freeze:
        if datetime.fromisoformat(self.until) <= datetime.fromisoformat(self.begin):
            raise wrong("until", "it ends before it begins")
        return self


class Evidence(Declared):
    """What the stage before must have shown before the gate of the next one opens."""

    blessed: int = Field(default=0, ge=0, description="hosts that must have been blessed there, at least")
    settled: Duration = Field(default=0.0, description="how long the newest of them must have run since")
    oldest: Duration | None = Field(
        default=None, description="the greatest age of its newest blessing; absent: any"
    )

    @model_validator(mode="after")
    def _some_time(self) -> Evidence:
        if self.oldest is not None and self.oldest <= self.settled:
            raise wrong("oldest", "evidence would be too old before it has settled")
        return self


Blocker = Annotated[
    AlertsCheck | PrometheusCheck | AbsentCheck | CommandCheck | HttpCheck | NagiosCheck,
    Field(discriminator="kind"),
]


class Pace(Declared):
    """How a rollout goes through each stage: canaries, waves, budgets, and when it may begin a trial."""

    canaries: int = Field(
        default=1, ge=0, le=1000, description="hosts of each stage that go before all others"
    )
    waves: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        default=(),
        description="how many hosts the waves behind the canaries have; the last number goes on; absent: one wave",
    )
    at_once: int = Field(default=1, ge=1, le=10000, description="trials under way at once, at most")
    max_failed: int = Field(
        default=0, ge=0, description="trials that may end other than blessed; one more and no other begins"
    )
    budgets: tuple[Budget, ...] = Field(default=(), description="how many may be away at once")
    survey: Duration = Field(
        default=600.0,
        ge=10,
        description="the greatest age of the answer to who is away for other reasons; with budgets only",
    )
    windows: tuple[Window, ...] = Field(default=(), description="when trials may begin; absent: always")
    freezes: tuple[Freeze, ...] = Field(default=(), description="when none may")
    evidence: Evidence = Field(default=Evidence(), description="what opens the gate of a stage")
    blockers: dict[Name, Blocker] = Field(
        default_factory=dict,
        description="by name: questions, as under checks, without whose PASS no trial begins;"
        " `stage` says that one stands in the way of that stage only",
    )

    @model_validator(mode="after")
    def _asked_by_one_and_looking_only(self) -> Pace:
        for name, blocker in self.blockers.items():
            if blocker.each is not None:
                raise wrong("blockers", f"{name} has `each`: a blocker is asked from one place")
            if isinstance(blocker, CommandCheck) and blocker.writes:
                raise wrong("blockers", f"{name} has `writes`: a blocker only looks")
        return self

    def blockers_of(self, stage: str) -> dict[str, Blocker]:
        """What may stand in the way of a stage's trials."""
        return {name: one for name, one in self.blockers.items() if one.stage in (None, stage)}
