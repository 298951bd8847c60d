"""What a host says of its kernels, its boot loader and its guard: the facts that a Trial is decided on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledKernel:
    """A kernel on disk. `entry` is its boot menu id, None when the menu lacks it; sizes are in bytes.

    `initrd_wanted` says whether its menu entry loads an initramfs, `initrd_present` whether that file is there and
    not empty; `modules` whether /lib/modules has it; `panic` is panic= of its menu entry (seconds, 0 when absent).
    """

    version: str
    entry: str | None
    initrd_wanted: bool
    initrd_present: bool
    modules: bool
    panic: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BootFacts:
    """The boot loader's side of a host, from one reading.

    `default` and `next` are kernel versions (None: cannot be said / nothing is set); `uptime` is in seconds,
    `room` maps a mount point that arming writes to, to its free bytes; `env_problem` is a sentence when the boot
    loader cannot write its environment block, "" when it can; `menu_waits` when the menu can stop a headless boot;
    `saved_default` is whether the default is a saved entry; `half_configured` lists packages that dpkg holds for
    broken; `watchdog` is whether a hardware watchdog is there.

    `default_entry` and `pending` are the words of the boot loader itself: the saved default as it is spelled, and
    the entry that the next boot alone would take ("" for none), which need not be a kernel that is known here.
    `inodes` is like `room`, in free inodes; `read_only` lists those mount points that cannot be written. `unread`
    names the sections that gave no answer: a question that needs one of them is UNKNOWN.
    """

    running: str
    boot_id: str
    uptime: float
    kernels: Mapping[str, InstalledKernel]
    saved_default: bool
    default: str | None
    next: str | None
    env_problem: str = ""
    menu_waits: str = ""
    room: Mapping[str, int] = field(default_factory=dict)
    half_configured: tuple[str, ...] = ()
    panic_sysctl: int = 0
    watchdog: bool = False
    method: str = "grub"
    default_entry: str = ""
    pending: str = ""
    inodes: Mapping[str, int] = field(default_factory=dict)
    read_only: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardFacts:
    """What the guard on the host says. Seconds are of the host's own uptime.

    `phase` is absent (never installed or cleaned away), armed, blessed (complete), reverted, or disarmed; `log` is
    its own last lines, oldest first.

    While it is armed, `doing` says what it is in the middle of: "" (watching), "blessing" (a blessing is recorded
    and the default not yet changed; the guard goes on trying) or "reverting" (on its way back). `boots` counts how
    often the candidate came up, `heartbeat` is the uptime at which the candidate was last seen (-1.0: never), and
    `watching` whether the unit runs now.
    """

    phase: str
    trial: str = ""
    candidate: str = ""
    good: str = ""
    deadline: float = 0.0
    armed_boot_id: str = ""
    blessed_boot_id: str = ""
    because: str = ""
    log: tuple[str, ...] = ()
    doing: str = ""
    boots: int = 0
    heartbeat: float = -1.0
    watching: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One look at a host: both sides from one exec."""

    boot: BootFacts
    guard: GuardFacts
