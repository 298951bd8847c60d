"""Checks of one host from the inside: its kernel, its units, what waits in it, its settings, its room and its clock."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from seatrial.model.check.base import CheckBase
from seatrial.model.declared import Duration, Text, Word, wrong


def _like(pattern: str, wanted: str) -> tuple[AfterValidator, WithJsonSchema]:
    """Text of a shape, with words for the one who wrote another one, since a pattern is no sentence."""
    compiled = re.compile(pattern)

    def shaped(text: str) -> str:
        if compiled.fullmatch(text) is None:
            raise ValueError(wanted)
        return text

    return AfterValidator(shaped), WithJsonSchema({"type": "string", "pattern": f"^(?:{pattern})$"})


# /boot/vmlinuz-RELEASE is named after it.
Release = Annotated[
    str, *_like(r"[A-Za-z0-9][A-Za-z0-9._+~-]{0,99}", "a kernel release as `uname -r` says it is wanted")
]
# It becomes a path below /proc/sys, so that neither a space nor `..` may be in it.
SysctlKey = Annotated[
    str,
    *_like(
        r"[A-Za-z0-9_-]{1,60}(?:[./][A-Za-z0-9_:@-]{1,60}){1,9}",
        "a setting as sysctl writes it is wanted, such as net.ipv4.ip_forward",
    ),
]
Path = Annotated[
    str, *_like(r"/[^\x00-\x1f\x7f]{0,499}", "a path from the root is wanted, such as /srv/data")
]
# IFNAMSIZ of Linux is 16 with the final NUL.
Device = Annotated[str, *_like(r"[^\s/-][^\s/]{0,14}", "an interface as `ip link` names it is wanted")]
ClassId = Annotated[
    str, *_like(r"[0-9a-f]{0,4}:[0-9a-f]{1,4}", "a class as tc writes it is wanted, such as 1:10")
]
Room = Annotated[
    str,
    *_like(
        r"\d{1,2}(?:\.\d{1,3})?%|100%|\d{1,15}[KMGT]?",
        "a share such as 5%, or a number such as 20G is wanted",
    ),
]
Percent = Annotated[float, Field(ge=0, le=100)]

_RATE = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)([kmgt]?)bit")
_STEPS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


def parse_rate(value: object) -> float:
    """Bits a second from `8mbit` as tc writes it. Raises ValueError with what is accepted."""
    found = _RATE.fullmatch(value.strip().lower()) if isinstance(value, str) else None
    if found is None:
        raise ValueError("a rate as tc writes it is wanted, such as 800kbit, 8mbit or 1gbit")
    return float(found.group(1)) * _STEPS[found.group(2)]


Rate = Annotated[
    float,
    BeforeValidator(parse_rate),
    WithJsonSchema({"type": "string", "format": "rate such as 800kbit, 8mbit or 1gbit"}),
]


class KernelCheck(CheckBase):
    """Which kernel runs, which are installed, what the next boot would take."""

    kind: Literal["kernel"]
    running: Release | None = Field(default=None, description="the release that must run; absent: any")
    default: Release | None = Field(
        default=None,
        description="the release that every boot must take, or `running`: the one that runs; absent: any",
    )
    next: Release | None = Field(
        default=None,
        description="the release that must be set for the next boot only, or `none`; absent: any or none",
    )

    @property
    def subjects(self) -> tuple[str, ...]:
        """The host, then its kernel."""
        return (self.source_vantage, f"the kernel of {self.source_vantage}")


class UnitCheck(CheckBase):
    """A systemd unit is active, or no unit of the host has failed."""

    kind: Literal["unit"]
    unit: Word | None = Field(default=None, description="its full name, such as ssh.service")
    failed: Literal["none"] | None = Field(
        default=None, description="instead of `unit`: no unit of the host may have failed"
    )
    besides: tuple[Word, ...] = Field(
        default=(), description="with `failed`: units that may have failed, by name or pattern (`snap-*`)"
    )

    @model_validator(mode="after")
    def _one_question(self) -> UnitCheck:
        if (self.unit is None) == (self.failed is None):
            raise wrong("unit", "either `unit` or `failed: none` is wanted")
        if self.besides and self.failed is None:
            raise wrong("besides", "`besides` goes with `failed: none`")
        return self

    @property
    def subjects(self) -> tuple[str, ...]:
        """The host, then its unit."""
        return (self.source_vantage, f"{self.unit or 'the units'} on {self.source_vantage}")


class DmesgCheck(CheckBase):
    """Kernel messages of this boot that were not there at the boot before, and what taints the kernel."""

    kind: Literal["dmesg"]


class ProcessesCheck(CheckBase):
    """Processes that wait in the kernel and cannot be woken (state D), such as all users of a dead disk or NFS server.

    For those that wait on a mount over the network the mount is named, and the commands that free them.
    """

    kind: Literal["processes"]
    most: int = Field(default=0, ge=0, description="how many may wait")
    names: tuple[Word, ...] = Field(
        default=(), description="names or patterns (`nfsd`, `kworker*`) that count; absent: all"
    )
    pause: Annotated[Duration, Field(le=60)] = Field(
        default=1.0,
        description="between two looks; what waits at only one of them waits for a disk as it should",
    )

    @property
    def subjects(self) -> tuple[str, ...]:
        """The host, then what waits in it."""
        return (self.source_vantage, f"the input and output of {self.source_vantage}")


class LoadCheck(CheckBase):
    """The load average: how many processes run, want to run, or wait for a disk."""

    kind: Literal["load"]
    most: float | None = Field(default=None, ge=0, description="the load that it may have")
    most_per_cpu: float | None = Field(
        default=None, ge=0, description="the load that it may have for each of its processors"
    )
    minutes: Literal[1, 5, 15] = Field(default=5, description="over which the average goes")

    @model_validator(mode="after")
    def _some_limit(self) -> LoadCheck:
        if self.most is None and self.most_per_cpu is None:
            raise wrong("most", "a limit is wanted: `most` or `most_per_cpu`")
        return self

    @property
    def subjects(self) -> tuple[str, ...]:
        """The host, then its load."""
        return (self.source_vantage, f"the load of {self.source_vantage}")


class PressureCheck(CheckBase):
    """The share of time in which tasks stood still for want of processor, disk or memory (PSI)."""

    kind: Literal["pressure"]
    of: Literal["cpu", "io", "memory"] = Field(description="what is short")
    share: Literal["some", "full"] = Field(
        default="some", description="`some`: at least one task stood still; `full`: all of them did"
    )
    seconds: Literal[10, 60, 300] = Field(default=60, description="over which the average goes")
    most: Percent = Field(description="percent of the time that it may be")

    @property
    def subjects(self) -> tuple[str, ...]:
        """The host, then what is short."""
        return (self.source_vantage, f"the {self.of} of {self.source_vantage}")


class SysctlCheck(CheckBase):
    """A setting of the kernel has the value that is wanted."""

    kind: Literal["sysctl"]
    key: SysctlKey = Field(description="as sysctl writes it, such as net.ipv4.ip_forward")
    value: int | Text | None = Field(default=None, description="what it must be")
    least: int | None = Field(default=None, description="the least that it may be")
    most: int | None = Field(default=None, description="the most that it may be")

    @model_validator(mode="after")
    def _some_wish(self) -> SysctlCheck:
        if self.value is None and self.least is None and self.most is None:
            raise wrong("value", "`value`, `least` or `most` is wanted")
        if self.value is not None and (self.least is not None or self.most is not None):
            raise wrong("value", "either `value` is wanted, or `least` and `most`")
        return self

    @property
    def subjects(self) -> tuple[str, ...]:
        """The host, then the setting."""
        return (self.source_vantage, f"the setting {self.key} of {self.source_vantage}")


class SchedulerCheck(CheckBase):
    """The disks of a host have the IO scheduler that is wanted."""

    kind: Literal["scheduler"]
    scheduler: Word = Field(description="as the kernel writes it: none, mq-deadline, bfq, kyber")
    disks: tuple[Word, ...] = Field(
        default=("sd*", "vd*", "xvd*", "nvme*", "mmcblk*"), description="names or patterns of the disks"
    )

    @property
    def subjects(self) -> tuple[str, ...]:
        """The host, then its disks."""
        return (self.source_vantage, f"the disks of {self.source_vantage}")


class QdiscCheck(CheckBase):
    """The traffic of an interface is shaped as it is wanted."""

    kind: Literal["qdisc"]
    device: Device = Field(description="the interface")
    root: Word | None = Field(default=None, description="the kind of the root qdisc, such as htb or fq_codel")
    classes: dict[ClassId, Rate] = Field(
        default_factory=dict,
        description="classes of htb that must be there with their rates: `'1:10': 8mbit`",
    )

    @model_validator(mode="after")
    def _some_wish(self) -> QdiscCheck:
        if self.root is None and not self.classes:
            raise wrong("root", "`root` or `classes` is wanted")
        return self

    @property
    def subjects(self) -> tuple[str, ...]:
        """The host, then the interface."""
        return (self.source_vantage, f"the interface {self.device} of {self.source_vantage}")


class MountsCheck(CheckBase):
    """A file system is mounted where and as it is wanted."""

    kind: Literal["mounts"]
    path: Path | None = Field(default=None, description="where it must be mounted")
    source: Text | None = Field(default=None, description="what must be mounted there, such as /dev/drbd0")
    type: Word | None = Field(default=None, description="the file system's type, such as ext4 or nfs4")
    options: tuple[Word, ...] = Field(default=(), description="options that it must have")
    writable: bool | None = Field(
        default=None, description="whether it must be writable; a disk in trouble is made read-only by itself"
    )
    fstab: bool = Field(
        default=False, description="everything that /etc/fstab mounts at boot must be mounted"
    )

    @model_validator(mode="after")
    def _some_wish(self) -> MountsCheck:
        if self.path is None and not self.fstab:
            raise wrong("path", "`path` or `fstab: true` is wanted")
        if self.path is None and (self.source or self.type or self.options or self.writable is not None):
            raise wrong("path", "`source`, `type`, `options` and `writable` are of one `path`")
        return self

    @property
    def subjects(self) -> tuple[str, ...]:
        """The host, then the mount point."""
        what = f"the file system at {self.path}" if self.path else "the mounts"
        return (self.source_vantage, f"{what} of {self.source_vantage}")


class TimeCheck(CheckBase):
    """The clock of a host is kept in step with others."""

    kind: Literal["time"]
    most: Duration = Field(default=0.1, description="how far it may be off, as far as the host can tell")

    @property
    def subjects(self) -> tuple[str, ...]:
        """The host, then its clock."""
        return (self.source_vantage, f"the clock of {self.source_vantage}")


class DiskCheck(CheckBase):
    """There is room for data and for files on a file system."""

    kind: Literal["disk"]
    path: Path = Field(description="a path on the file system")
    least: Room = Field(
        default="5%", description="what must be free for ordinary users: `5%`, or bytes: `20G`"
    )
    least_inodes: Room = Field(default="5%", description="inodes that must be free: `5%`, or their number")

    @property
    def subjects(self) -> tuple[str, ...]:
        """The host, then the file system."""
        return (self.source_vantage, f"the file system at {self.path} of {self.source_vantage}")


HostCheck = (
    KernelCheck
    | UnitCheck
    | DmesgCheck
    | ProcessesCheck
    | LoadCheck
    | PressureCheck
    | SysctlCheck
    | SchedulerCheck
    | QdiscCheck
    | MountsCheck
    | TimeCheck
    | DiskCheck
)
