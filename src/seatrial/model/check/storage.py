"""Checks of where data is kept: NFS as servers offer it and as clients see it, replication, exports."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from seatrial.model.check.base import CheckBase
from seatrial.model.declared import Port, Word, wrong


def _no_way_up(path: str) -> str:
    if {".", ".."} & set(path.split("/")):
        raise ValueError("a path without . and .. is wanted")
    return path


# A path ends up in the argv of a program or in a message to a server, never in a shell.
Path = Annotated[str, StringConstraints(pattern=r"^/[^\x00-\x1f\x7f]{0,499}$"), AfterValidator(_no_way_up)]


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


StorageCheck = NfsCheck
