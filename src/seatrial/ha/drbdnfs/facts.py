"""What a host of a pair says of itself, as frozen facts: its disk, its mounts, its server, its clients. Pure.

What is not in: what any of it means for a move. Everything a host says is hostile text: what is not understood is passed
over, and an answer that is not whole is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seatrial.ha.replicas import VERSION, Replica, read_json, read_proc
from seatrial.model.command import Output
from seatrial.model.said import clean

_MOST = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NfsClient:
    """A client that nfsd knows; `status` is its own word (confirmed, courtesy, expirable, unconfirmed)."""

    minor: str
    address: str
    status: str
    states: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """What keeps a file system from being unmounted: a process, another mount of it, or a mount namespace."""

    kind: str
    what: str

    def __str__(self) -> str:
        return self.what


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberFacts:
    """One look at one host.

    `role`, `peer_role`, `connection`, `disk` and `peer_disk` are DRBD's words, of several volumes the worst; role is "" where
    the resource is not up. `gi` is the generation of the data as its current, bitmap and older identifiers, known only while
    it is not connected. `batch` says whether a batch of a failover runs there now.
    """

    boot: str = ""
    uptime: str = ""
    version: str = ""
    role: str = ""
    peer_role: str = ""
    connection: str = ""
    disk: str = ""
    peer_disk: str = ""
    copying: str = ""
    behind: int = 0
    split: bool = False
    quorum: bool = True
    gi: tuple[str, ...] = ()
    batch: bool = False
    mounted: tuple[str, ...] = ()
    address: bool = False
    threads: int = 0
    stopping: bool = False
    units: Mapping[str, str] | None = None
    lease: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    exports: tuple[str, ...] = ()
    served: tuple[str, ...] = ()
    records: bool | None = None
    conf: Mapping[str, str] | None = None
    clients: tuple[NfsClient, ...] = ()
    holders: tuple[Holder, ...] = ()
    wants: Mapping[str, str] | None = None
    link: str = ""
    link_answers: bool | None = None

    @property
    def connected(self) -> bool:
        """Whether DRBD has its peer now, by its own word, which may be a moment old."""
        return self.connection == "Connected"

    @property
    def primary(self) -> bool:
        """Whether this side may write."""
        return self.role == "Primary"

    @property
    def active(self) -> bool:
        """Whether anything of the service is here: what must be gone before the other side takes it."""
        return self.primary or bool(self.mounted) or self.address or self.threads > 0

    def told(self) -> Mapping[str, Any]:
        """The part of it that steps are decided by, small enough for the journal."""
        return {
            "boot": self.boot,
            "role": self.role,
            "peer_role": self.peer_role,
            "connection": self.connection,
            "disk": self.disk,
            "peer_disk": self.peer_disk,
            "gi": self.gi[0] if self.gi else "",
            "batch": self.batch,
            "mounted": list(self.mounted),
            "address": self.address,
            "threads": self.threads,
            "split": self.split,
        }


def read_member(outputs: Sequence[Output]) -> MemberFacts | None:
    """What a host said to `look`, and to `audit` where it was asked; None when an answer is missing or not whole."""
    rows: list[list[str]] = []
    for output, first, last in zip(outputs, (["seatrial", "1"], None), (["done"], ["audited"]), strict=False):
        if not output.ok or output.truncated:
            return None
        found = [line.split("\t") for line in output.stdout.splitlines()[:_MOST]]
        found = [[clean(word) if row[0] not in ("proc", "json") else word for word in row] for row in found]
        if not found or found[-1] != last or (first is not None and found[0] != first):
            return None
        rows += found
    if not rows:
        return None
    by: dict[str, list[list[str]]] = {}
    for row in rows:
        by.setdefault(row[0], []).append(row[1:])
    replicas = _replicas(by)
    if replicas is None:
        return None
    return MemberFacts(
        boot=_first(by, "boot"),
        uptime=_first(by, "uptime"),
        version=_version(by),
        **_drbd(replicas),
        split=bool(by.get("split")),
        gi=tuple(one for one in _first(by, "gi").split(":") if one),
        batch=_first(by, "batch") != "free",
        mounted=tuple(row[0] for row in by.get("mounted", []) if row),
        address=bool(by.get("address")),
        threads=_number(_first(by, "threads")),
        stopping="stopping" in by,
        units=_pairs(by.get("unit", [])),
        lease=tuple(word for row in by.get("lease", []) for word in row),
        versions=tuple(word for row in by.get("versions", []) for word in row),
        exports=tuple(sorted(row[0] for row in by.get("export", []) if row)),
        served=tuple(row[0] for row in by.get("served", []) if row),
        records=_first(by, "records") == "yes" if "records" in by else None,
        conf=_pairs(by.get("conf", [])),
        clients=tuple(_client(row) for row in by.get("client", []) if len(row) >= 6),
        holders=tuple(_holder(row) for row in by.get("holder", []) if len(row) >= 3),
        wants={f"{row[0]} {row[1]}": row[2] for row in by.get("want", []) if len(row) >= 3},
        link=_first(by, "link"),
        link_answers=_link(by.get("link", [])),
    )


def _replicas(by: Mapping[str, list[list[str]]]) -> list[Replica] | None:
    """The volumes; empty where DRBD is not loaded or the resource is down, None when the answer is not understood."""
    if "proc-none" in by:
        return []
    proc = "\n".join("\t".join(row) for row in by.get("proc", []))
    version = VERSION.search(proc)
    if version is None:
        return None
    if version[1] == "8":
        return read_proc(proc, frozenset(row[0] for row in by.get("minor", []) if row))
    json = "\n".join("\t".join(row) for row in by.get("json", []))
    return read_json(json, _first(by, "resource")) if json.strip() not in ("", "[]", "[\n]") else []


def _version(by: Mapping[str, list[list[str]]]) -> str:
    version = VERSION.search("\n".join("\t".join(row) for row in by.get("proc", [])))
    return f"{version[1]}.{version[2]}" if version else ""


def _drbd(replicas: list[Replica]) -> dict[str, Any]:
    # A peer without a disk (a tie-breaker) has no data that could be newer or lost; but it could be primary all the same.
    roles = {one.peer_role for one in replicas}
    replicas = [one for one in replicas if not (one.diskless and one.peer_disk == "Diskless")] or replicas
    if not replicas:
        return {}
    return {
        "role": replicas[0].role,
        "peer_role": "Primary" if "Primary" in roles else replicas[0].peer_role,
        "connection": next(
            (one.connection for one in replicas if one.connection != "Connected"), "Connected"
        ),
        "disk": next((one.disk for one in replicas if one.disk != "UpToDate"), "UpToDate"),
        "peer_disk": next((one.peer_disk for one in replicas if one.peer_disk != "UpToDate"), "UpToDate"),
        "copying": next((one.sync for one in replicas if one.sync not in ("", "VerifyS", "VerifyT")), ""),
        "behind": sum(one.behind for one in replicas),
        "quorum": all(one.quorum and not one.suspended for one in replicas),
    }


def _first(by: Mapping[str, list[list[str]]], name: str) -> str:
    rows = by.get(name, [])
    return rows[0][0] if rows and rows[0] else ""


def _number(word: str) -> int:
    return int(word) if word.isdecimal() and len(word) < 7 else 0


def _pairs(rows: list[list[str]]) -> dict[str, str]:
    return {row[0]: row[1] for row in rows if len(row) >= 2}


def _client(row: list[str]) -> NfsClient:
    return NfsClient(minor=row[1], address=row[2], status=row[3], states=_number(row[4]), name=row[5])


def _holder(row: list[str]) -> Holder:
    kind, *rest = row
    match kind, rest:
        case "process", [pid, program, unit, *_]:
            where = "" if unit == "none" else f" of {unit}"
            return Holder(kind=kind, what=f"process {pid} ({program}){where}")
        case "mount", [at, *_]:
            return Holder(kind=kind, what=f"the mount at {at}")
        case _:
            return Holder(kind=kind, what=f"the mount namespace of process {' '.join(rest[:2])}")


def _link(rows: list[list[str]]) -> bool | None:
    if not rows or len(rows[0]) < 2:
        return None
    return rows[0][1] == "yes"
