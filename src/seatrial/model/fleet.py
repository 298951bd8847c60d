"""Fleet: what the operator declared, frozen. One definition gives the parser, the JSON schema and the reference.

What is in: shapes, defaults and the checks that one entry can pass by itself. What is not: reading YAML, and the
checks that need two entries (a flow that names an unknown vantage), which are the fleetfile room's. Descriptions
are for the operator: editors show them, and the reference of keys is made of them.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=500)]
# A word ends up in the argv of ssh, ip or systemctl, where a leading dash would be read as an option.
Word = Annotated[str, StringConstraints(pattern=r"^[^\s-]\S{0,499}$")]

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_LONGEST = 30 * 86400.0


def parse_duration(value: object) -> float:
    """Seconds from `90`, `"90s"`, `"10m"`, `"1h30m"`. Raises ValueError with what is accepted."""
    if isinstance(value, bool):
        raise ValueError("a duration such as 90s, 10m or 1h30m is wanted")
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str) and (parts := re.fullmatch(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+", value.strip())):
        found = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", parts.group())
        return sum(float(number) * _UNITS[unit] for number, unit in found)
    raise ValueError("a duration such as 90s, 10m or 1h30m is wanted")


def _address(value: object) -> str:
    # ipaddress takes a whole number as well: 12345 would quietly become 0.0.48.57.
    if not isinstance(value, str):
        raise ValueError("an IPv4 or IPv6 address is wanted")
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        raise ValueError("an IPv4 or IPv6 address is wanted") from None
    if address.is_unspecified or address.is_multicast:
        raise ValueError("the address of one machine is wanted")
    return str(address)


def _wrong(key: str, what: str) -> PydanticCustomError:
    """A mistake of the whole entry that is best shown at one of its keys."""
    return PydanticCustomError("entry", "{what}", {"what": what, "key": key})


Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    Field(ge=0, le=_LONGEST),
    WithJsonSchema({"type": ["string", "number"], "format": "duration such as 90s, 10m or 1h30m"}),
]
Address = Annotated[str, BeforeValidator(_address), WithJsonSchema({"type": "string", "format": "ip"})]
Port = Annotated[int, Field(ge=1, le=65535)]


class Declared(BaseModel):
    """The settings that every part of a fleet file shares: frozen, strict, and no key that nobody knows."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, populate_by_name=True, allow_inf_nan=False
    )


class Stage(Declared):
    """An ordered environment. The evidence of one stage opens the gate of the next."""

    name: Name = Field(description="what hosts, flows and checks call it; the order of the list is the order")
    gate: Literal["evidence", "approval"] = Field(
        default="evidence",
        description="what lets a rollout in: the evidence of the stage before it, or that and a person's approval",
    )


class Reach(Declared):
    """How a place is reached. Exactly one of ssh, local, netns and simulated."""

    ssh: Word | None = Field(default=None, description="a host name or alias, looked up in the ssh config")
    ssh_config: Text | None = Field(default=None, description="an ssh config file other than ~/.ssh/config")
    transport: Literal["asyncssh", "openssh"] = Field(
        default="asyncssh",
        description="openssh for what asyncssh lacks: GSSAPI, FIDO keys, exotic configuration",
    )
    local: bool | None = Field(default=None, description="true: this machine")
    netns: Word | None = Field(
        default=None,
        description="a network namespace: a name of `ip netns`, or a path such as /proc/PID/ns/net",
    )
    userns: Word | None = Field(
        default=None, description="the user namespace to enter before netns: /proc/PID/ns/user"
    )
    simulated: bool | None = Field(default=None, description="true: a simulated place, for rehearsals")

    @model_validator(mode="after")
    def _one_way(self) -> Reach:
        ways = [way for way in ("ssh", "local", "netns", "simulated") if getattr(self, way)]
        if not ways:
            raise ValueError("one of ssh, local, netns and simulated is wanted")
        if len(ways) > 1:
            raise _wrong(
                ways[1], f"only one of ssh, local, netns and simulated is wanted, and {ways[0]} is given"
            )
        if self.ssh is None and (self.ssh_config or self.transport != "asyncssh"):
            raise _wrong("ssh_config" if self.ssh_config else "transport", "goes with ssh only")
        if self.netns is None and self.userns:
            raise _wrong("userns", "goes with netns only")
        return self


