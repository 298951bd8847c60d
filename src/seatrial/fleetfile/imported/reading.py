"""Bytes of another tool's YAML to Items that know where they stand, with the bounds of the fleet file's own reader.

What is in: UTF-8, and what makes a file unreadable. What is not: what its keys mean.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from seatrial.errors import InputError
from seatrial.fleetfile.imported.draft import Draft
from seatrial.fleetfile.mistake import Mistake, Place
from seatrial.fleetfile.syntax import place_of
from seatrial.fleetfile.tree import Item, read_tree

_UTF8 = "save the file as UTF-8; nothing was written"
_TEMPLATE = "it has {{ }}, so it is a template: give what it becomes, for example from `goss render`"


def read_root(data: bytes, draft: Draft, what: str) -> Item:
    """The mapping at the root of the file; `what` says which file is wanted.

    Where YAML's reading of one value is a guess, that is a remark of `draft`. Raises InputError for what is no YAML,
    or no mapping.
    """
    text = _text(data, draft.file)
    tree = read_tree(text)
    if tree.root is None and tree.mistakes:
        lines = "\n".join(_plain(mistake).line(draft.file) for mistake in tree.mistakes[:20])
        raise InputError(lines, hint=_TEMPLATE if "{{" in text else "correct the file; nothing was written")
    if tree.root is None or not isinstance(tree.root.value, dict):
        raise InputError(
            f"{draft.file}:1:1: {what} is wanted: a mapping of keys and values",
            hint="name the right file, and the tool that it is for",
        )
    for mistake in tree.mistakes[:200]:
        draft.leave(mistake.place, mistake.key or "the file", _plain(mistake).what)
    return tree.root


def _text(data: bytes, filename: str) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputError(f"{filename}:1:1: the file is UTF-16, and UTF-8 is wanted", hint=_UTF8)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as problem:
        place = place_of(data[: problem.start].decode("utf-8"), problem.start)
        wrong = Mistake(place=place, path=(), what=f"byte 0x{data[problem.start]:02x} is no UTF-8")
        raise InputError(wrong.line(filename), hint=_UTF8) from None


def _plain(mistake: Mistake) -> Mistake:
    # The reader speaks of the file that it was made for.
    what = mistake.what.replace("no fleet file is", "no such file is")
    return Mistake(place=mistake.place, path=mistake.path, what=what)


def key_place(item: Item, key: str) -> Place:
    """Where a key of a mapping stands."""
    return item.key_places.get(key, item.place)


def words_of(item: Item | None) -> tuple[str, ...] | None:
    """A text, a number, or a list of them, as texts; None for anything else."""
    if item is None:
        return None
    if isinstance(item.value, tuple):
        texts = [text for _, element in item.elements() if (text := word_of(element)) is not None]
        return tuple(texts) if len(texts) == len(item.value) else None
    text = word_of(item)
    return None if text is None else (text,)


def word_of(item: Item | None) -> str | None:
    """A text or a number as it is written; None for anything else."""
    if item is None or item.value is None or isinstance(item.value, dict | tuple):
        return None
    return item.value if isinstance(item.value, str) else item.text


def whole_of(item: Item | None) -> int | None:
    """A whole number; None for anything else."""
    value = None if item is None else item.value
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def truth_of(item: Item | None) -> bool | None:
    """True or false; None for anything else."""
    value = None if item is None else item.value
    return value if isinstance(value, bool) else None


def others(item: Item, *known: str) -> Iterator[tuple[str, Place]]:
    """The keys of a mapping besides the known ones, and where they stand."""
    for key in item.entries():
        if key not in known:
            yield key, key_place(item, key)
