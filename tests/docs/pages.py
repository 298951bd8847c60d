"""Reading the documents: their console blocks, links and headings, and what of an output is the same each time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_DIFFERS = (
    (re.compile(r"\b(?:\d+ h \d\d m|\d+ m \d\d s|\d+ m|\d+ s)\b"), "TIME"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?"), "DATE"),
    (re.compile(r"\bprocess \d+"), "process PID"),
    (re.compile(r"sqlite:///\S+/seatrial/"), "sqlite:///STATE/seatrial/"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A console block: the command behind its `$`, and the lines that it is said to print."""

    page: str
    command: str
    output: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page}: {self.command}"


def blocks() -> Iterator[Block]:
    """Every console block of every page."""
    for page in PAGES:
        for kind, text in fences(page):
            if kind == "console":
                first, *rest = text.splitlines()
                assert first.startswith("$ "), f"{page.name}: a console block begins with a command: {first}"
                yield Block(page=page.name, command=first[2:], output=tuple(rest))


def fences(page: Path) -> list[tuple[str, str]]:
    """The fenced blocks of a page, as language and text."""
    return _FENCE.findall(page.read_text())


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
