"""What the next restart of a service would change: programs, libraries, scripts and configuration newer than its processes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from shlex import quote

from seatrial.drift.facts import Facts
from seatrial.drift.find.made import DANGER, NOTE, WARNING, finding
from seatrial.drift.read.services import Process, Services, Unit
from seatrial.drift.read.text import shown
from seatrial.model.finding import Finding, When

# Where a service's configuration is, when the folder is not called as the unit or the program.
CALLED = {
    "sshd": ("ssh",), "ssh": ("ssh",), "slapd": ("ldap",), "postgres": ("postgresql",), "mysqld": ("mysql",), "mariadbd": ("mysql",),
    "mariadb": ("mysql",), "named": ("bind",), "master": ("postfix",), "chronyd": ("chrony",), "rsyslogd": ("rsyslog",),
    "ntpd": ("ntp", "ntpsec"), "dockerd": ("docker",), "etcd": ("etcd",), "haproxy": ("haproxy",), "snmpd": ("snmp",), "dhcpd": ("dhcp",),
    "php-fpm": ("php",), "squid": ("squid",), "unbound": ("unbound",), "smbd": ("samba",), "nmbd": ("samba",),
}  # fmt: skip
# These read their files again by themselves.
_READS_AGAIN = frozenset(
    {
        "cron",
        "dbus",
        "polkit",
        "systemd-udevd",
        "anacron",
        "atd",
        "accounts-daemon",
        "packagekit",
        "dbus-broker",
    }
)
_NOT_READ = (
    ".dpkg-old",
    ".dpkg-dist",
    ".dpkg-new",
    ".bak",
    "~",
    ".swp",
    ".pem",
    ".crt",
    ".cert",
    ".cer",
    ".key",
    ".pub",
    ".ucf-dist",
)
_CLIENTS = frozenset(
    {"/etc/ssh/ssh_config", "/etc/ssh/moduli", "/etc/ssh/ssh_known_hosts", "/etc/ldap/ldap.conf"}
)
# Their children are people's sessions, which end by themselves.
_SESSIONS = frozenset({"ssh.service", "sshd.service"})


def names_of(services: Services, unit: Unit, process: Process | None) -> frozenset[str]:
    """How folders and files of a service in /etc may be called: as its unit, or as its program."""
    base = _base(unit)
    program = process.program.rsplit("/", 1)[-1] if process else ""
    # What is called as etcd is etcd's own, and not that of a proxy which is the same program.
    owner = services.units.get(f"{program}.service")
    if owner is not None and owner.name != unit.name and owner.active == "active" and owner.pid:
        program = ""
    plain = {base, program} - {"", "python3", "perl", "bash", "dash", "sh"}
    return frozenset((*plain, *(other for name in plain for other in CALLED.get(name, ()))))


def _base(unit: Unit) -> str:
    return unit.name.removesuffix(".service").partition("@")[0]


def is_of(path: str, names: frozenset[str]) -> bool:
    """Whether a file in /etc is of a service of one of these names."""
    words = path.removeprefix("/etc/").split("/")
    first = words[1] if words[0] in ("default", "systemd", "sysconfig") and len(words) > 1 else words[0]
    base = first.removesuffix(".d").removesuffix(".conf")
    if words[0] == "systemd":
        return len(words) > 1 and f"systemd-{base}" in names
    return first in names or base in names


def since(unit: Unit, process: Process | None) -> float:
    """When a service last read its files: its start, or a reload after it."""
    began = process.started if process else unit.started
    return max(began, unit.changed) if unit.reloads else began


def programs(facts: Facts) -> Iterator[Finding]:
    """Programs and libraries that were replaced or deleted under what runs, children too."""
    found: dict[str, dict[str, set[int]]] = {}
    for pid, paths in facts.services.deleted.items():
        process = facts.services.processes.get(pid)
        if process is None or (process.unit in _SESSIONS and not _is_main(facts, process)):
            continue
        for path in paths:
            found.setdefault(_owner(process), {}).setdefault(path, set()).add(pid)
    for owner, mapped in sorted(found.items()):
        pids = sorted({pid for some in mapped.values() for pid in some})
        process = facts.services.processes[pids[0]]
        programs_too = {facts.services.processes[pid].program.removesuffix(" (deleted)") for pid in pids}
        what = [
            path.rsplit("/", 1)[-1]
            for path in sorted(mapped, key=lambda path: (path not in programs_too, path))
        ]
        many = f" ({len(pids)} processes)" if len(pids) > 1 else ""
        restart = _restart(owner, process)
        yield finding(
            "restart.program",
            NOTE if _is_session(owner) else WARNING,
            owner,
            f"{owner}{many} runs {shown(what)} as {'they were' if len(what) > 1 else 'it was'} before {'they were' if len(what) > 1 else 'it was'} replaced or deleted on disk",
            fix=restart,
            when=When.BOOT if restart == "reboot" else When.RESTART,
        )


def _is_main(facts: Facts, process: Process) -> bool:
    unit = facts.services.units.get(process.unit)
    return unit is not None and unit.pid == process.pid


def _owner(process: Process) -> str:
    if process.container:
        return f"container {process.container}"
    return process.unit or f"process {process.name}"


def _is_session(owner: str) -> bool:
    return owner.startswith(("session-", "user@", "process "))


def _restart(owner: str, process: Process) -> str:
    if owner.startswith("container "):
        return f"restart the container {process.container}"
    if owner == "init.scope":
        return "systemctl daemon-reexec"
    if owner in ("dbus.service", "dbus-broker.service"):
        return "reboot"
    if owner.startswith("user@"):
        return f"systemctl restart {owner}"
    if owner in _SESSIONS:
        # Who restarts it with a broken configuration does not come in again.
        return f"sshd -t && systemctl restart {owner}"
    if owner.endswith(".service"):
        return f"systemctl restart {owner}"
    if owner.startswith("session-"):
        return f"log out of {owner}"
    return f"end and start {process.name} (process {process.pid})"


def scripts(facts: Facts) -> Iterator[Finding]:
    """Scripts, and what they import, that are newer than the process that runs them."""
    found: dict[str, list[str]] = {}
    for pid, changed, path in facts.services.scripts:
        process = facts.services.processes.get(pid)
        # A second for clocks that count in ticks, and for a script that was written and started at once.
        if process is not None and process.unit.endswith(".service") and changed > process.started + 1:
            found.setdefault(process.unit, []).append(path)
    for owner, paths in sorted(found.items()):
        if owner in _SESSIONS:
            continue
        yield finding(
            "restart.script",
            WARNING,
            owner,
            f"{owner} runs {shown(sorted(set(paths)))} as it was before it was changed",
            fix=f"systemctl restart {owner}",
            when=When.RESTART,
        )


def configuration(facts: Facts) -> Iterator[Finding]:
    """Configuration that is newer than the process that read it."""
    services = facts.services
    for unit in services.units.values():
        if unit.active != "active" or not unit.pid or _base(unit) in _READS_AGAIN:
            continue
        process = services.processes.get(unit.pid)
        began = since(unit, process)
        names = names_of(services, unit, process)
        mine = set(unit.environment) | set(services.named.get(unit.pid, ()))
        newer = [
            path
            for path, changed in services.changed.items()
            if changed > began + 1
            and not path.endswith(_NOT_READ)
            and path not in _CLIENTS
            and (path in mine or is_of(path, names))
        ]
        newer += [
            path
            for path in mine
            if path not in services.changed
            and (file := services.files.get(path))
            and not file.pem
            and file.changed > began + 1
            and not path.endswith(_NOT_READ)
        ]
        if (
            process is not None
            and unit.file
            and services.changed.get(unit.file, 0.0) > process.started + 1
            and not unit.stale
        ):
            newer.append(unit.file)
        if newer:
            reload = unit.reloads and unit.file not in newer
            yield finding(
                "restart.configuration",
                WARNING,
                unit.name,
                f"{unit.name} runs on older settings: {shown(sorted(set(newer)))} changed after it read them",
                fix=f"systemctl {'reload' if reload else 'restart'} {unit.name}",
                when=When.RESTART,
            )


def sshd(facts: Facts) -> Iterator[Finding]:
    """A configuration that sshd would not start with: nobody logs in after the next boot."""
    if facts.services.sshd_problem:
        yield finding(
            "restart.sshd",
            DANGER,
            "ssh.service",
            f"sshd would not start again: {facts.services.sshd_problem}",
            fix=_without_line(facts.services.sshd_problem, _sshd_unit(facts)),
            instead="mend /etc/ssh/sshd_config until sshd -t says nothing",
            when=When.RESTART,
        )


_AT_LINE = re.compile(r"(/[\w./@%+-]+):? line (\d+)", re.ASCII)


def _without_line(problem: str, unit: str) -> str:
    """The command that makes a comment of the line that sshd complains of, and lets sshd read what is left."""
    if found := _AT_LINE.search(problem):
        comment = f"sed -i.before '{found.group(2)}s/^/#/' {quote(found.group(1))}"
        return f"{comment} && sshd -t && systemctl reload {unit}"
    return "sshd -t"


def _sshd_unit(facts: Facts) -> str:
    return next((name for name in sorted(_SESSIONS) if name in facts.services.units), "ssh.service")


def order(facts: Facts, names: list[str]) -> tuple[str, ...]:
    """Units in an order that respects what must be up before what; systemd's own first, so that it reads new unit files."""
    left = sorted(set(names))
    told: list[str] = []
    before = {name: _after(facts, name) for name in left}
    while left:
        # After= may run in a circle, where systemd too takes any.
        free = [name for name in left if not (before[name] & (set(left) - {name}))] or left[:1]
        told += free
        left = [name for name in left if name not in free]
    return tuple(told)


def _after(facts: Facts, name: str) -> frozenset[str]:
    """All that comes before a unit, by way of units that need no restart too."""
    found, left = set[str](), [name]
    while left:
        unit = facts.services.units.get(left.pop())
        news = unit.after - found if unit else frozenset()
        found |= news
        left += news
    return frozenset(found - {name})
