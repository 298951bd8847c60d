"""What an apply would change: what is added, what may go, what is kept although nobody wants it any more, and why.

What is in: the comparison of one wanted table with the file that each host has. What is not in: asking or writing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from seatrial.exports.table import Entry, Table, lines_of, named
from seatrial.model.exports import Removals

HEAD = "# Written by `seatrial exports apply`, the same on every host of the group. What is changed here by hand is lost.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`table` is what every host shall have. `kept` is what is there, not wanted, and stays; `because` says why."""

    table: Table
    added: frozenset[Entry] = frozenset()
    removed: frozenset[Entry] = frozenset()
    changed: frozenset[Entry] = frozenset()
    kept: frozenset[Entry] = frozenset()
    because: str = ""

    @property
    def text(self) -> str:
        """The file that every host shall have."""
        return HEAD + "".join(f"{line}\n" for line in lines_of(self.table))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """What one host has otherwise than wanted. `unserved` is what is wanted there and not served, though nfsd runs."""

    missing: frozenset[Entry] = frozenset()
    unwanted: frozenset[Entry] = frozenset()
    changed: frozenset[Entry] = frozenset()
    unserved: frozenset[Entry] = frozenset()

    @property
    def sentence(self) -> str:
        """In words, "" when there is none."""
        parts = (
            (self.missing, "not in its file"),
            (self.unserved, "wanted and not served"),
            (self.changed, "with other options"),
            (self.unwanted, "there and not wanted"),
        )
        return "; ".join(f"{words}: {named(entries)}" for entries, words in parts if entries)


def plan(wanted: Table, files: Mapping[str, Table], removals: Removals, *, allowed: bool) -> Plan:
    """What every host's file shall become. What any host has counts as there, so that no host loses what it serves.

    By itself an apply only adds. What is not wanted any more, or with other options, goes when both limits of `removals`
    allow all of it, and stays, all of it, when they do not; an empty `wanted` takes nothing away. `allowed` is a person's
    word, which lifts the limits.
    """
    there: dict[Entry, frozenset[str]] = {}
    for table in files.values():
        there.update({entry: options for entry, options in table.items() if entry not in there})
    gone = frozenset(entry for entry in there if entry not in wanted)
    changed = frozenset(
        entry for entry, options in there.items() if entry in wanted and wanted[entry] != options
    )
    added = frozenset(entry for entry in wanted if entry not in there)
    because = "" if allowed else _too_much(len(gone) + len(changed), len(there), bool(wanted), removals)
    if not because:
        return Plan(table=dict(wanted), added=added, removed=gone, changed=changed)
    kept = {entry: there[entry] for entry in gone | changed}
    return Plan(table={**wanted, **kept}, added=added, kept=gone | changed, because=because)


def _too_much(goes: int, there: int, wants: bool, removals: Removals) -> str:
    if not goes:
        return ""
    if not wants:
        return f"the source wants nothing to be served, and {there} entries are"
    if goes > removals.most:
        limit = f"{removals.most} may by itself" if removals.most else "by itself it only adds"
        return f"{goes} of {there} entries would go or change, and {limit}"
    if 100.0 * goes > removals.share * there:
        return f"{goes} of {there} entries would go or change, more than {removals.share:g} %"
    return ""


def mismatch(wanted: Table, file: Table, served: Table | None) -> Mismatch:
    """What a host has otherwise than wanted; `served` is None where no NFS server runs, so that nothing is served."""
    return Mismatch(
        missing=frozenset(entry for entry in wanted if entry not in file),
        unwanted=frozenset(entry for entry in file if entry not in wanted),
        changed=frozenset(
            entry for entry, options in file.items() if entry in wanted and wanted[entry] != options
        ),
        unserved=frozenset()
        if served is None
        else frozenset(e for e in wanted if not is_served(e, wanted[e], served)),
    )


def is_served(entry: Entry, options: frozenset[str], served: Table) -> bool:
    """Whether the server has this entry, and as writable as it is wanted. Its list names every option, wanted or not."""
    shown = served.get(entry)
    if shown is None:
        return False
    writable = "rw" if "rw" in options else "ro"
    return writable in shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one host has: `file` is the table of the written file, `mark` its checksum; `threads` is 0 where none serve.

    `problem` says why nothing is known of it; then the rest means nothing.
    """

    file: Table = field(default_factory=dict)
    mark: str = "none"
    threads: int = 0
    served: Table | None = None
    problem: str = ""
    hint: str = ""
