"""What a report is made of, whatever it is written as: headings, sentences, lists, tables and a picture. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """`level` 1 is the report's own."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """Plain text; `strong` stands before it in bold."""

    text: str
    strong: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """A list; each item has lines of its own below it."""

    items: Sequence[tuple[str, Sequence[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of texts below their heads."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A picture: `file` where it is beside the report, `svg` where it can be put into it."""

    says: str
    file: str = ""
    svg: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """A sentence with a command that a person may type: text before it, and the command."""

    text: str
    command: str


Block = Heading | Sentence | Items | Table | Figure | Shell
