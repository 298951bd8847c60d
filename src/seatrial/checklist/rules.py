# ruff: noqa: UP006, UP035, UP045
"""The two rules that hold wherever a command runs: how its variables are expanded, and when an output is as wanted.

This text is sent along with onhost/checklist.py, so that the same rules decide there which command comes next and here
what the answers mean. It therefore imports nothing of Seatrial, has no __future__ line and runs on Python 3.7.
"""

import codecs
import re
from typing import List, Mapping, Optional, Tuple

# Linux takes no argument of 128 KiB or more, and the text of a command is one argument of sh.
MOST_COMMAND = 128 * 1024 - 1
# What is kept of one output, in bytes; the rest is read and thrown away.
MOST_OUTPUT = 1024 * 1024
# What is told of an output that nobody compares, or that is another one than wanted, in characters.
MOST_SHOWN = 2048

_WORD = re.compile(r"\w+", re.ASCII)


class TooLong(Exception):
    """The text is longer than a command can be once its variables are filled in."""


def expand(text: str, environment: Mapping[str, str], most: Optional[int] = None) -> str:
    """What os.path.expandvars makes of `text` in that environment: $name and ${name}, inside of any quotes.

    An unknown name stays as it is, and what was filled in is not expanded again. Raises TooLong when the result has
    more than `most` characters. It is linear where the library's pattern is not: a text may be hostile.
    """
    pieces: List[str] = []
    size = done = 0
    closes = True
    at = text.find("$")
    while at >= 0:
        name, end = None, at + 1
        if text.startswith("{", at + 1):
            brace = text.find("}", at + 2) if closes else -1
            closes = brace >= 0
            if closes:
                name, end = text[at + 2 : brace], brace + 1
        else:
            word = _WORD.match(text, at + 1)
            if word:
                name, end = word.group(), word.end()
        if name is not None and name in environment:
            pieces += (text[done:at], environment[name])
            size += len(pieces[-1]) + len(pieces[-2])
            done = end
            if most is not None and size > most:
                raise TooLong()
        at = text.find("$", end)
    if most is not None and size + len(text) - done > most:
        raise TooLong()
    return "".join(pieces) + text[done:]


def stripped(data: bytes, whole: bool) -> Tuple[str, bool]:
    """An output without the space around it, and whether it is UTF-8. `whole` is false for one that was cut."""
    try:
        # A cut may go through the middle of a character, which is not the program's fault.
        return codecs.getincrementaldecoder("utf-8")().decode(data, whole).strip(), True
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace").strip(), False


def as_wanted(wanted: Optional[str], text: str, whole: bool, utf8: bool) -> bool:
    """Whether a stripped output is the one that is wanted; one that was cut, or is no UTF-8, never is."""
    return wanted is None or (whole and utf8 and text == wanted)


def excerpt(wanted: Optional[str], text: str) -> str:
    """As much of a stripped output as it takes to compare it, and to show it to people."""
    return text[: max(MOST_SHOWN, 0 if wanted is None else len(wanted) + 1)]
