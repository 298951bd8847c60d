"""GRUB 2 on Debian and Ubuntu as a BootMethod: the Commands, and one reading of everything a host says of its boot.

What is not in: what is refused and why (refusals.py), GRUB's files (grubcfg.py, grubenv.py), the guard.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache

from seatrial.boot.frames import Sections, read_sections
from seatrial.boot.grubcfg import Entry, read_menu
from seatrial.boot.grubenv import env_problem, read_env
from seatrial.boot.refusals import refusals
from seatrial.boot.scripts import entry_script, facts_script, glance_script
from seatrial.errors import InputError
from seatrial.model.command import Command, Output
from seatrial.model.hostfacts import BootFacts, InstalledKernel
from seatrial.model.result import Result

_ENTRY = re.compile(r"[A-Za-z0-9._~+,':@/=>() -]{1,400}")
_LIMIT = 1024 * 1024


class Grub:
    """Debian's and Ubuntu's GRUB 2 with a menu by grub-mkconfig."""

    name = "grub"

    def facts(self) -> Command:
        """Ask for everything in one run; needs root, since grub.cfg may be readable by root only."""
        return Command(
            name="boot.facts", argv=("sh", "-s"), stdin=facts_script(), root=True, timeout=30.0, limit=_LIMIT
        )

    def glance(self) -> Command:
        """Ask for what changes during a trial."""
        return _glance()

    def read(self, output: Output) -> BootFacts | None:
        """Read the answer of `facts`. None when there is none, or one that says not even what is running."""
        if not output.answered:
            return None
        sections = read_sections(output.stdout)
        running = sections.text("running").strip()
        boot_id = sections.text("boot-id").strip()
        uptime = _uptime(sections.text("uptime"))
        if not sections.whole or not running or not boot_id or uptime is None:
            return None
        return _facts(sections, running, boot_id, uptime)

    def boot_once(self, entry: str) -> Command:
        """The next boot takes `entry`. Refused (status 3) while another one-shot boot is pending."""
        return self._entry("boot.once", "once", entry)

    def make_default(self, entry: str) -> Command:
        """Every boot takes `entry`."""
        return self._entry("boot.default", "default", entry)

    def refusals(self, facts: BootFacts, good: str, candidate: str) -> tuple[Result, ...]:
        """One Result for each question that arming depends on."""
        return refusals(facts, good, candidate)

    def _entry(self, name: str, verb: str, entry: str) -> Command:
        check_entry(entry)
        return Command(
            name=name,
            argv=("sh", "-s", "--", verb, entry),
            stdin=entry_script(),
            safe=False,
            root=True,
            package="grub-common",
        )


# It is asked with every turn of every trial, and is always the same.
@cache
def _glance() -> Command:
    return Command(
        name="boot.glance",
        argv=("sh", "-s"),
        stdin=glance_script(),
        root=True,
        timeout=30.0,
        limit=_LIMIT,
    )


def check_entry(entry: str) -> None:
    """Raises InputError for a menu entry with characters that the host's side does not take."""
    if not _ENTRY.fullmatch(entry):
        raise InputError(
            f"the menu entry {entry[:80]!r} has characters that Seatrial does not hand to a boot loader",
            hint="give the entry an id of letters, digits and -._> in grub.cfg",
        )


def _facts(sections: Sections, running: str, boot_id: str, uptime: float) -> BootFacts:
    menu = read_menu(sections.text("cfg"))
    env = read_env(sections.text("env")) or {}
    saved = env.get("saved_entry", "")
    # prev_saved_entry is an older way of one boot only: GRUB puts it back into saved_entry at the next boot.
    pending = env.get("next_entry", "") or env.get("prev_saved_entry", "")
    chosen = menu.find(saved if menu.saved else menu.fixed)
    awaited = menu.find(pending) if pending else None
    mounts = [line.split(" ") for line in sections.lines("mounts")]
    problem = env_problem(sections)
    if not problem and sections.has("cfg") and not menu.once:
        problem = "grub.cfg does not take next_entry for one boot only: grub-mkconfig did not write it"
    return BootFacts(
        running=running,
        boot_id=boot_id,
        uptime=uptime,
        kernels=_kernels(sections.text("boot"), sections.text("modules"), sections.text("cfg")),
        saved_default=menu.saved,
        default=chosen.version if chosen else None,
        next=awaited.version if awaited else None,
        env_problem=problem,
        menu_waits=menu.waits if sections.has("cfg") else "",
        room=_free(sections.lines("room")),
        half_configured=_packages(sections.lines("packages")),
        panic_sysctl=_number(sections.text("panic")),
        watchdog=bool(sections.lines("watchdog")),
        default_entry=saved if menu.saved else menu.fixed,
        pending=pending,
        inodes=_free(sections.lines("inodes")),
        read_only=tuple(dict.fromkeys(words[0] for words in mounts if len(words) > 3 and _is_ro(words[3]))),
        unread=tuple(name for name in _SECTIONS if not sections.has(name)),
    )


