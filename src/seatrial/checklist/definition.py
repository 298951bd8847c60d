"""A checklist as it was declared: frozen values, in the order of the file. What is not in: reading or running one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Cmd:
    """Shell text, and what is wanted of it; None means that it is not looked at. `line` is where it stands."""

    text: str
    line: int
    retcode: int | None = None
    stdout: str | None = None
    stderr: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """Commands in order; the first that fails ends it. One without commands passes."""

    name: str
    line: int
    cmds: tuple[Cmd, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklist:
    """All that one file declares. `envvars` has each name once, and the first value that the file gives it.

    `notes` are sentences about what the file has and nobody looks at.
    """

    envvars: tuple[tuple[str, str], ...]
    tests: tuple[Test, ...]
    notes: tuple[str, ...] = ()
