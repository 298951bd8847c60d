"""Fleet file text to a Fleet, or to one error that names every mistake. Pure: it reads no file (load.py does).

What is in: the order of the three passes (what YAML itself gets wrong, what an entry gets wrong, what entries get
wrong between them) and which of their mistakes are told. What is not: the rules, which the other modules hold.
"""

from __future__ import annotations

import codecs

from pydantic import ValidationError

from seatrial.errors import InputError
from seatrial.fleetfile.across import across
from seatrial.fleetfile.each import for_each
from seatrial.fleetfile.mistake import Mistake, Place
from seatrial.fleetfile.syntax import place_of
from seatrial.fleetfile.tree import read_tree
from seatrial.fleetfile.wording import mistake_of
from seatrial.model.fleet import Fleet

_INIT = "`seatrial init` writes a first one from what you have; `seatrial schema` lists every key"
_UTF8 = "save the file as UTF-8; nothing was looked at or changed"


def parse(text: str, *, filename: str) -> Fleet:
    """The Fleet that the text declares. Raises InputError with every mistake, one a line, in the file's order.

    A line reads `filename:line:column: dotted.key: what is wrong`, so that editors and CI systems can jump to it.
    """
    fleet, mistakes = examine(text)
    if fleet is None or mistakes:
        raise InputError("\n".join(mistake.line(filename) for mistake in mistakes), hint=_hint(mistakes))
    return fleet


def parse_bytes(data: bytes, *, filename: str) -> Fleet:
    """The Fleet that the bytes declare, which must be UTF-8. Raises InputError as `parse` does."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputError(f"{filename}:1:1: the file is UTF-16, and UTF-8 is wanted", hint=_UTF8)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as problem:
        place = place_of(data[: problem.start].decode("utf-8"), problem.start)
        what = f"byte 0x{data[problem.start]:02x} is no UTF-8"
        raise InputError(Mistake(place=place, path=(), what=what).line(filename), hint=_UTF8) from None
    return parse(text, filename=filename)


def examine(text: str) -> tuple[Fleet | None, tuple[Mistake, ...]]:
    """The Fleet when there is one, and all mistakes in the file's order, for callers that show them themselves."""
    tree = read_tree(text)
    if tree.root is None or tree.root.value is None:
        empty = Mistake(place=Place(line=1, column=1), path=(), what="the file is empty")
        return None, _in_order(tree.mistakes or (empty,))
    found = list(tree.mistakes)
    # Where YAML's reading is a guess, what follows from the guess is no news.
    told = set(tree.guessed)
    fleet: Fleet | None = None
    try:
        fleet = for_each(Fleet.model_validate(tree.root.value, by_alias=True, by_name=False))
    except ValidationError as problem:
        # The input is left out: with aliases it may be much larger than the file.
        errors = problem.errors(include_url=False, include_input=False)
        found += [mistake for error in errors if (mistake := mistake_of(error, tree.root)).path not in told]
        told |= {mistake.path for mistake in found}
    found += [mistake for mistake in across(tree.root) if mistake.path not in told]
    return (None if found else fleet), _in_order(found)


def _in_order(mistakes: tuple[Mistake, ...] | list[Mistake]) -> tuple[Mistake, ...]:
    """By place; what an alias repeats is told once, at the place where it is written."""
    first: dict[tuple[Place, str, object], Mistake] = {}
    for mistake in mistakes:
        first.setdefault((mistake.place, mistake.what, mistake.path[-1:]), mistake)
    return tuple(sorted(first.values(), key=lambda mistake: mistake.place))


def _hint(mistakes: tuple[Mistake, ...]) -> str:
    if mistakes[0].what == "the file is empty":
        return _INIT
    count = "this line" if len(mistakes) == 1 else f"these {len(mistakes)} places"
    return f"correct {count}; nothing was looked at or changed"
