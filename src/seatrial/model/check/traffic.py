"""Checks of what crosses the network: is it reached, and is the answer the right one?"""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, model_validator

from seatrial.model.check.base import CheckBase
from seatrial.model.check.paths import PathCheck
from seatrial.model.check.services import FilePath, ServiceCheck
from seatrial.model.declared import Address, Port, Text, Word, wrong

Milliseconds = Annotated[
    float | None,
    Field(ge=0, le=60000, description="the median of several answers in milliseconds that is too slow above"),
]


class PingCheck(CheckBase):
    """Echo requests and their loss."""

    kind: Literal["ping"]
    address: Address = Field(description="who must answer")
    count: int = Field(default=3, ge=1, le=100, description="echo requests to send")
    max_loss: float = Field(default=0.0, ge=0, le=100, description="percent that may be lost")
    max_ms: Milliseconds = None
    size: int | None = Field(
        default=None,
        ge=64,
        le=9000,
        description="bytes of further packets that must pass as well, headers included",
    )
    df: bool = Field(
        default=False,
        description="send those with DF, so that a path that takes less loses them; IPv6 does it always",
    )

    @model_validator(mode="after")
    def _df_with_size(self) -> PingCheck:
        if self.df and self.size is None:
            raise wrong("df", "goes with size only")
        return self

    @property
    def subjects(self) -> tuple[str, ...]:
        """The machine that must answer."""
        return (self.address,)


class TcpCheck(CheckBase):
    """A TCP connection is accepted."""

    kind: Literal["tcp"]
    address: Word = Field(description="a host name or an address")
    port: Port = Field(description="the port that must accept")
    max_ms: Milliseconds = None

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
    address: Address | None = Field(
        default=None,
        description="where to connect, with the name of `url` in all that is said: one machine of many",
    )
    ca: FilePath | None = Field(
        default=None, description="a file on the vantage with whom to trust; absent: whom the vantage trusts"
    )
    insecure: bool = Field(default=False, description="true: take any certificate")
    max_ms: Milliseconds = None

    @model_validator(mode="after")
    def _certificates_with_https(self) -> HttpCheck:
        for key, given in (("ca", self.ca is not None), ("insecure", self.insecure)):
            if given and not self.url.startswith("https://"):
                raise wrong(key, "goes with https only")
        if self.insecure and self.ca is not None:
            raise wrong("insecure", "nobody is trusted and anything is taken: ca says otherwise")
        return self

    @property
    def subjects(self) -> tuple[str, ...]:
        """The machine, then its web service."""
        parts = urlsplit(self.url)
        at = f" on {self.address}" if self.address else ""
        return (self.address or parts.hostname or self.url, f"{parts.scheme} at {parts.netloc}{at}")


class DnsCheck(CheckBase):
    """A name has a record according to one server, or several servers agree on it."""

    kind: Literal["dns"]
    server: Address = Field(description="the server that is asked, IPv4 or IPv6")
    query: Word = Field(alias="name", description="the name that is asked for")
    type: Literal["A", "AAAA", "CNAME", "SOA", "NS", "MX", "PTR", "TXT"] = Field(
        default="A", description="the record type"
    )
    expect: Text | None = Field(default=None, description="a record that must be among the answers")
    port: Port = Field(default=53, description="the port of the server")
    transport: Literal["udp", "tcp"] = Field(
        default="udp", description="udp goes on with tcp by itself where an answer is cut"
    )
    authoritative: bool = Field(
        default=False, description="the server must answer for the zone itself; it is not asked to ask others"
    )
    recursive: bool = Field(
        default=False, description="the server must be one that asks others for its clients"
    )
    same_as: tuple[Address, ...] = Field(
        default=(),
        max_length=20,
        description="further servers that must have the same records, of SOA the same serial",
    )
    max_ms: Milliseconds = None

    @model_validator(mode="after")
    def _one_role(self) -> DnsCheck:
        if self.authoritative and self.recursive:
            raise wrong("recursive", "a server is asked as authoritative or as recursive, not as both")
        if self.server in self.same_as:
            raise wrong("same_as", f"{self.server} is compared with itself")
        return self

    @property
    def subjects(self) -> tuple[str, ...]:
        """The machine, then its DNS server."""
        return (self.server, f"dns at {self.server}")


TrafficCheck = PingCheck | TcpCheck | HttpCheck | DnsCheck | ServiceCheck | PathCheck
