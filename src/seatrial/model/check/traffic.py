"""Checks of what crosses the network: is it reached, and is the answer the right one?"""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints

from seatrial.model.check.base import CheckBase
from seatrial.model.check.paths import PathCheck
from seatrial.model.check.services import ServiceCheck
from seatrial.model.declared import Address, Port, Text, Word


class PingCheck(CheckBase):
    """Echo requests and their loss."""

    kind: Literal["ping"]
    address: Address = Field(description="who must answer")
    count: int = Field(default=3, ge=1, le=100, description="echo requests to send")
    max_loss: float = Field(default=0.0, ge=0, le=100, description="percent that may be lost")

    @property
    def subjects(self) -> tuple[str, ...]:
        """The machine that must answer."""
        return (self.address,)


class TcpCheck(CheckBase):
    """A TCP connection is accepted."""

    kind: Literal["tcp"]
    address: Word = Field(description="a host name or an address")
    port: Port = Field(description="the port that must accept")

    @property
    def subjects(self) -> tuple[str, ...]:
        """The machine, then the service."""
        return (self.address, f"port {self.port} of {self.address}")


class HttpCheck(CheckBase):
    """An HTTP(S) answer with the status that is wanted."""

    kind: Literal["http"]
    url: Annotated[str, StringConstraints(pattern=r"^https?://\S{1,490}$")] = Field(
        description="an http or https address"
    )
    status: int = Field(default=200, ge=100, le=599, description="the status that is wanted")
    contains: Text | None = Field(default=None, description="text that must be in the answer")

    @property
    def subjects(self) -> tuple[str, ...]:
        """The machine, then its web service."""
        return (
            urlsplit(self.url).hostname or self.url,
            f"{urlsplit(self.url).scheme} at {urlsplit(self.url).netloc}",
        )


class DnsCheck(CheckBase):
    """A name has an address according to one server."""

    kind: Literal["dns"]
    server: Address = Field(description="the server that is asked")
    query: Word = Field(alias="name", description="the name that is asked for")
    type: Literal["A", "AAAA", "SOA", "NS", "MX", "TXT"] = Field(default="A", description="the record type")
    expect: Text | None = Field(default=None, description="a record that must be among the answers")

    @property
    def subjects(self) -> tuple[str, ...]:
        """The machine, then its DNS server."""
        return (self.server, f"dns at {self.server}")


TrafficCheck = PingCheck | TcpCheck | HttpCheck | DnsCheck | ServiceCheck | PathCheck
