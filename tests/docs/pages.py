"""Reading the documents: their console blocks, links and headings, and what of an output is the same each time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
# What a newcomer reads first.
FIRST = (ROOT / "README.md", ROOT / "docs" / "tutorial.md")

_FENCE = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_DIFFERS = (
    (re.compile(r"\b(?:\d+ h \d\d m|\d+ m \d\d s|\d+(?:\.\d+)? (?:ms|s|m|h))\b"), "TIME"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?"), "DATE"),
    (re.compile(r"\bprocess \d+"), "process PID"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A console block: the command behind its `$`, and the lines that it is said to print.

    Behind the word `console` stands what a reader need not see: `exit=1` where the command ends so, `lab` where it needs
    real guests, `serves` where it runs until somebody ends it.
    """

    page: str
    command: str
    output: tuple[str, ...]
    exit: int = 0
    lab: bool = False
    serves: bool = False

    def __str__(self) -> str:
        return f"{self.page}: {self.command}"


def blocks() -> Iterator[Block]:
    """Every console block of every page."""
    for page in PAGES:
        yield from blocks_of(page)


def blocks_of(page: Path) -> Iterator[Block]:
    """The console blocks of a page, from above to below."""
    for kind, words, text in _FENCE.findall(page.read_text()):
        if kind != "console":
            continue
        first, *rest = text.splitlines()
        assert first.startswith("$ "), f"{page.name}: a console block begins with a command: {first}"
        said = words.split()
        codes = [int(word.removeprefix("exit=")) for word in said if word.startswith("exit=")]
        unknown = [
            word for word in said if word not in ("lab", "serves") and not re.fullmatch(r"exit=\d+", word)
        ]
        assert not unknown, f"{page.name}: what is {unknown} of `{first}`?"
        yield Block(
            page=page.name,
            command=first[2:],
            output=tuple(rest),
            exit=codes[0] if codes else 0,
            lab="lab" in said,
            serves="serves" in said,
        )


def fences(page: Path) -> list[tuple[str, str]]:
    """The fenced blocks of a page, as language and text."""
    return [(kind, text) for kind, _, text in _FENCE.findall(page.read_text())]


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", page.read_text())


def links(page: Path) -> list[str]:
    """Where the links of a page lead to."""
    return _LINK.findall(prose(page))


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    found = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def same_each_time(line: str) -> str:
    """A line without durations, dates, process numbers and the place of the journal."""
    for pattern, word in _DIFFERS:
        line = pattern.sub(word, line)
    return line.rstrip()


def shown_in(wanted: tuple[str, ...], printed: list[str]) -> str:
    """Why `printed` is not what a block says, "" when it is; a line of three dots stands for any number of lines."""
    got = [same_each_time(line) for line in printed]
    at, anything = 0, False
    for line in (same_each_time(line) for line in wanted):
        if line == "...":
            anything = True
            continue
        if anything and line in got[at:]:
            at = got.index(line, at)
        if at >= len(got) or got[at] != line:
            return f"the page has {line!r}, and the program prints {got[at : at + 1] or 'nothing more'}"
        at, anything = at + 1, False
    return "" if anything or at == len(got) else f"the page leaves out {got[at]!r}"
