"""What is in force on a host beside what its files say: sysctls, modules, routes, rules, disciplines, exports, packages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from seatrial.boot.frames import Sections
from seatrial.drift.read.text import clean, files, pairs, whole

_OPTIONS = re.compile(r"^options\s+(\S+)\s+(.*)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A value that a file configures, and which file."""

    value: str
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A route or a rule, in the words of `ip`; `by_hand` is whether `ip` or a script made it, not a network program."""

    family: str
    text: str
    by_hand: bool
    table: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Qdisc:
    """The queueing discipline at the root of a device."""

    device: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A disk's IO scheduler: what is in force, what there is, and how many queues its driver has."""

    name: str
    queues: int
    scheduler: str
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """What runs, and what is configured. `boot_lines` are lines that set something at boot, with their file in front."""

    sysctls: Mapping[str, str] = field(default_factory=dict)
    sysctls_wanted: Mapping[str, Wanted] = field(default_factory=dict)
    modules: frozenset[str] = frozenset()
    modules_in_use: frozenset[str] = frozenset()
    modules_wanted: Mapping[str, Wanted] = field(default_factory=dict)
    modules_built_in: frozenset[str] = frozenset()
    module_options: Mapping[tuple[str, str], Wanted] = field(default_factory=dict)
    parameters: Mapping[tuple[str, str], str] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    rules: tuple[Route, ...] = ()
    links: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    qdiscs: tuple[Qdisc, ...] = ()
    disks: tuple[Disk, ...] = ()
    nft: tuple[str, ...] = ()
    nft_file: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    nft_problem: str = ""
    iptables: tuple[str, ...] = ()
    iptables_file: tuple[str, ...] = ()
    exports: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    exports_file: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    boot_lines: tuple[str, ...] = ()
    programs: frozenset[str] = frozenset()
    packages: Mapping[str, str] = field(default_factory=dict)

    def at_boot(self, *words: str) -> bool:
        """Whether one line of what runs at boot has all of these words, so that it is set again."""
        return any(all(word in line for word in words) for line in self.boot_lines)


def read_running(sections: Sections) -> InForce:
    """Everything that is in force, and what is configured."""
    texts = files(sections, "modules-wanted")
    lines = tuple(clean(line, 1000) for line in sections.lines("boot-lines"))
    return InForce(
        sysctls=_sysctls(sections),
        sysctls_wanted=_sysctls_wanted(files(sections, "sysctl-files")),
        modules=frozenset(name for name, _ in pairs(sections, "modules-now")),
        modules_in_use=frozenset(
            name for name, rest in pairs(sections, "modules-now") if rest.split(" ")[1:2] != ["0"]
        ),
        modules_wanted=_modules_wanted(texts),
        modules_built_in=frozenset(
            clean(line).replace("-", "_") for line in sections.lines("builtin-modules")
        ),
        module_options=_module_options(texts),
        parameters=_parameters(sections),
        routes=_routes(sections, "route"),
        rules=_routes(sections, "rule"),
        links=_links(sections),
        qdiscs=_qdiscs(sections),
        disks=_disks(sections),
        nft=tuple(clean(" ".join(line.split()), 2000) for line in sections.lines("nft-now")),
        nft_file=files(sections, "nft-file"),
        nft_problem=clean(" ".join(sections.lines("nft-check"))),
        iptables=tuple(" ".join(line.split()) for line in sections.lines("iptables-now")),
        iptables_file=tuple(" ".join(line.split()) for line in sections.lines("iptables-file")),
        exports=_etab(sections),
        exports_file=_exports(line for lines in files(sections, "exports-file").values() for line in lines),
        boot_lines=tuple(line for line in lines if not line.startswith("program:")),
        programs=frozenset(line.removeprefix("program:") for line in lines if line.startswith("program:")),
        packages={
            name: rest.split(" ")[0] for name, rest in pairs(sections, "packages") if rest.endswith("ii")
        },
    )


def _sysctls(sections: Sections) -> Mapping[str, str]:
    """By the path below /proc/sys, since an interface's name may have dots."""
    found: dict[str, str] = {}
    for line in sections.lines("sysctl-now"):
        key, colon, value = line.partition(":")
        if colon and key:
            # Some have several lines, each with the key in front.
            text = clean(" ".join(value.split()))
            found[key] = f"{found[key]} {text}" if key in found else text
    return found


def sysctl_path(key: str) -> str:
    """A key as sysctl.d(5) spells it, as the path below /proc/sys: the first of . and / in it parts the words."""
    first = next((letter for letter in key if letter in "./"), ".")
    return key if first == "/" else key.translate(str.maketrans("./", "/."))


