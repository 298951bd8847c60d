"""One mistake in a fleet file, and the words that mistakes share: quoting what was read, and the nearest right name.

What is not here: finding mistakes, which the other modules of this room do.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

Path = tuple[str | int, ...]
_SHOWN = 60


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Place:
    """Where something stands in the text; line and column count from 1, columns are characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """What is wrong with one value, and where. `path` leads to it: keys, and indices in lists from 0."""

    place: Place
    path: Path
    what: str

    @property
    def key(self) -> str:
        """The path as people write it: `hosts.gw-p2.roles[0]`; "" for the file as a whole."""
        text = ""
        for step in self.path:
            # A key that is empty or has spaces would not be seen without quotes.
            spelt = step if isinstance(step, str) and re.fullmatch(r"[\x21-\x7e]+", step) else None
            text += f"[{step}]" if isinstance(step, int) else f".{shown(spelt) if spelt else quoted(step)}"
        return text.removeprefix(".")

    def line(self, filename: str) -> str:
        """`file:line:col: dotted.key: what is wrong`."""
        where = f"{filename}:{self.place.line}:{self.place.column}: "
        return where + (f"{self.key}: {self.what}" if self.path else self.what)


def shown(text: str) -> str:
    """The text on one line, cut where it is too long for a message, with control characters made visible."""
    visible = text if text.isprintable() else repr(text)[1:-1]
    return visible if len(visible) <= _SHOWN else visible[: _SHOWN - 1] + "…"


def quoted(text: str) -> str:
    """The text in the quotes that all messages use."""
    return f"'{shown(text)}'"


def listed(names: Iterable[str]) -> str:
    """`a, b and c`."""
    *before, last = names
    return f"{', '.join(before)} and {last}" if before else last


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant, or None when nothing is near."""
    names = list(known)
    by_lower = {name.lower(): name for name in reversed(names)}
    lower = word.lower()[:100]
    if lower in by_lower:
        return by_lower[lower]
    if close := difflib.get_close_matches(lower, by_lower, n=1, cutoff=0.6):
        return by_lower[close[0]]
    # Abbreviations are far away by edits and near by meaning: prod, production.
    begun = [name for name in names if len(lower) >= 3 and name.lower().startswith(lower)]
    return begun[0] if len(begun) == 1 else None


def meant(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown word: `; did you mean 'x'?`, or the names there are, or nothing."""
    names = list(dict.fromkeys(known))
    if (near := nearest(word, names)) is not None:
        return f"; did you mean '{near}'?"
    return f"; there is {listed(names)}" if 0 < len(names) <= 16 else ""
