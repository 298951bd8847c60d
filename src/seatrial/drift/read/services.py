"""What runs on a host and since when, and which files it was made of: units, processes, certificates, listeners."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from seatrial.boot.frames import Sections
from seatrial.drift.read.boot import Identity
from seatrial.drift.read.text import clean, number, pairs, whole

_MOST = 20_000
_UNIT = re.compile(r"^/(?:.*\.slice/)*([^/]+\.(?:service|scope))(?:/|$)")
_CONTAINER = re.compile(
    r"(?:docker|cri-containerd|crio|libpod)[-/]([0-9a-f]{12})|/(lxc)[./]|/kubepods|machine\.slice"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit as systemd tells it; times are seconds since 1970, `pid` 0 for none."""

    name: str
    active: str
    sub: str = ""
    enabled: str = ""
    kind: str = ""
    remain: bool = False
    condition: bool = True
    pid: int = 0
    stale: bool = False
    file: str = ""
    environment: tuple[str, ...] = ()
    after: frozenset[str] = frozenset()
    pulled_by: tuple[str, ...] = ()
    changed: float = 0.0
    started: float = 0.0
    reloads: bool = False
    transient: bool = False
    loaded: str = "loaded"
    result: str = "success"


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process; `unit` is "" where systemd does not know it, `container` names the container that it is in."""

    pid: int
    parent: int
    started: float
    name: str
    program: str = ""
    unit: str = ""
    container: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFile:
    """A file that a command line or a configuration names: when it came to be as it is, and the certificates in it."""

    path: str
    changed: float
    pem: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What one handshake brought. `by` is name or address; `pem` the certificates, the server's own first."""

    place: str
    by: str
    pem: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """`named` maps a process to the paths and addresses that its command line and environment name."""

    units: Mapping[str, Unit] = field(default_factory=dict)
    unit_files: tuple[str, ...] = ()
    mount_units: frozenset[str] = frozenset()
    processes: Mapping[int, Process] = field(default_factory=dict)
    deleted: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    scripts: tuple[tuple[int, float, str], ...] = ()
    changed: Mapping[str, float] = field(default_factory=dict)
    named: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    configured: tuple[tuple[str, str], ...] = ()
    files: Mapping[str, NamedFile] = field(default_factory=dict)
    listeners: tuple[tuple[str, int], ...] = ()
    served: tuple[Served, ...] = ()
    addresses: frozenset[str] = frozenset()
    sshd_problem: str = ""

    def of_unit(self, name: str) -> tuple[Process, ...]:
        """The processes of a unit, its children too."""
        return tuple(one for one in self.processes.values() if one.unit == name)


def read_services(sections: Sections, identity: Identity) -> Services:
    """Everything that a restart is about."""
    named: dict[int, list[str]] = {}
    for word, path in pairs(sections, "named"):
        if (pid := whole(word)) is not None:
            named.setdefault(pid, []).append(path)
    deleted: dict[int, list[str]] = {}
    for word, path in pairs(sections, "deleted"):
        if (pid := whole(word)) is not None:
            deleted.setdefault(pid, []).append(path)
    return Services(
        units=_units(sections, identity),
        unit_files=tuple(
            name for name, goal in pairs(sections, "unit-files") if "@." not in name and goal != "/dev/null"
        ),
        mount_units=frozenset(clean(line) for line in sections.lines("mount-units")),
        processes=_processes(sections, identity),
        deleted={pid: tuple(paths) for pid, paths in deleted.items()},
        scripts=_scripts(sections),
        changed=_changed(sections),
        named={pid: tuple(paths) for pid, paths in named.items()},
        configured=tuple(pairs(sections, "configured"))[:_MOST],
        files=_files(sections),
        listeners=tuple(
            (address, pid)
            for address, word in pairs(sections, "listeners")
            if (pid := whole(word)) is not None
        ),
        served=_served(sections),
        addresses=frozenset(clean(line) for line in sections.lines("addresses")),
        sshd_problem=clean(" ".join(sections.lines("sshd-test"))),
    )


