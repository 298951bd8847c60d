"""Checks of what a host's kernel does with traffic: routes, VRFs, virtual addresses, connections that it knows."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from seatrial.model.check.base import CheckBase
from seatrial.model.declared import Address, Declared, Name, Port, Word, wrong


class VrrpCheck(CheckBase):
    """A virtual address has one owner among the hosts that may have it, not none and not two."""

    kind: Literal["vrrp"]
    hosts: tuple[Name, ...] = Field(
        min_length=1,
        max_length=20,
        description="all that may have it; each is asked, and `from` may be left out",
    )
    address: Address = Field(description="the virtual address, IPv4 or IPv6")
    interface: Word | None = Field(default=None, description="where it must be; absent: any interface")

    @model_validator(mode="before")
    @classmethod
    def _first_asks(cls, said: Any) -> Any:
        # All of them are asked, so nobody has to be named as the one who does.
        if isinstance(said, dict) and not said.keys() & {"from", "source_vantage", "each"}:
            hosts = said.get("hosts")
            if isinstance(hosts, list | tuple) and hosts:
                return {**said, "from": hosts[0]}
        return said

    @model_validator(mode="after")
    def _each_once(self) -> VrrpCheck:
        if len(set(self.hosts)) < len(self.hosts):
            raise wrong("hosts", "a host is named twice")
        return self

    @property
    def subjects(self) -> tuple[str, ...]:
        """The hosts together, then who owns the address."""
        return ("+".join(self.hosts), f"owner of {self.address}")


class VrfCheck(CheckBase):
    """Interfaces are in a VRF that is up."""

    kind: Literal["vrf"]
    vrf: Word = Field(description="the name of the VRF's device")
    interfaces: tuple[Word, ...] = Field(min_length=1, max_length=100, description="those that must be in it")
    table: int | None = Field(
        default=None, ge=1, le=2**32 - 1, description="the routing table that it must have; absent: any"
    )

    @property
    def subjects(self) -> tuple[str, ...]:
        """The host, then its VRF."""
        return (self.source_vantage, f"{self.vrf} on {self.source_vantage}")


class RouteCheck(CheckBase):
    """The way that the kernel would take to an address."""

    kind: Literal["route"]
    address: Address = Field(description="where to, IPv4 or IPv6")
    source: Address | None = Field(default=None, description="as if sent from this address of the host's own")
    vrf: Word | None = Field(default=None, description="as seen in this VRF; absent: in none")
    via: tuple[Address, ...] = Field(
        default=(),
        max_length=20,
        description="next hops, one of which it must go by; absent: any, or none at all",
    )
    interface: Word | None = Field(default=None, description="where it must leave; absent: anywhere")
    own: Address | None = Field(
        default=None, description="the address that the host must send from; absent: any"
    )

    @model_validator(mode="after")
    def _one_family(self) -> RouteCheck:
        families = {
            "source": (self.source,), "via": self.via, "own": (self.own,),
        }  # fmt: skip
        for key, addresses in families.items():
            if any(one is not None and (":" in one) != (":" in self.address) for one in addresses):
                raise wrong(key, f"is of another family than {self.address}")
        return self

    @property
    def subjects(self) -> tuple[str, ...]:
        """The host, then its routes."""
        where = f" in {self.vrf}" if self.vrf else ""
        return (self.source_vantage, f"route to {self.address}{where} on {self.source_vantage}")


class Connection(Declared):
    """A connection that the table must have; what is absent may be anything."""

    protocol: Literal["tcp", "udp", "icmp", "icmpv6"] = Field(description="what it is")
    address: Address = Field(description="where to, as the one who began it wrote")
    port: Port | None = Field(default=None, description="the port there")
    source: Address | None = Field(default=None, description="who began it")
    translated: Address | None = Field(
        default=None, description="the address that its source must be translated to"
    )

    @model_validator(mode="after")
    def _fits(self) -> Connection:
        if self.port is not None and self.protocol not in ("tcp", "udp"):
            raise wrong("port", "goes with tcp and udp only")
        for key in ("source", "translated"):
            other = getattr(self, key)
            if other is not None and (":" in other) != (":" in self.address):
                raise wrong(key, f"is of another family than {self.address}")
        return self


class ConntrackCheck(CheckBase):
    """Room in the table of connections, and whether it has a certain one."""

    kind: Literal["conntrack"]
    most: float = Field(default=80.0, ge=0, le=100, description="percent of the table that may be in use")
    entry: Connection | None = Field(
        default=None, description="a connection that must be in the table; reading it takes root"
    )

    @property
    def subjects(self) -> tuple[str, ...]:
        """The host, then its table."""
        return (self.source_vantage, f"connections on {self.source_vantage}")


PathCheck = VrrpCheck | VrfCheck | RouteCheck | ConntrackCheck
