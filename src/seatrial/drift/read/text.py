"""What all readers here share: numbers, words and files of lines, taken from text that may be anything."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from seatrial.boot.frames import Sections

LONGEST = 300
_NUMBER = re.compile(r"-?\d{1,18}(?:\.\d{1,12})?", re.ASCII)


def clean(text: str, longest: int = LONGEST) -> str:
    """One line that moves no cursor and has an end."""
    if len(text) <= longest and text.isprintable():
        return text
    shown = "".join(
        letter if letter.isprintable() else " " if letter == "\t" else "?" for letter in text[: longest + 1]
    )
    return shown if len(shown) <= longest else shown[: longest - 3] + "..."


def number(word: str) -> float | None:
    """A plain decimal number; None for anything else."""
    return float(word) if _NUMBER.fullmatch(word) else None


def whole(word: str) -> int | None:
    """A whole number; None for anything else."""
    found = number(word)
    return None if found is None or found != int(found) else int(found)


def pairs(sections: Sections, name: str) -> Iterator[tuple[str, str]]:
    """The lines of a section, each cut at its first blank."""
    for line in sections.lines(name):
        first, _, rest = line.partition(" ")
        yield clean(first), clean(rest.strip())


def files(sections: Sections, name: str) -> Mapping[str, tuple[str, ...]]:
    """A section of texts ('F PATH', then 'L TEXT') by path, in its order."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in sections.lines(name):
        if line.startswith("F "):
            current = found.setdefault(clean(line[2:]), [])
        elif line.startswith("L "):
            current.append(clean(line[2:], 2000))
    return {path: tuple(lines) for path, lines in found.items()}


def shown(words: Sequence[str], most: int = 4) -> str:
    """Some words for a sentence: `a, b, c and 5 more`."""
    if len(words) <= most:
        return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part) if words else "none"
    return f"{', '.join(words[: most - 1])} and {len(words) - most + 1} more"