def _sysctls_wanted(texts: Mapping[str, tuple[str, ...]]) -> Mapping[str, Wanted]:
    """What systemd-sysctl would set: files by their names whatever their folder, the nearer folder hiding the farther."""
    by_name: dict[str, tuple[str, tuple[str, ...]]] = {}
    for path, lines in texts.items():
        # The script lists /etc first. /etc/sysctl.conf itself is read through its link in sysctl.d, where there is one.
        if path != "/etc/sysctl.conf":
            by_name.setdefault(path.rsplit("/", 1)[-1], (path, lines))
    found: dict[str, Wanted] = {}
    for _, (path, lines) in sorted(by_name.items()):
        for line in lines:
            key, equals, value = line.partition("=")
            key = sysctl_path(key.strip().removeprefix("-"))
            if equals and key:
                found[key] = Wanted(value=" ".join(value.split()), file=path)
    return found


def _modules_wanted(texts: Mapping[str, tuple[str, ...]]) -> Mapping[str, Wanted]:
    found: dict[str, Wanted] = {}
    for path, lines in texts.items():
        if path == "/etc/modules" or "/modules-load.d/" in path:
            for line in lines:
                found.setdefault(line.split()[0].replace("-", "_"), Wanted(value=line, file=path))
    return found


def _module_options(texts: Mapping[str, tuple[str, ...]]) -> Mapping[tuple[str, str], Wanted]:
    found = {}
    for path, lines in texts.items():
        if "/modprobe.d/" not in path:
            continue
        for line in lines:
            if said := _OPTIONS.match(line):
                for word in said.group(2).split():
                    key, equals, value = word.partition("=")
                    if equals:
                        module = said.group(1).replace("-", "_")
                        found[module, key] = Wanted(value=value, file=path)
    return found


def _parameters(sections: Sections) -> Mapping[tuple[str, str], str]:
    found = {}
    for line in sections.lines("module-parameters"):
        path, _, value = line.partition(":")
        words = path.split("/")
        if len(words) == 6:
            found[clean(words[3]), clean(words[5])] = clean(value)
    return found


def _routes(sections: Sections, what: str) -> tuple[Route, ...]:
    found = []
    for line in sections.lines("routes"):
        kind, family, text = ([*line.split(" ", 2), "", ""])[:3]
        if kind != what:
            continue
        text = clean(" ".join(text.split()))
        words = text.split(" ")
        table = words[words.index("table") + 1] if "table" in words[:-1] else ""
        # `ip` does not show the protocol of what `ip route add` made without one.
        found.append(Route(family=family, text=text, by_hand="proto" not in words, table=table))
    return tuple(found)


def _links(sections: Sections) -> Mapping[str, Mapping[str, str]]:
    """By device; one that has a driver is a card, and the others were made by programs."""
    found: dict[str, dict[str, str]] = {}
    for name, rest in pairs(sections, "links"):
        key, _, value = rest.partition(" ")
        found.setdefault(name, {})[key] = value
    return found


def _qdiscs(sections: Sections) -> tuple[Qdisc, ...]:
    found = []
    for line in sections.lines("qdiscs"):
        words = line.split()
        if len(words) > 5 and words[0] == "qdisc" and words[3] == "dev" and words[5] == "root":
            text = " ".join([words[1], *words[8 if words[6:7] == ["refcnt"] else 6 :]])
            found.append(Qdisc(device=clean(words[4]), kind=clean(words[1]), text=clean(text)))
    return tuple(found)


def _disks(sections: Sections) -> tuple[Disk, ...]:
    found = []
    for name, rest in pairs(sections, "schedulers"):
        queues, *choices = rest.split(" ")
        now = next((word.strip("[]") for word in choices if word.startswith("[")), "")
        found.append(
            Disk(
                name=name,
                queues=whole(queues) or 0,
                scheduler=now,
                choices=tuple(word.strip("[]") for word in choices),
            )
        )
    return tuple(found)


def _etab(sections: Sections) -> Mapping[tuple[str, str], frozenset[str]]:
    return _exports(line.replace("\t", " ") for line in sections.lines("exports-now"))


def _exports(lines: Iterable[str]) -> Mapping[tuple[str, str], frozenset[str]]:
    """Each folder and client of exports(5) with its options; a client without any gets the defaults of its line."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    for line in _joined(lines):
        path, *clients = _words(line)
        defaults: list[str] = []
        for client in clients or ["*"]:
            if client.startswith("-"):
                defaults = client[1:].split(",")
                continue
            name, bracket, options = client.partition("(")
            mine = options.rstrip(")").split(",") if bracket else []
            found[clean(path), clean(name or "*")] = frozenset(
                clean(word) for word in (*defaults, *mine) if word
            )
    return found


def _joined(lines: Iterable[str]) -> Iterable[str]:
    kept = ""
    for line in lines:
        if line.endswith("\\"):
            kept += line[:-1]
            continue
        if (kept + line).strip():
            yield kept + line
        kept = ""


def _words(line: str) -> list[str]:
    """The words of an exports line; a folder with blanks in it stands in quotes."""
    if line.startswith('"'):
        path, _, rest = line[1:].partition('"')
        return [path, *rest.split()]
    return line.split() or [""]
