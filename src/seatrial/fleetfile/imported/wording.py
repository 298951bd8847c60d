"""What goss wants of an output, as the wording of a command check. What is not in: running anything.

A plain text is contained in the output, `/text/` is a regular expression for one of its lines, and `!` before either
says that it must not be there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from seatrial.fleetfile.imported.draft import Draft
from seatrial.fleetfile.imported.reading import key_place, whole_of, word_of, words_of
from seatrial.fleetfile.tree import Item
from seatrial.model.pattern import read_pattern


@dataclass(slots=True)
class Wish:
    """The parts of a Wording while they are gathered."""

    equals: str | None = None
    contains: list[str] = field(default_factory=list)
    lacks: list[str] = field(default_factory=list)
    matches: list[str] = field(default_factory=list)

    def keys(self) -> dict[str, Any] | None:
        """The keys of a Wording; None when nothing is wished."""
        told: dict[str, Any] = {} if self.equals is None else {"equals": self.equals}
        told.update(
            {key: tuple(value) for key in ("contains", "lacks", "matches") if (value := getattr(self, key))}
        )
        return told or None


def wish_of(draft: Draft, item: Item | None, what: str) -> Wish:
    """What a goss attribute wishes of a text: a list of patterns, a text, or some of its matchers."""
    wish = Wish()
    if item is None or item.value is None:
        return wish
    if isinstance(item.value, dict):
        for key, value in item.entries().items():
            if not _matcher(draft, wish, key, value, f"{what}.{key}"):
                draft.leave(key_place(item, key), f"{what}.{key}", "this matcher is not known here")
        return wish
    if isinstance(item.value, tuple):
        for number, one in item.elements():
            _pattern(draft, wish, one, f"{what}[{number}]")
        return wish
    text = word_of(item)
    if text is not None:
        wish.equals = text
    return wish


def _matcher(draft: Draft, wish: Wish, key: str, item: Item, what: str) -> bool:
    texts = words_of(item) or ()
    if key in ("equal", "be") and len(texts) == 1:
        wish.equals = texts[0]
    elif key in ("contain-substring", "contain-element") and texts:
        wish.contains += texts
    elif key == "match-regexp" and texts:
        for text in texts:
            _expression(draft, wish, item, text, what)
    elif key in ("and", "contain-elements", "consist-of") and isinstance(item.value, tuple):
        for number, one in item.elements():
            if isinstance(one.value, dict):
                for inner, value in one.entries().items():
                    if not _matcher(draft, wish, inner, value, f"{what}[{number}].{inner}"):
                        draft.leave(one.place, f"{what}[{number}].{inner}", "this matcher is not known here")
            else:
                _pattern(draft, wish, one, f"{what}[{number}]")
    else:
        return False
    return True


def _pattern(draft: Draft, wish: Wish, item: Item, what: str) -> None:
    if isinstance(item.value, dict):
        for key, value in item.entries().items():
            if not _matcher(draft, wish, key, value, f"{what}.{key}"):
                draft.leave(item.place, f"{what}.{key}", "this matcher is not known here")
        return
    text = word_of(item)
    if text is None:
        draft.leave(item.place, what, "a text is wanted")
        return
    absent = text.startswith("!")
    bare = text.removeprefix("!")
    if len(bare) > 1 and bare.startswith("/") and bare.endswith("/"):
        if absent:
            draft.leave(item.place, what, "an expression that must not be found has no counterpart")
        else:
            _expression(draft, wish, item, bare[1:-1], what)
    elif absent:
        wish.lacks.append(bare)
    else:
        # A backslash keeps goss from taking the first character for a sign.
        wish.contains.append(text[1:] if text[:2] in ("\\!", "\\/") else text)


def _expression(draft: Draft, wish: Wish, item: Item, text: str, what: str) -> None:
    try:
        read_pattern(text)
    except ValueError as problem:
        draft.leave(item.place, what, f"this expression cannot be carried over: {problem}")
        return
    wish.matches.append(text)


def status_of(draft: Draft, item: Item | None, what: str, default: int) -> int:
    """The one status that is wished; a matcher of several is left out."""
    value = whole_of(item)
    if value is None and item is not None and item.value is not None:
        draft.leave(item.place, what, f"one number is wanted, so it is {default} now")
    return default if value is None else value
