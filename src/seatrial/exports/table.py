"""The table of exports as exports(5) writes it and `exportfs -s` prints it: read for what it says, and written.

What is in: lines that a server has. What is not in: what a source wants, which is read strictly (wanted.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

MOST_LINES = 20_000
_WORD = re.compile(r'"[^"]{0,4096}"[^\s"]{0,4096}|[^\s"]{1,4096}')
_OCTAL = re.compile(r"\\([0-7]{3})")
_PLAIN = re.compile(r'[^\s"#\\]')

# A path and who is served it.
Entry = tuple[str, str]
Table = Mapping[Entry, frozenset[str]]


def read_table(text: str) -> Table:
    """Who is served which path with which options. Lines that are no exports are passed over.

    `exportfs -s` names every option, a file only those that differ; what it calls <world> is `*`.
    """
    found: dict[Entry, frozenset[str]] = {}
    for line in text.replace("\\\n", " ").splitlines()[:MOST_LINES]:
        for entry, options in entries_of(line):
            found[entry] = options
    return found


def entries_of(line: str) -> Iterator[tuple[Entry, frozenset[str]]]:
    """What one line exports; nothing for a comment or for what is no path."""
    words = _WORD.findall(line.partition("#")[0])
    if not words or not words[0].startswith(("/", '"/')):
        return
    path = _OCTAL.sub(lambda code: chr(int(code[1], 8)), words[0].strip('"'))
    path = path.rstrip("/") or "/"
    # "-ro,sync" gives options to all that follow; a path alone is everybody's.
    shared: frozenset[str] = frozenset()
    alone = True
    for word in words[1:]:
        if word.startswith("-"):
            shared = _options(word[1:])
            continue
        client, _, options = word.partition("(")
        alone = False
        yield (path, _client(client)), shared | _options(options.removesuffix(")"))
    if alone:
        yield (path, "*"), shared


def lines_of(table: Table) -> Iterator[str]:
    """The table as lines of exports(5), in an order that is the same wherever it is written."""
    for (path, client), options in sorted(table.items()):
        written = f"({','.join(sorted(options))})" if options else ""
        yield f"{_escaped(path)} {client}{written}"


def named(entries: Iterable[Entry], most: int = 3) -> str:
    """Some entries for a sentence: `/srv/a to 192.0.2.0/24, ... and 4 more`."""
    all_of_them = sorted(entries)
    shown = ", ".join(f"{path} to {client}" for path, client in all_of_them[:most])
    return shown + (f" and {len(all_of_them) - most} more" if len(all_of_them) > most else "")


def _options(text: str) -> frozenset[str]:
    return frozenset(option for option in text.split(",") if option)


def _client(word: str) -> str:
    return "*" if word in ("", "<world>") else word


def _escaped(path: str) -> str:
    return "".join(
        letter if _PLAIN.fullmatch(letter) else "".join(f"\\{byte:03o}" for byte in letter.encode())
        for letter in path
    )