# The sections without which some question is UNKNOWN.
_SECTIONS = (
    "boot",
    "modules",
    "cfg",
    "env",
    "env-file",
    "env-device",
    "mounts",
    "room",
    "inodes",
    "packages",
)


# As with the menu: what is installed hardly ever changes from one look to the next.
@lru_cache(maxsize=256)
def _kernels(boot: str, modules_there: str, cfg: str) -> Mapping[str, InstalledKernel]:
    files = _sizes(_lines(boot))
    modules = {path.split("/")[-2] for path, size in _sizes(_lines(modules_there)).items() if size > 0}
    offered = list(read_menu(cfg).walk())
    kernels: dict[str, InstalledKernel] = {}
    for path, size in sorted(files.items()):
        version = path.removeprefix("/boot/vmlinuz-")
        if version == path or not version or size == 0:
            continue
        spelling, entry = _best(offered, version)
        wanted = [name.rsplit("/", 1)[-1] for name in entry.initrds] if entry else [f"initrd.img-{version}"]
        kernels[version] = InstalledKernel(
            version=version,
            entry=spelling,
            initrd_wanted=bool(wanted),
            initrd_present=bool(wanted)
            and all(files.get(f"/boot/{name}", 0) > 0 for name in wanted if _own(name)),
            modules=version in modules,
            panic=entry.panic if entry else 0,
        )
    return kernels


def _lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line.strip()]


def _own(name: str) -> bool:
    """Not microcode, which stands beside the initramfs in a menu entry and may have any name."""
    return name.startswith("initrd.img-")


def _best(offered: list[tuple[str, Entry]], version: str) -> tuple[str | None, Entry | None]:
    """The entry that will go on meaning this version: not the first one of all, which moves on to newer kernels."""
    mine = [(path, entry) for path, entry in offered if entry.version == version]
    ranked = sorted(
        mine,
        key=lambda one: (
            "recovery" in one[1].id or "(recovery mode)" in one[1].title,
            version not in one[1].id,
            "-advanced-" not in one[1].id,
        ),
    )
    if not ranked or "recovery" in ranked[0][1].id or not _ENTRY.fullmatch(ranked[0][0]):
        return None, None
    return ranked[0]


def _sizes(lines: list[str]) -> dict[str, int]:
    sizes = {}
    for line in lines:
        size, _, path = line.partition(" ")
        if (
            size.isdecimal()
            and size.isascii()
            and len(size) < 19
            and path.startswith("/")
            and path.count("/") > 1
        ):
            sizes[path] = int(size)
    return sizes


def _free(lines: list[str]) -> dict[str, int]:
    free = {}
    for line in lines[1:]:
        words = line.split(None, 5)
        # A file system without inodes to count (btrfs, vfat) says 0 of 0, or a dash: there is no limit to hit.
        if len(words) == 6 and re.fullmatch(r"\d{1,19}", words[3], re.ASCII) and words[1] != "0":
            free[words[5]] = int(words[3])
    return free


def _packages(lines: list[str]) -> tuple[str, ...]:
    return tuple(line.partition("|")[2][:100] for line in lines if "|" in line)[:50]


def _uptime(text: str) -> float | None:
    found = re.match(r"(\d{1,12}(?:\.\d{1,6})?)(?:\s|$)", text, re.ASCII)
    return float(found.group(1)) if found else None


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"\s*-?\d{1,9}\s*", text, re.ASCII) else 0


def _is_ro(options: str) -> bool:
    return "ro" in options.split(",")
