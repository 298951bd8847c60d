"""Sections of one answer: reading the frames that grub-facts.sh prints. Everything between them is hostile text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

# Possessive, so that no text of a host makes it try twice.
_SECTION = re.compile(r"^@begin (.*)\n((?:\|.*\n)*+)@end \1$", re.MULTILINE)
_WELL = "|@0\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sections:
    """`texts` has the sections that were answered in full; a name that is missing gave no answer."""

    texts: Mapping[str, str] = field(default_factory=dict)
    whole: bool = False

    def text(self, name: str) -> str:
        """The section's text, "" when there is none."""
        return self.texts.get(name, "")

    def lines(self, name: str) -> list[str]:
        """Its lines that are not empty."""
        return [line for line in self.text(name).split("\n") if line.strip()]

    def has(self, name: str) -> bool:
        """Whether that section was answered in full."""
        return name in self.texts


def read_sections(said: str) -> Sections:
    """Take an answer apart. `whole` is whether its last line is there, so that nothing was cut off.

    A section counts only when its own last line is the status 0 of what was asked: a program that failed, or whose
    output was longer than the bound, has said nothing that could be relied on. Neither has one with a line between that
    has no mark in front.
    """
    texts: dict[str, str] = {}
    for found in _SECTION.finditer(said):
        name, body = found.groups()
        if (body == _WELL or body.endswith(f"\n{_WELL}")) and name not in texts:
            texts[name] = body[1 : -len(_WELL) - 1].replace("\n|", "\n")
    return Sections(texts=texts, whole="\n@done\n" in f"\n{said}\n")
