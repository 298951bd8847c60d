"""What a rehearsal is told to let go wrong: the entries of a faults file. Frozen.

What is in: shapes and what one entry can be held to. What is not: which hosts are drawn, and what a fault does.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from seatrial.model.declared import Declared, Duration, Name, wrong


class RehearsedFault(Declared):
    """Something that goes wrong: on named hosts, on a share of all that is drawn by the seed, on a rack or a vantage."""

    kind: Literal[
        "does-not-come-back",
        "comes-back-late",
        "wrong-kernel",
        "panic",
        "dead-network",
        "replies-lost",
        "answers-lost",
        "disk-full",
        "unreachable",
        "cut-off-rack",
        "flaky-vantage",
        "controller-killed",
    ] = Field(description="what goes wrong")
    hosts: tuple[Name, ...] = Field(default=(), description="on these hosts")
    percent: float | None = Field(
        default=None,
        gt=0,
        le=100,
        description="on a share of all hosts, or how often a flaky vantage is silent",
    )
    rack: Name | None = Field(default=None, description="the rack that is cut off")
    vantage: Name | None = Field(default=None, description="the vantage that is flaky")
    late: Duration = Field(default=300.0, description="how much later a host comes back")
    begin: Duration = Field(alias="from", default=0.0, description="since the rehearsal's start")
    lasts: Duration | None = Field(alias="for", default=None, description="absent: to the end")
    at: tuple[Duration, ...] = Field(default=(), description="when the controller is killed")

    @model_validator(mode="after")
    def _of_its_kind(self) -> RehearsedFault:
        wanted = {"cut-off-rack": "rack", "flaky-vantage": "vantage", "controller-killed": "at"}.get(
            self.kind
        )
        if wanted is not None and not getattr(self, wanted):
            raise wrong("kind", f"{self.kind} wants {wanted}")
        if wanted is None and bool(self.hosts) == (self.percent is not None):
            raise wrong("kind", f"{self.kind} wants either hosts or percent")
        if self.kind == "flaky-vantage" and self.percent is None:
            raise wrong("kind", "flaky-vantage wants percent")
        return self


class RehearsedFaults(Declared):
    """A whole faults file."""

    seed: int = Field(default=1, description="which hosts are drawn")
    faults: tuple[RehearsedFault, ...] = Field(default=(), description="what goes wrong")
