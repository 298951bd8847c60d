"""Sections of one answer: reading the frames that grub-facts.sh prints. Everything between them is hostile text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


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
    output was longer than the bound, has said nothing that could be relied on.
    """
    texts: dict[str, str] = {}
    name, body = "", list[str]()
    whole = False
    for line in said.split("\n"):
        if line.startswith("|"):
            body.append(line[1:])
        elif line.startswith("@begin "):
            name, body = line[len("@begin ") :], []
        elif line.startswith("@end ") and line[len("@end ") :] == name:
            if body and body[-1] == "@0" and name not in texts:
                texts[name] = "\n".join(body[:-1])
            name, body = "", []
        elif line == "@done":
            whole = True
    return Sections(texts=texts, whole=whole)
