"""Exports: what the NFS servers of a group should serve, as somebody else knows it, and how much of it may go at once.

What is in: what the operator declares. What is not: reading the source's answer and judging it, which is the exports room's.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from seatrial.model.declared import Declared, Duration, Name, Text, wrong


def _no_way_up(path: str) -> str:
    if {"", ".", ".."} & set(path.rstrip("/").split("/")[1:]):
        raise ValueError("a path without . and .. is wanted")
    return path.rstrip("/") or "/"


Path = Annotated[str, StringConstraints(pattern=r"^/[^\x00-\x20\x7f]{0,499}$"), AfterValidator(_no_way_up)]
# exportfs reads what ends in .exports and lies in this folder; what lies beside it under another name it passes over.
ExportsFile = Annotated[
    str, StringConstraints(pattern=r"^/etc/exports\.d/[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.exports$")
]


class Removals(Declared):
    """How much one apply may take away by itself: an export that goes, or whose options change. Both limits hold."""

    most: int = Field(default=0, ge=0, description="so many entries; 0: apply only adds")
    share: float = Field(default=10.0, ge=0, le=100, description="percent of the entries that there are")


class Exports(Declared):
    """What an NFS server or a pair of them serves, wanted from a file or from a command of yours.

    An answer that fails, is cut off, or has a line that is not understood counts as no answer, and changes nothing. An
    empty one takes nothing away.
    """

    group: Name = Field(
        description="the group whose hosts serve it, or one host; all of them get the same file"
    )
    source_vantage: Name | None = Field(
        default=None,
        alias="from",
        description="the vantage or host that has the file or runs the command; absent: this machine",
    )
    file: Path | None = Field(
        default=None, description="the file with what is wanted; either this or `command`"
    )
    command: tuple[Text, ...] | None = Field(
        default=None,
        min_length=1,
        description="the program that prints what is wanted, and its words; its exit status must be 0",
    )
    format: Literal["lines", "json"] = Field(
        default="lines",
        description="`lines` as exports(5) has them, or `json`: {exports: [{path, clients: [..], options}]}",
    )
    ends_with: Text | None = Field(
        default=None,
        description="the last line of a whole answer, such as `# end`; without it an answer that was cut off after a line is not noticed",
    )
    under: tuple[Path, ...] = Field(
        default=("/srv",),
        min_length=1,
        description="the directories that may be exported, and all below them",
    )
    into: ExportsFile = Field(
        default="/etc/exports.d/seatrial.exports",
        description="the file that is written; others are never touched",
    )
    removals: Removals = Field(default=Removals(), description="how much may go at once")
    timeout: Duration = Field(default=30.0, ge=1, description="after which the source has not answered")

    @model_validator(mode="after")
    def _one_source(self) -> Exports:
        if (self.file is None) == (self.command is None):
            raise wrong("file", "either `file` or `command` is wanted")
        if self.format == "json" and self.ends_with is not None:
            raise wrong("ends_with", "goes with lines; JSON that is cut off is no JSON")
        return self
