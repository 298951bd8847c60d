"""Debian's order of versions. Pure. What is not in: packages, and where they come from."""

from __future__ import annotations

import re

_PART = re.compile(r"(\D*)(\d*)")
Key = tuple[int, tuple[tuple[tuple[int, ...], int], ...], tuple[tuple[tuple[int, ...], int], ...]]


def key(version: str) -> Key:
    """What versions are sorted by: epoch, upstream version, revision (deb-version(7), Debian Policy 5.6.12).

    Any text has a place, so that hostile text sorts somewhere instead of ending a search.
    """
    epoch, colon, rest = version.partition(":")
    if not colon or not epoch.isascii() or not epoch.isdigit():
        epoch, rest = "0", version
    upstream, dash, revision = rest.rpartition("-")
    if not dash:
        upstream, revision = rest, ""
    return int(epoch[:20]), _parts(upstream), _parts(revision)


def _parts(text: str) -> tuple[tuple[tuple[int, ...], int], ...]:
    """Words and numbers in turn; an absent revision is the same as 0."""
    found = [(_word(word), int(number[:20] or 0)) for word, number in _PART.findall(text)]
    while found and found[-1] == (_word(""), 0):
        found.pop()
    return (*found, (_word(""), 0))


def _word(text: str) -> tuple[int, ...]:
    # A tilde comes before the end of a word, letters come after that, and all else after letters.
    places = [-1 if c == "~" else ord(c) if c.isalpha() else ord(c) + 0x110000 for c in text]
    return (*places, 0)
