"""Mover: how the service of a group is moved between its hosts, chosen by `driver`. One class a driver, and one union.

What is in: what the operator declares for each driver. What is not: what a driver does with it, which is the ha room's.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag, model_validator

from seatrial.model.declared import Address, Declared, Duration, Name, Word, wrong
from seatrial.model.managed import (
    CommandMover,
    DrbdReactorMover,
    KubernetesMover,
    OpenstackMover,
    PacemakerMover,
)
from seatrial.model.moverbase import AbsolutePath, MoverBase

_DEFAULT = "keepalived"


class KeepalivedMover(MoverBase):
    """VRRP by keepalived, which is told through a tracked file."""

    driver: Literal["keepalived"] = Field(default="keepalived", description="what moves it")
    address: Address = Field(description="the virtual address whose owner carries the traffic")
    further: tuple[Address, ...] = Field(
        default=(),
        description="further virtual addresses that move with it, such as the one of the other family; their instances "
        "belong into one vrrp_sync_group",
    )
    conntrackd: bool = Field(
        default=False,
        description="whether the table of connections is handed over by conntrackd once the address has moved; no where "
        "keepalived's own notify script does it",
    )
    yield_file: AbsolutePath = Field(
        default="/run/seatrial/yield",
        description="keepalived's track_file: a number above 0 gives the address up",
    )

    @property
    def addresses(self) -> tuple[str, ...]:
        """All virtual addresses."""
        return (self.address, *self.further)


class MovedVolume(Declared):
    """A file system on the replicated device, which is mounted where the service is."""

    device: Annotated[str, StringConstraints(pattern=r"^/dev/drbd\d{1,7}$")] = Field(
        description="the DRBD device by its number, such as /dev/drbd0"
    )
    mount: AbsolutePath = Field(description="where it is mounted on the host that serves")
    type: Word | None = Field(default=None, description="its file system; absent: mount finds out")
    options: Word = Field(default="defaults", description="mount options")


class ServiceAddress(Declared):
    """An address that moves with the service."""

    address: Address = Field(description="the address that the clients use")
    prefix: int = Field(ge=1, le=128, description="the length of its network's prefix")
    interface: Word = Field(description="the interface that has it, on either host")


class NfsServed(Declared):
    """The NFS server that runs where the service is."""

    scope: Word = Field(
        description="the server's name for the clients (nfs_server_scope), one for all hosts of the group: "
        "where it differs, clients of NFSv4.1 hang after a move"
    )
    state: AbsolutePath | None = Field(
        default=None,
        description="where nfsdcld keeps who the clients are; on the replicated volume, or no lock outlives a move",
    )
    pipes: AbsolutePath = Field(default="/run/rpc_pipefs", description="where rpc_pipefs is mounted")
    lease: Duration = Field(default=90.0, ge=10, le=3600, description="the lease of the clients' state")
    grace: Duration = Field(
        default=90.0, ge=10, le=3600, description="how long clients may reclaim after a move, at most"
    )
    threads: int = Field(default=8, ge=1, le=4096, description="threads of nfsd")
    versions: tuple[Literal["3", "4.0", "4.1", "4.2"], ...] = Field(
        default=("4.1", "4.2"), min_length=1, description="what is served; all others are switched off"
    )
    units: tuple[Word, ...] = Field(
        default=(),
        description="systemd units that are stopped in this order and started in the reverse one, in place of running "
        "nfsd, nfsdcld and mountd by hand; scope, lease and versions are then theirs to set",
    )

    @model_validator(mode="after")
    def _grace_of_a_lease(self) -> NfsServed:
        if self.grace < self.lease:
            raise wrong("grace", "a grace shorter than the lease is over before a slow client can reclaim")
        return self


class Wants(Declared):
    """Settings of the host that the service needs where it runs: put there by a move, and looked at afterwards."""

    sysctls: dict[Word, Word] = Field(default_factory=dict, description="settings by their sysctl names")
    schedulers: dict[Word, Word] = Field(
        default_factory=dict, description="the input and output scheduler of a block device, by its name"
    )
    shaping: dict[Word, tuple[Word, ...]] = Field(
        default_factory=dict,
        description="by interface: what follows `tc qdisc replace dev INTERFACE root`",
    )


class DrbdNfsMover(MoverBase):
    """DRBD, its file systems, the service address and the kernel's NFS server by hand, where no cluster manager is."""

    driver: Literal["drbd-nfs"] = Field(description="what moves it")
    resource: Name = Field(description="the resource in the configuration of DRBD")
    volumes: tuple[MovedVolume, ...] = Field(min_length=1, description="mounted in this order")
    address: ServiceAddress = Field(description="the address that the clients use")
    nfs: NfsServed = Field(description="the NFS server")
    wants: Wants = Field(default=Wants(), description="settings that the host that serves must have")
    busy: Literal["name", "expire", "stop"] = Field(
        default="expire",
        description="what is done about a volume that is busy: name its holders and go back; or also expire the NFS "
        "clients that hold files of it open; or also stop what is in `holders`",
    )
    holders: tuple[Word, ...] = Field(
        default=(),
        description="systemd units that may be stopped when they hold a volume, with `busy: stop`",
    )

    @property
    def addresses(self) -> tuple[str, ...]:
        """The service address."""
        return (self.address.address,)

    @model_validator(mode="after")
    def _holders_with_stop(self) -> DrbdNfsMover:
        if self.holders and self.busy != "stop":
            raise wrong("holders", "goes with `busy: stop` only")
        return self


class NoMover(MoverBase):
    """Nothing moves between them: each carries its own, and they only must not be on trial together."""

    driver: Literal["none"] = Field(default="none", description="that nothing does")


def _driver(value: Any) -> Any:
    """The word that chooses the class: a mover without one is keepalived's, as it always was."""
    if isinstance(value, dict):
        return value.get("driver", _DEFAULT)
    return getattr(value, "driver", _DEFAULT)


Mover = Annotated[
    Annotated[KeepalivedMover, Tag("keepalived")]
    | Annotated[DrbdNfsMover, Tag("drbd-nfs")]
    | Annotated[PacemakerMover, Tag("pacemaker")]
    | Annotated[DrbdReactorMover, Tag("drbd-reactor")]
    | Annotated[KubernetesMover, Tag("kubernetes")]
    | Annotated[OpenstackMover, Tag("openstack")]
    | Annotated[CommandMover, Tag("command")]
    | Annotated[NoMover, Tag("none")],
    Discriminator(_driver),
]
