"""Checks of where data is kept: NFS as servers offer it and as clients see it, replication, exports."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from seatrial.model.check.base import CheckBase
from seatrial.model.declared import Duration, Name, Port, Word, wrong


def _no_way_up(path: str) -> str:
    if {".", ".."} & set(path.split("/")):
        raise ValueError("a path without . and .. is wanted")
    return path


# A path ends up in the argv of a program or in a message to a server, never in a shell.
Path = Annotated[str, StringConstraints(pattern=r"^/[^\x00-\x1f\x7f]{0,499}$"), AfterValidator(_no_way_up)]
FileName = Annotated[
    str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f/]{1,200}$"), AfterValidator(_no_way_up)
]


class NfsCheck(CheckBase):
    """An NFS server answers over the network and has a path, asked without a mount; a hung one is told from a dead one."""

    kind: Literal["nfs"]
    address: Word = Field(description="a host name or an address")
    port: Port = Field(default=2049, description="where NFS listens")
    version: Literal[3, 4] = Field(default=4, description="the version that is asked")
    path: Path | None = Field(
        default=None, description="what must be there, as a client would mount it; version 4 only"
    )

    @property
    def subjects(self) -> tuple[str, ...]:
        """The machine, then its NFS server."""
        return (self.address, f"nfs at {self.address}")

    @model_validator(mode="after")
    def _path_wants_four(self) -> NfsCheck:
        if self.path is not None and self.version != 4:
            raise wrong(
                "path", "a path can be looked at with version 4 only; version 3 mounts it by another program"
            )
        return self


class ShareCheck(CheckBase):
    """A mounted file system does what its users do: list, write, sync, read back, rename, remove, each within its time."""

    kind: Literal["share"]
    path: Path = Field(description="a directory on it, where `from` may write")
    write: bool = Field(
        default=True,
        description="whether it is written to: in a directory of its own, `seatrial-` and 8 letters, that is removed",
    )
    file: FileName | None = Field(default=None, description="a file in the directory that must be readable")
    type: Word | None = Field(
        default=None, description="what must be mounted there, such as nfs4 or ext4; absent: anything"
    )

    @property
    def subjects(self) -> tuple[str, ...]:
        """The client, then what it has mounted."""
        return (self.source_vantage, f"{self.path} on {self.source_vantage}")


class LockCheck(CheckBase):
    """One file is locked from two clients: the second is refused while the first has the lock, and gets it afterwards."""

    kind: Literal["lock"]
    other: Name = Field(alias="with", description="the vantage or host that wants the same lock")
    path: Path = Field(description="a directory on the share, where both may write")
    other_path: Path | None = Field(
        default=None,
        alias="with_path",
        description="the same directory as `with` has it; absent: the same path",
    )
    timeout: Duration = Field(
        default=20.0, description="after which there is no answer; the two have to meet first"
    )

    @property
    def subjects(self) -> tuple[str, ...]:
        """Both clients, then what they share."""
        return (self.source_vantage, self.other, f"locks at {self.path}")

    @model_validator(mode="after")
    def _takes_two(self) -> LockCheck:
        if self.other == self.source_vantage:
            raise wrong("with", "it takes two places: name another one than in `from`")
        return self


class DrbdCheck(CheckBase):
    """A DRBD resource is connected and up to date on both sides, and in the role that it should have here."""

    kind: Literal["drbd"]
    resource: Name = Field(description="its name in the configuration of DRBD")
    role: Literal["primary", "secondary", "any"] = Field(
        default="any", description="the role it must have here"
    )

    @property
    def subjects(self) -> tuple[str, ...]:
        """The host, then the resource, which its peers share."""
        return (self.source_vantage, f"drbd {self.resource}")


class ExportsCheck(CheckBase):
    """An NFS server serves the paths that are wanted, to whom it should, and as it is configured."""

    kind: Literal["exports"]
    paths: tuple[Path, ...] = Field(default=(), description="what must be served")
    clients: tuple[Word, ...] = Field(
        default=(),
        description="who must be served each of them: an address, a network, or a name as exportfs shows it",
    )
    compare: bool = Field(
        default=True,
        description="whether a difference to /etc/exports and /etc/exports.d is a failure; no for a cluster's exports",
    )

    @property
    def subjects(self) -> tuple[str, ...]:
        """The server, then what it serves."""
        return (self.source_vantage, f"exports of {self.source_vantage}")


StorageCheck = NfsCheck | ShareCheck | LockCheck | DrbdCheck | ExportsCheck
