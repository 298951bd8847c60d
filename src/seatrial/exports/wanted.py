"""What a source wants to be served: a whole answer that is understood to its last line, or no answer at all.

In 2017 a daemon rebuilt the exports from a cloud's API and deleted them when that API was down. So what fails, is cut off,
is not understood or asks for what nobody may export is not an answer, and says why.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from seatrial.exports.table import Entry, Table, entries_of
from seatrial.model.command import Output
from seatrial.model.exports import Exports
from seatrial.model.text import safe

MOST_ENTRIES = 20_000
CLIENT = re.compile(r"[A-Za-z0-9*?@\[][A-Za-z0-9*?@._:/\[\]-]{0,254}")
# A client with its options, or options for all that follow. `host (rw)`, with a blank, would be everybody's to write.
_WORD = re.compile(r"-[^()\s]+|[^()\s-][^()\s]*(?:\([^()\s]*\))?")
# exports(5) of nfs-utils 2.6; exportfs passes over a whole line for a word that it does not know.
OPTIONS = frozenset(
    [
        "rw",
        "ro",
        "sync",
        "async",
        "secure",
        "insecure",
        "wdelay",
        "no_wdelay",
        "hide",
        "nohide",
        "crossmnt",
        "no_subtree_check",
        "subtree_check",
        "no_acl",
        "acl",
        "auth_nlm",
        "no_auth_nlm",
        "secure_locks",
        "insecure_locks",
        "mountpoint",
        "mp",
        "root_squash",
        "no_root_squash",
        "all_squash",
        "no_all_squash",
        "pnfs",
        "no_pnfs",
        "security_label",
    ]
)
VALUED = re.compile(
    r"(?:sec|fsid|anonuid|anongid|refer|replicas|mountpoint|mp|xprtsec)=[A-Za-z0-9_.,:@/+-]{1,500}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is wanted; `table` may be empty, and what that means is for whoever decides."""

    table: Table


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAnswer:
    """Why there is no answer, and what to do."""

    because: str
    hint: str = ""


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    path: str
    clients: Annotated[list[str], Field(min_length=1, max_length=1000)]
    options: str = ""


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    exports: Annotated[list[_Row], Field(max_length=MOST_ENTRIES)]


def read_wanted(declared: Exports, output: Output, place: str) -> Wanted | NoAnswer:
    """What the source said, or why that is no answer."""
    if not output.answered:
        return NoAnswer(because=f"{place} did not answer: {_short(output.problem)}", hint=_short(output.hint))
    if output.status != 0:
        last = output.stderr.strip().rpartition("\n")[2]
        because = f"{place} ended with status {output.status}: {_short(last) or 'without a word'}"
        return NoAnswer(because=because, hint="what it printed besides is not believed")
    if output.truncated:
        return NoAnswer(
            because=f"{place} said more than {output.command.limit:,} bytes, which is all that is read"
        )
    if "\ufffd" in output.stdout:
        return NoAnswer(because=f"{place} said what is no UTF-8")
    if declared.format == "json":
        return _from_json(declared, output.stdout, place)
    return _from_lines(declared, output.stdout, place)


def _from_lines(declared: Exports, text: str, place: str) -> Wanted | NoAnswer:
    cut = NoAnswer(
        because=f"{place} was cut off in the middle",
        hint="the last line of a whole answer ends with a line feed",
    )
    if text and not text.endswith("\n"):
        return cut
    # Nothing else breaks a line: a form feed or a line separator within one is not a line of its own.
    lines = text.replace("\\\n", " ").split("\n")[:-1]
    if declared.ends_with is not None and (not lines or lines[-1] != declared.ends_with):
        return NoAnswer(
            because=f"{place} does not end with {safe(declared.ends_with)!r}",
            hint="it was cut off, or is another file",
        )
    found: dict[Entry, frozenset[str]] = {}
    for number, line in enumerate(lines, start=1):
        path, *clients = line.partition("#")[0].split() or [""]
        if not path and not clients:
            continue
        entries = list(entries_of(line))
        if not _is_plain(line) or not entries or not clients or not all(map(_WORD.fullmatch, clients)):
            return _not_understood(place, f"line {number}", _short(line))
        for entry, options in entries:
            if trouble := _trouble(declared, entry, options, found):
                return _not_understood(place, f"line {number}", trouble)
            found[entry] = options
    return Wanted(table=found)


def _from_json(declared: Exports, text: str, place: str) -> Wanted | NoAnswer:
    try:
        document = _Document.model_validate(json.loads(text))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        return _not_understood(place, where or "the document", first["msg"])
    except (ValueError, RecursionError):
        return NoAnswer(because=f"{place} is no JSON", hint="an answer that was cut off is none either")
    found: dict[Entry, frozenset[str]] = {}
    for number, row in enumerate(document.exports):
        for entry, options in _rows(row):
            if trouble := _trouble(declared, entry, options, found):
                return _not_understood(place, f"exports.{number}", trouble)
            found[entry] = options
    return Wanted(table=found)


def _rows(row: _Row) -> Iterator[tuple[Entry, frozenset[str]]]:
    path = row.path.rstrip("/") or "/"
    for client in row.clients:
        yield (path, client), frozenset(option for option in row.options.split(",") if option)


def _trouble(declared: Exports, entry: Entry, options: frozenset[str], found: Table) -> str:
    path, client = entry
    parts = path.split("/")
    if (
        not path.startswith("/")
        or not path.isprintable()
        or {"", ".", ".."} & set(parts[1:] if path != "/" else ())
    ):
        return f"{_short(path)!r} is no path"
    if len(path) > 1000 or not _is_under(path, declared.under):
        return f"{_short(path)} is not in {', '.join(declared.under)}"
    if not CLIENT.fullmatch(client):
        return f"{_short(client)!r} is no client"
    for option in sorted(options):
        if option not in OPTIONS and not VALUED.fullmatch(option):
            return f"{_short(option)!r} is no option"
    if {"rw", "ro"} <= options:
        return f"{_short(path)} is both rw and ro"
    if entry in found and found[entry] != options:
        return f"{_short(path)} to {client} is there twice, with other options"
    return "there is more than can be meant" if len(found) >= MOST_ENTRIES else ""


def _is_plain(line: str) -> bool:
    # What is a blank to Python and none to exportfs would make two readings of one line.
    return '"' not in line and line.replace("\t", " ").isprintable()


def _is_under(path: str, folders: Sequence[str]) -> bool:
    return any(path == folder or path.startswith(folder.rstrip("/") + "/") for folder in folders)


def _not_understood(place: str, where: str, what: str) -> NoAnswer:
    return NoAnswer(
        because=f"{place}, {where}: {safe(what)}",
        hint="one line that is not understood, and nothing of it is believed",
    )


def _short(text: str) -> str:
    return safe(text[:300]).strip()
