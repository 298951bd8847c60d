"""What the warden is told and what it tells, as files in a lab's directory. What is in: their shape, and reading and
writing them whole. What is not: acting on them. A file is replaced, never rewritten, so nobody reads half of one.

    plan.json      what to lay and boot, written once by `up`
    status.json    what runs, written by the warden
    stopped.json   the programs of endpoints that are not to run for now; the warden reads it when told to (SIGHUP)
    lock           held by the living warden (flock); a lab whose lock is free is dead, whatever its files say
    HOST/          overlay, seed, host key, sockets and console.log of a host
    ENDPOINT-PROGRAM/   what a program of an endpoint keeps
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from seatrial.lab.accel import Accelerator
from seatrial.lab.image import Kernels
from seatrial.lab.topology import Topology


@dataclass(frozen=True, slots=True, kw_only=True)
class LabPlan:
    """What a lab is to be. `owner_pid` is the process whose end is the lab's end as well."""

    name: str
    topology: Topology
    accelerator: Accelerator
    kernels: Kernels
    root_uuid: str
    memory_mib: int = 384
    owner_pid: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointStatus:
    """The process that holds the namespaces of an endpoint."""

    pid: int
    netns: str
    userns: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostStatus:
    """A running QEMU and the port on 127.0.0.1 that leads to its guest's SSH."""

    pid: int
    port: int
    running: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LabStatus:
    """What the warden last said. `programs` has the process of each program that runs, as ENDPOINT-PROGRAM."""

    pid: int
    phase: Literal["starting", "running", "failed", "down"]
    problem: str = ""
    hint: str = ""
    hosts: dict[str, HostStatus] = field(default_factory=dict)
    endpoints: dict[str, EndpointStatus] = field(default_factory=dict)
    programs: dict[str, int] = field(default_factory=dict)


_PLAN = TypeAdapter(LabPlan)
_STATUS = TypeAdapter(LabStatus)
_NAMES = TypeAdapter(list[str])


def write_plan(home: Path, plan: LabPlan) -> None:
    """Say what the lab is to be."""
    _replace(home / "plan.json", asdict(plan))


def read_plan(home: Path) -> LabPlan:
    """What the lab was told to be. Raises OSError or ValueError."""
    return _PLAN.validate_json((home / "plan.json").read_bytes())


def write_status(home: Path, status: LabStatus) -> None:
    """Say what runs."""
    _replace(home / "status.json", asdict(status))


def read_status(home: Path) -> LabStatus | None:
    """What the warden last said, or None when it said nothing yet."""
    try:
        return _STATUS.validate_json((home / "status.json").read_bytes())
    except (OSError, ValueError):
        return None


def write_stopped(home: Path, programs: Iterable[str]) -> None:
    """Say which programs of endpoints are not to run for now."""
    _replace(home / "stopped.json", sorted(programs))


def read_stopped(home: Path) -> frozenset[str]:
    """Which programs of endpoints are not to run for now."""
    try:
        return frozenset(_NAMES.validate_json((home / "stopped.json").read_bytes()))
    except (OSError, ValueError):
        return frozenset()


def is_alive(home: Path) -> bool:
    """Whether a warden holds the lab's lock."""
    try:
        with (home / "lock").open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _replace(path: Path, value: object) -> None:
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps(value, indent=1))
    fresh.replace(path)
