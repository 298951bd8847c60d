"""Measure, Query and Load: what a soak measures, how long, against what, and the work that is made for it on purpose.

What is in: what the operator declares. What is not: the series that there are, which soak/readings.py has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from seatrial.model.declared import Address, Declared, Duration, Name, Port, Word, wrong

Directory = Annotated[str, StringConstraints(pattern=r"^/\S{0,499}$")]
# What stands for the host that is measured, in a query.
HOST = "$host"
BEFORE, PEER = "before", "peer"
# Connections that a far end holds at the same time.
MOST_HELD = 3000


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


class NfsLoad(LoadBase):
    """The same as `share`, from a vantage that has no NFS in its kernel: an NFS client of its own speaks with the server.

    It runs with the controller's Python, so the vantage is this machine or a network namespace of it.
    """

    kind: Literal["nfs"]
    address: Address = Field(description="the server's")
    port: Port = Field(default=2049, description="where it listens")
    path: Directory = Field(
        description="the export, or a directory in it; a fresh one is made in it and taken away afterwards"
    )
    version: Literal["4.1", "4.0", "3"] = Field(default="4.1", description="of NFS")
    user: int = Field(
        default=0, ge=0, le=2**32 - 1, description="the numbers of user and group that it says it is"
    )
    size: int = Field(default=16384, ge=1, le=16 * 1024 * 1024, description="bytes of each file")
    threads: int = Field(
        default=4, ge=1, le=64, description="clients that work at the same time, each on its own"
    )


class CommandLoad(LoadBase):
    """A command of the operator's own, done again and again."""

    kind: Literal["command"]
    argv: tuple[Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=4000)], ...] = Field(
        min_length=1, max_length=200, description="the program and its words, without a shell"
    )
    threads: int = Field(default=1, ge=1, le=64, description="how many of it run at the same time")


class FlowLoad(LoadBase):
    """Connections and datagrams along declared flows, each new, each sent back by the far end and then closed.

    They go to the addresses of the flows and to nothing else, to a port of their own, since the flows' own ports are
    probed meanwhile.
    """

    kind: Literal["flows"]
    along: tuple[Name, ...] = Field(
        min_length=1, max_length=100, description="tcp and udp flows that begin at `from`; they take turns"
    )
    port: Port = Field(
        description="where the far ends listen meanwhile: no flow's port and no service's, but one that is let through"
    )
    size: int = Field(
        default=1000,
        ge=32,
        le=60000,
        description="bytes that each carries, there and back; a datagram 1,400 at most",
    )
    hold: Duration = Field(
        default=0.0, le=60, description="how long a connection stays open after it was answered"
    )
    # An end has 28,232 ports for connections by default, and keeps each for a minute after it was closed.
    rate: float = Field(default=20.0, gt=0, le=400, description="how many are begun each second, at most")

    @model_validator(mode="after")
    def _room_at_the_far_end(self) -> Self:
        if self.rate * self.hold > MOST_HELD:
            what = f"times rate is {self.rate * self.hold:.0f} connections at a time, more than {MOST_HELD}"
            raise wrong("hold", what)
        return self


Load = Annotated[ShareLoad | NfsLoad | CommandLoad | FlowLoad, Field(discriminator="kind")]


class Query(Declared):
    """A PromQL query whose answers are judged like samples: more is worse.

    `$host` in it stands for the host that is measured, so that good and candidate have one query.
    """

    source_vantage: Name = Field(alias="from", description="the vantage or host that asks")
    url: Annotated[str, StringConstraints(pattern=r"^https?://\S{1,490}$")] = Field(
        description="the server, with the path that is in front of /api/v1"
    )
    query: Annotated[str, StringConstraints(min_length=1, max_length=2000)] = Field(
        description="PromQL; it must give an instant vector or a scalar"
    )
    hosts: dict[Name, Annotated[str, StringConstraints(pattern=r'^[^\s"\\]{1,200}$')]] = Field(
        default_factory=dict, description="what $host stands for, by host; for others it is the host's name"
    )
    step: Duration = Field(
        default=15.0, ge=1, le=15, description="from one answer to the next; no less than the scrape interval"
    )
    timeout: Duration = Field(default=10.0, ge=1, le=60, description="after which there is no answer")
    token_file: Directory | None = Field(
        default=None,
        description="a file on the vantage with a bearer token; it is read there and stays there",
    )
    ca_file: Directory | None = Field(
        default=None, description="a file on the vantage with the CA that signed the server's certificate"
    )

    def asked_of(self, host: str) -> tuple[str, str]:
        """The query about one host, and what the host is called in it."""
        called = self.hosts.get(host, host)
        return self.query.replace(HOST, called), called


class Enough(Declared):
    """What counts as load: time with less of it does not count."""

    of: Word = Field(
        description="a rate that the host shows, such as nfsd.calls or disk.vdb.ops (docs/soak.md)"
    )
    least: float = Field(gt=0, description="how much of it each second")


class Measure(Declared):
    """What is measured while a host is on trial, against the good kernel, and what of it matters."""

    series: tuple[Word, ...] = Field(
        default=(), max_length=100, description="names of series, with * (docs/soak.md); more is worse"
    )
    promql: dict[Name, Query] = Field(
        default_factory=dict,
        max_length=50,
        description="by name: queries to a Prometheus, whose answers are series as well",
    )
    ports: tuple[Port, ...] = Field(
        default=(2049,), max_length=8, description="TCP ports of the host whose clients are told apart"
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
    against: Literal["before", "peer", "both"] = Field(
        default="before",
        description="the good kernel on who carried the work before, or on a peer at the same time, or both of them",
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

    @property
    def comparisons(self) -> tuple[str, ...]:
        """What the candidate is compared with, each by itself: BEFORE, PEER or both."""
        return (BEFORE, PEER) if self.against == "both" else (self.against,)

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.series and not self.promql:
            raise wrong("series", "is empty, and there is no promql either: then nothing would be measured")
        return self

    @model_validator(mode="after")
    def _time_to_decide(self) -> Self:
        if self.most < max(self.least, self.baseline):
            raise wrong("most", "is less than least or baseline, so there would never be a verdict")
        if BEFORE in self.comparisons and self.baseline < self.least:
            raise wrong("baseline", "is less than least, so there would be nothing to compare the rest with")
        return self

    @model_validator(mode="after")
    def _comparable(self) -> Self:
        if self.against != PEER:
            return self
        if self.clients:
            what = "are the clients of the candidate, not of its peer: write `against: before` or `both`"
            raise wrong("clients", what)
        for name, query in self.promql.items():
            if HOST not in query.query:
                what = (
                    f"{name} does not say {HOST}, so it would say the same of the candidate and of its peer"
                )
                raise wrong("promql", what)
        return self
