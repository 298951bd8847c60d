"""Fleet: what the operator declared, frozen. One definition gives the parser, the JSON schema and the reference.

What is in: shapes, defaults and the checks that one entry can pass by itself. What is not: reading YAML, and the
checks that need two entries (a flow that names an unknown vantage), which are the fleetfile room's. Descriptions
are for the operator: editors show them, and the reference of keys is made of them.
"""

from __future__ import annotations

from datetime import date
from functools import cached_property
from itertools import islice
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from seatrial.model.check import Check
from seatrial.model.declared import Address, Declared, Duration, Name, Port, Text, Word, wrong
from seatrial.model.exports import Exports
from seatrial.model.fleetlock import FleetLock
from seatrial.model.measure import Load, Measure
from seatrial.model.mover import Mover, NoMover
from seatrial.model.notify import Notify
from seatrial.model.pace import Pace
from seatrial.model.silence import Silence


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
    sudo: Literal["any", "listed"] = Field(
        default="any",
        description="what the login may do as root: anything, or only what `seatrial sudoers` lists, through its gate",
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
            raise wrong(
                ways[1], f"only one of ssh, local, netns and simulated is wanted, and {ways[0]} is given"
            )
        if self.ssh is None and (self.ssh_config or self.transport != "asyncssh"):
            raise wrong("ssh_config" if self.ssh_config else "transport", "goes with ssh only")
        if self.netns is None and self.userns:
            raise wrong("userns", "goes with netns only")
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
    site: Name | None = Field(default=None, description="where it stands, for budgets")
    rack: Name | None = Field(default=None, description="the same, more exactly")
    console: Text | None = Field(
        default=None,
        description="a file here in which what it writes on its serial console is kept, to see why it does not come back",
    )


class Group(Declared):
    """Peers that must not be on trial together, and how traffic is moved between them."""

    hosts: tuple[Name, ...] = Field(min_length=2, description="the peers, of one stage")
    mover: Mover = Field(
        default=NoMover(), description="how traffic moves from one to the other; absent: it does not"
    )

    @model_validator(mode="after")
    def _a_pair(self) -> Group:
        if self.mover.driver == "drbd-nfs" and len(self.hosts) != 2:
            raise wrong("hosts", "drbd-nfs moves a service between two hosts")
        return self


class Flow(Declared):
    """Traffic the platform promises to carry: from, to, by which host, with which translation.

    `by` is the host or the group whose kernel carries it. `source` is the address that the far end must see: give
    it where the flow is translated; without it the sender's own address must arrive. `lands` is the address at which
    it arrives where the carrier translates the one it was sent to (a floating address): give it so that a missing
    translation can be told from a loss. `over` names further elements that the probes cross on the way out (lan, wan,
    a switch): they are what a failure can be blamed on.
    """

    stage: Name = Field(description="the stage that promises it")
    source_vantage: Name = Field(alias="from", description="the vantage or host that sends the probes")
    to: Name = Field(description="the vantage or host where they must arrive")
    address: Address = Field(description="where the probes are sent to")
    protocol: Literal["tcp", "udp", "icmp"] = Field(description="what the probes are")
    port: Port | None = Field(default=None, description="where the beacon listens; needed for tcp and udp")
    size: int = Field(default=64, ge=32, le=9000, description="bytes of the whole IP packet")
    df: bool = Field(default=False, description="send with DF, so that a path that takes less loses it")
    max_ms: float | None = Field(
        default=None,
        ge=0,
        le=60000,
        description="the median time to an answer in milliseconds that is too slow above",
    )
    by: Name = Field(description="the host or group whose kernel carries it")
    source: Address | None = Field(
        default=None, description="the translated address that the far end must see; absent: the sender's own"
    )
    lands: Address | None = Field(
        default=None,
        description="the address behind the carrier that `address` is translated to; absent: it is not translated",
    )
    over: tuple[Name, ...] = Field(
        default=(), description="further elements on the way that can be blamed: lan, wan, a switch"
    )

    @model_validator(mode="after")
    def _port_with_protocol(self) -> Flow:
        if (self.protocol == "icmp") != (self.port is None):
            raise wrong("port", "tcp and udp need a port, icmp has none")
        if self.source_vantage == self.to:
            raise wrong("to", "the flow ends where it begins")
        if self.lands == self.address:
            raise wrong("lands", "that is where it is sent to, so nothing is translated: leave it out")
        return self


class Accepted(Declared):
    """A finding of `seatrial drift` that somebody has looked at and lives with, for a while."""

    finding: Annotated[str, StringConstraints(pattern=r"^[a-z]+\.[a-z-]+$")] = Field(
        description="its name, such as running.qdisc-lost"
    )
    host: Name | None = Field(default=None, description="where; absent: on every host")
    what: Text | None = Field(
        default=None, description="what it is about, with * for any text; absent: whatever it is about"
    )
    why: Text = Field(description="the reason, which is shown wherever the finding would be")
    who: Text = Field(description="the person who accepted it")
    until: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = Field(
        default=None, description="the last day, such as 2027-01-31; absent: for good"
    )

    @model_validator(mode="after")
    def _a_day(self) -> Accepted:
        try:
            date.fromisoformat(self.until or "2000-01-01")
        except ValueError:
            raise wrong("until", "there is no such day") from None
        return self


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
    measure: Measure | None = Field(
        default=None,
        description="what is measured meanwhile, against the good kernel; absent: flows and checks only",
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
    loads: dict[Name, Load] = Field(
        default_factory=dict, description="by name: work that is made for a soak on purpose"
    )
    exports: dict[Name, Exports] = Field(
        default_factory=dict, description="by name: what NFS servers should serve"
    )
    policies: dict[Name, Policy] = Field(
        default_factory=dict, description="by role; `default` is for all others"
    )
    silences: dict[Name, Silence] = Field(
        default_factory=dict,
        description="by name: alerts and checks of others' monitoring that are silenced while a host is on trial",
    )
    rollout: Pace = Field(default=Pace(), description="how many hosts at once, in which order, and when")
    fleetlock: FleetLock | None = Field(
        default=None, description="hosts that reboot by themselves, and ask `seatrial serve` before"
    )
    notify: dict[Name, Notify] = Field(
        default_factory=dict, description="by name: who is told of what happens in rollouts"
    )
    accepted: tuple[Accepted, ...] = Field(
        default=(), description="findings of `seatrial drift` that somebody lives with"
    )

    def stage(self, name: str) -> Stage:
        """The stage of that name. Raises KeyError."""
        return next(stage for stage in self.stages if stage.name == name)

    @cached_property
    def _member_of(self) -> dict[str, str]:
        return {host: name for name, group in self.groups.items() for host in group.hosts}

    @cached_property
    def _carried_by(self) -> dict[str, dict[str, Flow]]:
        found: dict[str, dict[str, Flow]] = {}
        for name, flow in self.flows.items():
            found.setdefault(flow.by, {})[name] = flow
        return found

    @cached_property
    def _by_kind(self) -> dict[tuple[str, tuple[str, ...]], tuple[str, ...]]:
        found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        for name, host in self.hosts.items():
            found.setdefault((host.stage, host.roles), []).append(name)
        return {kind: tuple(names) for kind, names in found.items()}

    def others_of(self, host: str, most: int) -> tuple[str, ...]:
        """At most that many other hosts of its stage, those that share no role with it first; no look at all hosts."""
        mine = self.hosts[host]
        kinds = [kind for kind in self._by_kind if kind[0] == mine.stage]
        kinds.sort(key=lambda kind: bool(set(kind[1]) & set(mine.roles)))
        names = (name for kind in kinds for name in self._by_kind[kind] if name != host)
        return tuple(islice(names, most))

    def hosts_in(self, stage: str) -> tuple[str, ...]:
        """Names of the hosts of a stage, in the order of the file."""
        return tuple(name for name, host in self.hosts.items() if host.stage == stage)

    def group_of(self, host: str) -> str | None:
        """The group a host belongs to."""
        return self._member_of.get(host)

    def peers_of(self, host: str) -> tuple[str, ...]:
        """The other hosts of its group."""
        group = self.group_of(host)
        return () if group is None else tuple(peer for peer in self.groups[group].hosts if peer != host)

    def relieves(self, host: str) -> tuple[str, ...]:
        """The peers that traffic can be moved to."""
        group = self.group_of(host)
        return () if group is None or self.groups[group].mover.driver == "none" else self.peers_of(host)

    def flows_of(self, host: str) -> dict[str, Flow]:
        """The flows that this host, or its group, must carry."""
        group = self.group_of(host)
        shared = self._carried_by.get(group, {}) if group is not None else {}
        return {**self._carried_by.get(host, {}), **shared}

    def checks_of(self, stage: str) -> dict[str, Check]:
        """The checks that are asked for trials of a stage."""
        return {name: check for name, check in self.checks.items() if check.stage in (None, stage)}

    def silences_of(self, host: str) -> dict[str, Silence]:
        """What is silenced while this host is on trial."""
        roles = self.hosts[host].roles
        return {
            name: one for name, one in self.silences.items() if not one.roles or set(one.roles) & set(roles)
        }

    def policy_of(self, host: str) -> Policy:
        """The policy of the first role that has one, else `default`, else the defaults."""
        for role in (*self.hosts[host].roles, "default"):
            if role in self.policies:
                return self.policies[role]
        return Policy()

    def reach_of(self, place: str) -> Reach:
        """How a vantage or a host is reached. Raises KeyError."""
        return self.vantages[place] if place in self.vantages else self.hosts[place].reach