class Boot(Declared):
    """How the host chooses its kernel."""

    method: Literal["grub"] = Field(default="grub", description="the boot loader")


class Host(Declared):
    """One machine, with roles, a stage and the way to reach it."""

    stage: Name = Field(description="the stage whose evidence its trial belongs to")
    roles: tuple[Name, ...] = Field(min_length=1, description="what it is; a rollout is started for a role")
    reach: Reach = Field(description="how the controller gets there")
    boot: Boot = Field(default=Boot(), description="how it chooses its kernel")


class Mover(Declared):
    """How traffic is moved between the hosts of a group (VRRP by keepalived, told through a tracked file)."""

    driver: Literal["keepalived"] = Field(default="keepalived", description="what moves it")
    address: Address = Field(description="the virtual address whose owner carries the traffic")
    yield_file: Annotated[str, StringConstraints(pattern=r"^/\S{1,499}$")] = Field(
        default="/run/seatrial/yield",
        description="keepalived's track_file: a number above 0 gives the address up",
    )


class Group(Declared):
    """Peers that must not be on trial together, and how traffic is moved between them."""

    hosts: tuple[Name, ...] = Field(min_length=2, description="the peers, of one stage")
    mover: Mover = Field(description="how traffic moves from one to the other")


class Flow(Declared):
    """Traffic the platform promises to carry: from, to, by which host, with which translation.

    `by` is the host or the group whose kernel carries it. `source` is the address that the far end must see: give
    it where the flow is translated; without it the sender's own address must arrive. `over` names further elements
    that the probes cross on the way out (lan, wan, a switch): they are what a failure can be blamed on.
    """

    stage: Name = Field(description="the stage that promises it")
    source_vantage: Name = Field(alias="from", description="the vantage or host that sends the probes")
    to: Name = Field(description="the vantage or host where they must arrive")
    address: Address = Field(description="where the probes are sent to")
    protocol: Literal["tcp", "udp", "icmp"] = Field(description="what the probes are")
    port: Port | None = Field(default=None, description="where the beacon listens; needed for tcp and udp")
    size: int = Field(default=64, ge=32, le=9000, description="bytes of the whole IP packet")
    df: bool = Field(default=False, description="send with DF, so that a path that takes less loses it")
    by: Name = Field(description="the host or group whose kernel carries it")
    source: Address | None = Field(
        default=None, description="the translated address that the far end must see; absent: the sender's own"
    )
    over: tuple[Name, ...] = Field(
        default=(), description="further elements on the way that can be blamed: lan, wan, a switch"
    )

    @model_validator(mode="after")
    def _port_with_protocol(self) -> Flow:
        if (self.protocol == "icmp") != (self.port is None):
            raise _wrong("port", "tcp and udp need a port, icmp has none")
        if self.source_vantage == self.to:
            raise _wrong("to", "the flow ends where it begins")
        return self


class CheckBase(Declared):
    """What every check has."""

    stage: Name | None = Field(
        default=None, description="asked only for trials of this stage; absent: always"
    )
    source_vantage: Name = Field(alias="from", description="the vantage or host that asks")
    timeout: Duration = Field(default=10.0, description="after which there is no answer")


class PingCheck(CheckBase):
    """Echo requests and their loss."""

    kind: Literal["ping"]
    address: Address = Field(description="who must answer")
    count: int = Field(default=3, ge=1, le=100, description="echo requests to send")
    max_loss: float = Field(default=0.0, ge=0, le=100, description="percent that may be lost")


class TcpCheck(CheckBase):
    """A TCP connection is accepted."""

    kind: Literal["tcp"]
    address: Word = Field(description="a host name or an address")
    port: Port = Field(description="the port that must accept")


class HttpCheck(CheckBase):
    """An HTTP(S) answer with the status that is wanted."""

    kind: Literal["http"]
    url: Annotated[str, StringConstraints(pattern=r"^https?://\S{1,490}$")] = Field(
        description="an http or https address"
    )
    status: int = Field(default=200, ge=100, le=599, description="the status that is wanted")
    contains: Text | None = Field(default=None, description="text that must be in the answer")


