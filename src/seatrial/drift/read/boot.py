"""What a host says of itself and of its next boot, beside what GRUB's reader knows: kernels, devices, fstab, mounts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from seatrial.boot.frames import Sections
from seatrial.boot.grubcfg import read_fallback, read_menu
from seatrial.boot.grubenv import read_env
from seatrial.drift.read.text import clean, number, pairs
from seatrial.model.hostfacts import BootFacts

_ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who speaks. `now` and `booted` are seconds since 1970 by the host's own clock; `loaders` what could boot it."""

    host: str = ""
    kernel: str = ""
    system: str = ""
    now: float = 0.0
    booted: float = 0.0
    init: str = ""
    root: bool = False
    container: str = ""
    loaders: tuple[str, ...] = ()
    ticks: float = 100.0
    kexec: bool = False
    uptime: float = 0.0
    firmware: str = "bios"


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelFiles:
    """When a kernel's files were written, in seconds since 1970 (None: not there). `newer` is a module after the initramfs."""

    version: str
    initrd: float | None = None
    modules: float | None = None
    installed: float | None = None
    newer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FstabLine:
    """One line of fstab(5)."""

    source: str
    path: str
    kind: str
    options: tuple[str, ...]

    @property
    def needed(self) -> bool:
        """Whether a boot waits for it, and ends in emergency mode without it."""
        return not {"noauto", "nofail"} & set(self.options) and self.kind != "swap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One mount. `options` are those of the mount point and of the file system."""

    path: str
    source: str
    kind: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """What GRUB takes when a boot cannot be loaded: its words, with the kernel of each (None: no entry of the menu).

    `place` is the file that says so, `line` its line there (0: the environment block, or nobody knows).
    """

    entries: tuple[tuple[str, str | None], ...] = ()
    place: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Firmware:
    """The firmware's own one-shot boot, by its number ("" for none), with what the firmware calls it; and the boot of now."""

    next: str = ""
    next_called: str = ""
    current: str = ""
    current_called: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BootSide:
    """What the next boot starts from. `next_entry` is how the menu spells what it takes, `next_options` its command line."""

    facts: BootFacts | None = None
    next_version: str = ""
    next_options: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    kernels: Mapping[str, KernelFiles] = field(default_factory=dict)
    autoremove: tuple[str, ...] = ()
    menu_times: Mapping[str, float] = field(default_factory=dict)
    automatic: bool = False
    devices: frozenset[tuple[str, str]] = frozenset()
    fstab: tuple[FstabLine, ...] = ()
    missing_sources: frozenset[str] = frozenset()
    filesystems: frozenset[str] = frozenset()
    mounts: tuple[Mount, ...] = ()
    swaps: tuple[str, ...] = ()
    watchdogs: int = 0
    watchdog_armed: bool = False
    fallback: Fallback = field(default_factory=Fallback)
    firmware: Firmware = field(default_factory=Firmware)


def read_identity(sections: Sections) -> Identity:
    """The host's own words about itself."""
    said = dict(pairs(sections, "identity"))
    loaders = tuple(dict.fromkeys(what for key, what in pairs(sections, "identity") if key == "loader"))
    if said.get("os-ID") == "talos":
        loaders = ("talos",)
    return Identity(
        host=said.get("host", ""),
        kernel=said.get("kernel", ""),
        system=f"{said.get('os-ID', '')} {said.get('os-VERSION_ID', '')}".strip(),
        now=number(said.get("now", "")) or 0.0,
        booted=number(said.get("btime", "")) or 0.0,
        init=said.get("init", ""),
        root=said.get("root") == "yes",
        container=said.get("container", ""),
        loaders=loaders,
        ticks=number(said.get("clock-ticks", "")) or 100.0,
        kexec=said.get("kexec") == "1",
        uptime=number(sections.text("uptime").split(" ")[0].strip()) or 0.0,
        firmware=said.get("firmware", "bios"),
    )


def read_boot(sections: Sections, grub: Sections, facts: BootFacts | None) -> BootSide:
    """Everything about the next boot; `grub` are the sections that `facts` were read from."""
    version, options = _next(grub, facts)
    watchdog = sections.lines("watchdog")
    runtime = next((line for line in watchdog if line.startswith("RuntimeWatchdogUSec=")), "=0")
    return BootSide(
        facts=facts,
        next_version=version,
        next_options=options,
        options=_options(sections.text("cmdline")),
        kernels=_kernels(sections),
        autoremove=tuple(
            clean(line).removeprefix("linux-image-") for line in sections.lines("autoremove")[:50]
        ),
        menu_times=_times(sections),
        automatic=_automatic(sections.lines("automatic")),
        devices=frozenset(pairs(sections, "devices")),
        fstab=_fstab(sections),
        missing_sources=frozenset(clean(line) for line in sections.lines("missing-sources")),
        filesystems=frozenset(line.split("\t")[-1].strip() for line in sections.lines("filesystems")),
        mounts=_mounts(sections),
        swaps=tuple(clean(line.split(" ")[0].split("\t")[0]) for line in sections.lines("swaps")[1:]),
        watchdogs=sum(1 for line in watchdog if line.startswith("device ")),
        watchdog_armed=runtime.partition("=")[2] not in ("0", "infinity", ""),
        fallback=_fallback(sections, grub),
        firmware=_firmware(sections),
    )


_NAMED = re.compile(r"\$\{?(\w+)\}?")
_CUSTOM = "/boot/grub/custom.cfg"


