"""The words of a patch's subject: its subsystems (what stands before the colons) and the rest, made comparable. Pure."""

from __future__ import annotations

import re
from functools import lru_cache

_PREFIX = re.compile(r"([A-Za-z0-9][\w\-/.,+*&:\[\] ]{0,40}?): +(?=\S)")
_FILE = re.compile(r"\.[ch]$")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]+|\d+[A-Za-z][A-Za-z0-9_]*")
_ENDINGS = ("ings", "ing", "ed", "es", "s")
# Words that every sentence has.
_EMPTY = frozenset(
    _WORD.findall(
        "a an and are as at be been by can do does during for from has have if in into is it its no not of off on only or"
        " our out over so some such than that the their then there these this to too under up use using was we when where"
        " which while who will with without"
    )
) | {"a"}


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """A word without a plain ending: crude, and the same for both sides, which is all that it is for."""
    word = word.lower()
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text, stemmed; of `nf_reset_ct` both the whole and its parts."""
    found = []
    for word in _WORD.findall(text):
        low = word.lower()
        if low in _EMPTY:
            continue
        found.append(stem(low))
        if "_" in low:
            found += [stem(part) for part in low.split("_") if len(part) > 1 and part not in _EMPTY]
    return tuple(found)


@lru_cache(maxsize=65536)
def parts_of(subject: str) -> tuple[tuple[str, ...], str]:
    """Subsystems in front of a subject, from the widest on, and the rest: `net/mlx5e: Fix X` is (net, mlx5e), `Fix X`.

    They are stemmed as all words are, so that both sides are the same.
    A revert's own quotes are looked into: `Revert "wifi: ath9k: X"` has the subsystems of what it reverts.
    """
    rest = subject
    if rest[:8].lower() == 'revert "':
        rest = rest[8:].rstrip('"')
    prefixes: list[str] = []
    while (found := _PREFIX.match(rest)) and len(prefixes) < 6:
        # Three words and more in front of a colon are a sentence.
        if found[1].count(" ") > 1:
            break
        for part in re.split(r"[/,:]|\s+", found[1]):
            for word in words_of(_FILE.sub("", part)):
                if word not in prefixes:
                    prefixes.append(word)
        rest = rest[found.end() :]
    return tuple(prefixes), rest


def prefix_of(subject: str) -> str:
    """The subsystems of a subject as one word: `net: mlx5e`."""
    return ": ".join(parts_of(subject)[0])
