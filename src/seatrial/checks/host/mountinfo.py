"""/proc/self/mountinfo as values. What is not in: what ought to be mounted."""

from __future__ import annotations

import re
from dataclasses import dataclass

from seatrial.checks.reading import clean

MOST = 20_000
_ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One mount: `options` are those of the mount point and, after them, those of the file system itself."""

    path: str
    source: str
    type: str
    options: tuple[str, ...]
    writable: bool


def read_mounts(said: str) -> list[Mount]:
    """All mounts in the kernel's order, in which a later one of the same path hides the earlier one.

    Lines that are no such line are passed over; see proc(5) for the format.
    """
    mounts = []
    for line in said.splitlines()[:MOST]:
        mine, dash, theirs = line.partition(" - ")
        words, more = mine.split(" "), theirs.split(" ")
        if not dash or len(words) < 6 or len(more) != 3 or not words[0].isdecimal():
            continue
        here, inside = words[5].split(","), more[2].split(",")
        mounts.append(
            Mount(
                path=plain(words[4]),
                source=plain(more[1]),
                type=clean(more[0], 60),
                options=tuple(clean(option, 100) for option in dict.fromkeys((*here, *inside))),
                # The kernel makes the file system itself read-only after an error; the mount point stays as it was.
                writable="rw" in here and "rw" in inside,
            )
        )
    return mounts


def plain(word: str) -> str:
    """A path as people write it: the kernel and fstab(5) write a blank as \\040."""
    return clean(_ESCAPED.sub(lambda found: chr(int(found.group(1), 8)), word))