def _fallback(sections: Sections, grub: Sections) -> Fallback:
    """The environment block is read first, the menu after it, and custom.cfg at the menu's end: the last word counts."""
    menu, env = read_menu(grub.text("cfg")), read_env(grub.text("env")) or {}
    lines = [line.split(":", 2) for line in sections.lines("fallback")]
    places = [(words[0], number(words[1]), words[2]) for words in lines if len(words) == 3]
    own = [text for path, _, text in places if path == _CUSTOM]
    said, place = env.get("fallback", ""), "/boot/grub/grubenv"
    if menu.fallback:
        said, place = menu.fallback, "/boot/grub/grub.cfg"
    if own:
        said, place = read_fallback(own[-1]), _CUSTOM
    if named := _NAMED.fullmatch(said):
        said = env.get(named.group(1), "")
    entries = menu.after_failures(said)
    if not entries:
        return Fallback()
    # The menu is made of the files in /etc/grub.d, where a change of it has to be made.
    made_of = [one for one in places if (one[0] == _CUSTOM) == (place == _CUSTOM)]
    path, line = (made_of[-1][0], int(made_of[-1][1] or 0)) if made_of else (place, 0)
    return Fallback(
        entries=tuple((clean(word), entry.version if entry else None) for word, entry in entries),
        place=clean(path) if place != "/boot/grub/grubenv" else place,
        line=line if place != "/boot/grub/grubenv" else 0,
    )


def _firmware(sections: Sections) -> Firmware:
    said = dict(pairs(sections, "efi"))
    following, now = _number_of(said.get("BootNext", "")), _number_of(said.get("BootCurrent", ""))
    return Firmware(
        next=following,
        next_called=_called(said.get(f"Boot{following}", "")),
        current=now,
        current_called=_called(said.get(f"Boot{now}", "")),
    )


def _bytes(digits: str) -> bytes:
    """A variable of the firmware, without the four bytes of attributes in front of it."""
    return bytes.fromhex(digits)[4:] if re.fullmatch(r"(?:[0-9a-f]{2})*", digits) else b""


def _number_of(digits: str) -> str:
    kept = _bytes(digits)
    return f"{int.from_bytes(kept[:2], 'little'):04X}" if len(kept) == 2 else ""


def _called(digits: str) -> str:
    """The description in a load option (UEFI 2.10, 3.1.3): after attributes and a length, to the first character 0."""
    text = _bytes(digits)[6:]
    return clean(text[: len(text) // 2 * 2].decode("utf-16-le", "replace").partition("\0")[0])


def _automatic(lines: list[str]) -> bool:
    """apt reads its files in the order of their names, and the last word counts."""
    said = [line for line in lines if line.strip()]
    return bool(said) and said[-1].partition('"')[2].partition('"')[0].lower() in ("true", "1", "yes", "on")


def _next(grub: Sections, facts: BootFacts | None) -> tuple[str, tuple[str, ...]]:
    if facts is None or not grub.has("cfg"):
        return "", ()
    menu = read_menu(grub.text("cfg"))
    spelling = facts.pending or facts.default_entry
    entry = menu.find(spelling)
    if entry is None:
        return "", ()
    return entry.version or "", _options(entry.cmdline)


def _options(line: str) -> tuple[str, ...]:
    words = line.replace("\n", " ").split(" ")
    return tuple(clean(word) for word in words if word and not word.startswith("BOOT_IMAGE="))


def _kernels(sections: Sections) -> Mapping[str, KernelFiles]:
    found = {}
    for line in sections.lines("kernels"):
        words = line.split(" ")
        if len(words) >= 6:
            found[clean(words[0])] = KernelFiles(
                version=clean(words[0]),
                initrd=number(words[2]),
                modules=number(words[3]),
                installed=number(words[4]),
                newer=clean(" ".join(words[5:])) if words[5] != "-" else "",
            )
    return found


def _times(sections: Sections) -> Mapping[str, float]:
    """When each file came to be as it is: written, or put there."""
    found = {}
    for line in sections.lines("menu-times"):
        words = line.split(" ", 2)
        if len(words) == 3 and (written := number(words[0])) is not None:
            found[clean(words[2])] = written
    return found


def _fstab(sections: Sections) -> tuple[FstabLine, ...]:
    found = []
    for line in sections.lines("fstab"):
        words = [*line.split(), "", "", "", ""][:4]
        if words[1]:
            found.append(
                FstabLine(
                    source=unescaped(words[0]),
                    path=unescaped(words[1]),
                    kind=clean(words[2]),
                    options=tuple(clean(words[3]).split(",")) if words[3] else (),
                )
            )
    return tuple(found)


def _mounts(sections: Sections) -> tuple[Mount, ...]:
    found: dict[str, Mount] = {}
    for line in sections.lines("mountinfo"):
        mine, dash, theirs = line.partition(" - ")
        words, more = mine.split(" "), theirs.split(" ")
        if dash and len(words) > 5 and len(more) > 2:
            path = unescaped(words[4])
            options = (*words[5].split(","), *more[2].split(","))
            # The mount that came last hides the others of its path.
            found[path] = Mount(
                path=path,
                source=unescaped(more[1]),
                kind=clean(more[0]),
                options=tuple(clean(option) for option in dict.fromkeys(options)),
            )
    return tuple(found.values())


def unescaped(word: str) -> str:
    """A path as people write it: fstab(5) and the kernel write a blank as \\040."""
    return clean(_ESCAPED.sub(lambda found: chr(int(found.group(1), 8)), word))


def escaped(word: str) -> str:
    """The same the other way round."""
    return word.replace("\\", "\\134").replace(" ", "\\040").replace("\t", "\\011")
