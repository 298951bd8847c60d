"""What a host's hardware says: errors of the kernel at this boot and the one before, memory, links, arrays, disks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from seatrial.boot.frames import Sections
from seatrial.drift.read.text import clean, pairs, whole

# What differs from boot to boot in one and the same message.
_PASSING = re.compile(r"0x[0-9a-f]+|\b\d+\b|\[[^\]]*\]", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A PCIe link: lanes and speed, as it came up and as both ends could."""

    device: str
    width: int
    most_width: int
    speed: str
    most_speed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """`before` is None where nothing is kept of the boot before. Errors are by what is the same in them at every boot.

    `failed` are the members of an array that its kernel has given up and not yet let go.
    """

    errors: Mapping[str, str] = field(default_factory=dict)
    before: Mapping[str, str] | None = None
    memory: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    arrays: Mapping[str, str] = field(default_factory=dict)
    failed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    disks: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    board: tuple[str, ...] = ()
    firmware: Mapping[str, str] = field(default_factory=dict)


def read_hardware(sections: Sections) -> Hardware:
    """Everything that the hardware says."""
    disks: dict[str, dict[str, str]] = {}
    for disk, rest in pairs(sections, "disks"):
        key, _, value = rest.partition(" ")
        disks.setdefault(disk, {})[key] = value.split(" ")[-1]
    firmware: dict[str, str] = {}
    for key, rest in pairs(sections, "firmware"):
        if key == "nic":
            name, what, value = ([*rest.split(" ", 2), "", ""])[:3]
            firmware[f"{name} {what}"] = value
        else:
            firmware[key] = rest
    return Hardware(
        errors=_errors(sections.lines("errors-now")),
        before=_errors(sections.lines("errors-before")) if sections.has("errors-before") else None,
        memory=_memory(sections),
        links=_links(sections),
        arrays=_arrays(sections),
        failed=_failed(sections),
        disks=disks,
        board=tuple(clean(line) for line in sections.lines("board")),
        firmware=firmware,
    )


def _errors(lines: list[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        found.setdefault(_PASSING.sub("#", clean(line)), clean(line))
    return found


def _memory(sections: Sections) -> Mapping[str, tuple[int, int]]:
    found = {}
    for bank, rest in pairs(sections, "memory"):
        said = dict(word.partition("=")[::2] for word in rest.split(" "))
        found[bank] = (whole(said.get("corrected", "")) or 0, whole(said.get("uncorrected", "")) or 0)
    return found


def _links(sections: Sections) -> tuple[Link, ...]:
    found = []
    for line in sections.lines("pcie"):
        words = line.split(" ")
        if len(words) == 5:
            width, most = whole(words[1]), whole(words[2])
            # 63 lanes and an unknown speed are what a device says that has no link.
            if width and most and most < 63:
                found.append(
                    Link(
                        device=clean(words[0]),
                        width=width,
                        most_width=most,
                        speed=clean(words[3].removesuffix("PCIe")),
                        most_speed=clean(words[4].removesuffix("PCIe")),
                    )
                )
    return tuple(found)


def _failed(sections: Sections) -> Mapping[str, tuple[str, ...]]:
    """The members of each array that /proc/mdstat marks with (F)."""
    found = {}
    for line in sections.lines("raid"):
        if match := re.match(r"(md\S*) : ", line):
            found[clean(match.group(1))] = tuple(re.findall(r" ([a-z0-9-]+)\[\d+\]\(F\)", line))
    return found


def _arrays(sections: Sections) -> Mapping[str, str]:
    """Each array of /proc/mdstat with the letters of its members: U is there, _ is not."""
    found, name = {}, ""
    for line in sections.lines("raid"):
        if match := re.match(r"(md\S*) : ", line):
            name = clean(match.group(1))
        elif name and (state := re.search(r"\[([U_]+)\]\s*$", line)):
            found[name], name = state.group(1), ""
    return found