class DnsCheck(CheckBase):
    """A name has an address according to one server."""

    kind: Literal["dns"]
    server: Address = Field(description="the server that is asked")
    query: Word = Field(alias="name", description="the name that is asked for")
    type: Literal["A", "AAAA", "SOA", "NS", "MX", "TXT"] = Field(default="A", description="the record type")
    expect: Text | None = Field(default=None, description="a record that must be among the answers")


class KernelCheck(CheckBase):
    """Which kernel runs, which are installed, what the next boot would take."""

    kind: Literal["kernel"]


class UnitCheck(CheckBase):
    """A systemd unit is active."""

    kind: Literal["unit"]
    unit: Word = Field(description="its full name, such as ssh.service")


class DmesgCheck(CheckBase):
    """Kernel messages of this boot that were not there at the boot before."""

    kind: Literal["dmesg"]


Check = Annotated[
    PingCheck | TcpCheck | HttpCheck | DnsCheck | KernelCheck | UnitCheck | DmesgCheck,
    Field(discriminator="kind"),
]


class Policy(Declared):
    """What a trial of a role must show, and how long it may take."""

    guard: Duration = Field(
        default=600.0, ge=30, description="uptime of the candidate after which the host goes back"
    )
    reboot: Duration = Field(
        default=600.0,
        description="how long a reboot may take; guard and twice this without an answer, and a person is asked",
    )
    soak: Duration = Field(
        default=0.0, description="how long the flows must go on passing before the blessing"
    )
    probes: int = Field(default=32, ge=8, le=1000, description="probes for each flow and round")
    rate: int = Field(default=200, ge=1, le=2000, description="probes a second from one vantage, at most")
    max_loss: float = Field(
        default=0.0, ge=0, le=50, description="percent of a flow's probes that may be lost"
    )


class Fleet(Declared):
    """Everything the operator declared."""

    version: Literal[1] = Field(description="of this format")
    name: Name = Field(description="of the fleet, for journals and reports")
    stages: tuple[Stage, ...] = Field(min_length=1, description="in the order in which a rollout visits them")
    hosts: dict[Name, Host] = Field(min_length=1, description="by name")
    groups: dict[Name, Group] = Field(default_factory=dict, description="by name")
    vantages: dict[Name, Reach] = Field(
        default_factory=dict, description="by name: further places that probes are sent from or arrive at"
    )
    flows: dict[Name, Flow] = Field(default_factory=dict, description="by name")
    checks: dict[Name, Check] = Field(default_factory=dict, description="by name")
    policies: dict[Name, Policy] = Field(
        default_factory=dict, description="by role; `default` is for all others"
    )

    def stage(self, name: str) -> Stage:
        """The stage of that name. Raises KeyError."""
        return next(stage for stage in self.stages if stage.name == name)

    def hosts_in(self, stage: str) -> tuple[str, ...]:
        """Names of the hosts of a stage, in the order of the file."""
        return tuple(name for name, host in self.hosts.items() if host.stage == stage)

    def group_of(self, host: str) -> str | None:
        """The group a host belongs to."""
        return next((name for name, group in self.groups.items() if host in group.hosts), None)

    def peers_of(self, host: str) -> tuple[str, ...]:
        """The other hosts of its group."""
        group = self.group_of(host)
        return () if group is None else tuple(peer for peer in self.groups[group].hosts if peer != host)

    def flows_of(self, host: str) -> dict[str, Flow]:
        """The flows that this host, or its group, must carry."""
        carriers = {host, self.group_of(host)}
        return {name: flow for name, flow in self.flows.items() if flow.by in carriers}

    def checks_of(self, stage: str) -> dict[str, Check]:
        """The checks that are asked for trials of a stage."""
        return {name: check for name, check in self.checks.items() if check.stage in (None, stage)}

    def policy_of(self, host: str) -> Policy:
        """The policy of the first role that has one, else `default`, else the defaults."""
        for role in (*self.hosts[host].roles, "default"):
            if role in self.policies:
                return self.policies[role]
        return Policy()

    def reach_of(self, place: str) -> Reach:
        """How a vantage or a host is reached. Raises KeyError."""
        return self.vantages[place] if place in self.vantages else self.hosts[place].reach
