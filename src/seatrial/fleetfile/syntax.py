"""What libyaml says of text that is no YAML, said so that an operator can mend it.

What is in: the sentences, and where a byte, a character or a tab stands. What is not: reading the text that is YAML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from seatrial.fleetfile.mistake import Mistake, Place

_TABBED = re.compile(r"^ *\t")
# The beginnings of libyaml's own words, and what an operator did.
_SENTENCES = (
    ("mapping values are not allowed", "a ': ' is not expected here: the text wants quotes, or the line above is indented otherwise"),
    ("did not find expected key", "this does not fit the lines above: look at the indentation"),
    ("did not find expected '-' indicator", "this does not fit the list above: look at the indentation"),
    ("could not find expected ':'", "a ':' is missing after this key"),
    ("did not find expected ',' or '}'", "a ',' or '}' is missing"),
    ("did not find expected ',' or ']'", "a ',' or ']' is missing"),
    ("did not find expected node content", "a value is missing, or a bracket is not closed"),
    ("found unexpected end of stream", "a quote is not closed"),
    ("found unknown escape character", "a backslash in double quotes begins an escape: use single quotes"),
    ("found undefined tag handle", "a value that begins with '!' is a tag to YAML: write it in quotes"),
    ("found incompatible YAML document", "YAML 1.1 is wanted: leave the %YAML line out"),
)  # fmt: skip


def syntax_mistakes(text: str, problem: Exception) -> Iterator[Mistake]:
    """The mistake that ended the reading; for tabs, every line that is indented by one."""
    position = getattr(problem, "position", None)
    if isinstance(problem, UnicodeEncodeError):
        yield _at(place_of(text, problem.start), "this character is half of one: save the file as UTF-8")
        return
    if position is not None:
        found = f"U+{ord(text[position]):04X}" if position < len(text) else "one"
        yield _at(place_of(text, position), f"a control character ({found}) is not allowed in YAML")
        return
    mark: Any = getattr(problem, "problem_mark", None)
    words = str(getattr(problem, "problem", "") or problem)
    place = Place(line=1, column=1) if mark is None else Place(line=mark.line + 1, column=mark.column + 1)
    lines = text.split("\n")
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    if words.startswith("found character that cannot start any token"):
        if _TABBED.match(line):
            yield from _tabs(lines)
            return
        character = line[place.column - 1 : place.column]
        yield _at(place, f"a value cannot begin with '{character}': write it in quotes")
        return
    if _TABBED.match(line) or (place.line >= 2 and _TABBED.match(lines[min(place.line, len(lines)) - 2])):
        yield from _tabs(lines)
        return
    yield _at(place, _sentence(words) + _began(problem, place))


def _sentence(words: str) -> str:
    return next((said for begin, said in _SENTENCES if words.startswith(begin)), f"this is no YAML: {words}")


def _began(problem: Exception, place: Place) -> str:
    """Where the open quote or bracket is; for indentation libyaml names the whole block, which helps nobody."""
    mark: Any = getattr(problem, "context_mark", None)
    block = "block" in str(getattr(problem, "context", ""))
    if mark is None or block or mark.line + 1 >= place.line:
        return ""
    return f" (what is read here begins in line {mark.line + 1})"


def _tabs(lines: list[str]) -> Iterator[Mistake]:
    for number, line in enumerate(lines, 1):
        if match := _TABBED.match(line):
            yield _at(Place(line=number, column=match.end()), "a tab is used to indent: YAML wants spaces")


def _at(place: Place, what: str) -> Mistake:
    return Mistake(place=place, path=(), what=what)


def place_of(text: str, position: int) -> Place:
    """Line and column of a position in the text."""
    begin = text.rfind("\n", 0, position) + 1
    return Place(line=text.count("\n", 0, position) + 1, column=position - begin + 1)