def _units(sections: Sections, identity: Identity) -> Mapping[str, Unit]:
    found = {}
    states = {
        said["Id"]: said.get("UnitFileState", "")
        for block in sections.text("unit-states").split("\n\n")
        if "Id" in (said := dict(line.partition("=")[::2] for line in block.split("\n")))
    }
    for block in sections.text("units").split("\n\n"):
        said = dict(line.partition("=")[::2] for line in block.split("\n") if "=" in line)
        environment = [
            line.partition("=")[2].split(" ")[0]
            for line in block.split("\n")
            if line.startswith("EnvironmentFiles=")
        ]
        name = clean(said.get("Id", ""))
        if not name:
            continue
        pulled = [said.get(key, "") for key in ("WantedBy", "RequiredBy", "TriggeredBy", "BoundBy")]
        found[name] = Unit(
            name=name,
            active=clean(said.get("ActiveState", "")),
            sub=clean(said.get("SubState", "")),
            enabled=clean(states.get(said.get("Id", ""), "")),
            kind=clean(said.get("Type", "")),
            remain=said.get("RemainAfterExit") == "yes",
            # Before its first start nobody has looked at the conditions, and systemd says no.
            condition=said.get("ConditionResult", "yes") == "yes"
            or said.get("ConditionTimestampMonotonic", "0") == "0",
            pid=whole(said.get("MainPID", "0")) or 0,
            stale=said.get("NeedDaemonReload") == "yes",
            file=clean(said.get("FragmentPath", "")),
            environment=tuple(clean(path.removeprefix("-")) for path in environment if path),
            after=frozenset(said.get("After", "").split()),
            pulled_by=tuple(clean(word) for words in pulled for word in words.split()),
            changed=_at(said.get("StateChangeTimestampMonotonic", ""), identity),
            started=_at(said.get("ExecMainStartTimestampMonotonic", ""), identity),
            reloads=said.get("CanReload") == "yes",
            transient=said.get("Transient") == "yes",
            loaded=clean(said.get("LoadState", "")),
            result=clean(said.get("Result", "success")),
        )
    return found


def _at(word: str, identity: Identity) -> float:
    micro = number(word)
    return identity.booted + micro / 1e6 if micro else 0.0


def _processes(sections: Sections, identity: Identity) -> Mapping[int, Process]:
    groups = dict(pairs(sections, "groups"))
    programs = dict(pairs(sections, "programs"))
    found = {}
    for line in sections.lines("processes")[:_MOST]:
        words = ([*line.split(" ", 3), "", ""])[:4]
        pid, parent, ticks = whole(words[0]), whole(words[1]), number(words[2])
        if pid is None or parent is None or ticks is None:
            continue
        group = groups.get(words[0], "")
        unit, inside = _UNIT.match(group), _CONTAINER.search(group)
        found[pid] = Process(
            pid=pid,
            parent=parent,
            started=identity.booted + ticks / identity.ticks,
            name=clean(words[3]),
            program=programs.get(words[0], ""),
            unit=unit.group(1) if unit else "",
            container=(inside.group(1) or "a container") if inside else "",
        )
    return found


def _scripts(sections: Sections) -> tuple[tuple[int, float, str], ...]:
    found = []
    for line in sections.lines("scripts"):
        words = line.split(" ", 3)
        if len(words) == 4 and (pid := whole(words[0])) is not None:
            found.append((pid, max(number(words[1]) or 0.0, number(words[2]) or 0.0), clean(words[3])))
    return tuple(found)


def _changed(sections: Sections) -> Mapping[str, float]:
    found = {}
    for line in sections.lines("changed")[:_MOST]:
        written, born, path = ([*line.split(" ", 2), "", ""])[:3]
        when = max(number(written.partition(".")[0]) or 0.0, number(born.partition(".")[0]) or 0.0)
        found[clean(path)] = when
    return found


def _files(sections: Sections) -> Mapping[str, NamedFile]:
    found = {}
    for head, lines in _blocks(sections, "files", "F "):
        words = head.split(" ", 2)
        if len(words) == 3:
            path = clean(words[2])
            changed = max(number(words[0]) or 0.0, number(words[1]) or 0.0)
            found[path] = NamedFile(path=path, changed=changed, pem=_certificates(lines))
    return found


def _served(sections: Sections) -> tuple[Served, ...]:
    found = []
    for head, lines in _blocks(sections, "served", "S "):
        place, _, by = head.partition(" ")
        if pem := _certificates(lines):
            found.append(Served(place=clean(place), by=clean(by), pem=pem))
    return tuple(found)


def _blocks(sections: Sections, name: str, mark: str) -> Iterator[tuple[str, list[str]]]:
    head, lines = "", list[str]()
    for line in sections.lines(name):
        if line.startswith(mark):
            if head:
                yield head, lines
            head, lines = line[len(mark) :], []
        elif line.startswith("L "):
            lines.append(line[2:])
    if head:
        yield head, lines


def _certificates(lines: list[str]) -> tuple[str, ...]:
    found, kept = [], list[str]()
    for line in lines:
        kept.append(line)
        if line.startswith("-----END CERTIFICATE-----"):
            found.append("\n".join(kept) + "\n")
            kept = []
    return tuple(found)
