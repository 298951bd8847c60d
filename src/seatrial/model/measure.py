"""Measure and Load: what a soak measures, how long, against what, and the work that is made for it on purpose.

What is in: what the operator declares. What is not: the series that there are, which soak/readings.py has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from seatrial.model.declared import Declared, Duration, Name, Word, wrong

Directory = Annotated[str, StringConstraints(pattern=r"^/\S{0,499}$")]


class LoadBase(Declared):
    """What every load has."""

    source_vantage: Name = Field(alias="from", description="the vantage or host that does the work")
    rate: float = Field(default=20.0, gt=0, le=5000, description="how often it is done each second, at most")


class ShareLoad(LoadBase):
    """Files are created, written, synced, read, renamed and removed in a directory, such as one of an NFS mount."""

    kind: Literal["share"]
    path: Directory = Field(description="the directory; a fresh one is made in it and taken away afterwards")
    size: int = Field(default=16384, ge=1, le=16 * 1024 * 1024, description="bytes of each file")
    threads: int = Field(default=4, ge=1, le=64, description="files that are worked on at the same time")


class CommandLoad(LoadBase):
    """A command of the operator's own, done again and again."""

    kind: Literal["command"]
    argv: tuple[Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=4000)], ...] = Field(
        min_length=1, max_length=200, description="the program and its words, without a shell"
    )
    threads: int = Field(default=1, ge=1, le=64, description="how many of it run at the same time")


Load = Annotated[ShareLoad | CommandLoad, Field(discriminator="kind")]


class Enough(Declared):
    """What counts as load: time with less of it does not count."""

    of: Word = Field(
        description="a rate that the host shows, such as nfsd.calls or disk.vdb.ops (docs/soak.md)"
    )
    least: float = Field(gt=0, description="how much of it each second")


class Measure(Declared):
    """What is measured while a host is on trial, against the good kernel, and what of it matters."""

    series: tuple[Word, ...] = Field(
        min_length=1, max_length=100, description="names of series, with * (docs/soak.md); more is worse"
    )
    clients: tuple[Name, ...] = Field(
        default=(),
        description="further vantages that are measured beside the host; their series are PLACE:NAME",
    )
    every: Duration = Field(default=1.0, ge=0.2, le=60, description="from one sample to the next")
    baseline: Duration = Field(
        default=300.0, description="so much time under load is measured on the good kernel first"
    )
    least: Duration = Field(
        default=120.0, description="so much time under load the candidate is measured before it may pass"
    )
    most: Duration = Field(
        default=1800.0, description="without a verdict by then the host goes back to the good kernel"
    )
    against: Literal["before", "peer"] = Field(
        default="before",
        description="the good kernel on who carried the work before, or on a peer at the same time",
    )
    settle: Duration = Field(
        default=60.0,
        description="uptime before which nothing counts: after a boot caches are cold on any kernel",
    )
    load: Enough | None = Field(default=None, description="what counts as load; absent: all time counts")
    drive: tuple[Name, ...] = Field(default=(), description="loads that are made meanwhile")
    min_effect: float = Field(
        default=1.5, gt=1, le=100, description="as a ratio to good: less does not matter"
    )
    matters: Mapping[Word, Annotated[float, Field(gt=0)]] = Field(
        default_factory=dict,
        description="so much more of a series (names with *), in its own units, does not matter whatever the ratio",
    )
    alpha: float = Field(
        default=0.01,
        gt=0,
        le=0.5,
        description="the chance that a kernel without fault fails any of the series",
    )

    @model_validator(mode="after")
    def _time_to_decide(self) -> Self:
        if self.most < max(self.least, self.baseline):
            raise wrong("most", "is less than least or baseline, so there would never be a verdict")
        if self.against == "before" and self.baseline < self.least:
            raise wrong("baseline", "is less than least, so there would be nothing to compare the rest with")
        return self
