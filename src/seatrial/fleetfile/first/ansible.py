"""Machines of an Ansible inventory, read as text: INI, YAML, and what `ansible-inventory --list` prints. Nothing is run.

What is in: groups, children, ranges, and the variables that say how a machine is reached, from the inventory and from
group_vars and host_vars. What is not: inventory plugins and scripts (give what `ansible-inventory --list` prints of them),
and templates, which only Ansible can work out.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seatrial.errors import InputError
from seatrial.fleetfile.first.seen import MOST_MACHINES, Found, Machine
from seatrial.fleetfile.tree import read_tree

_HINT = "give the inventory file or its directory, or what `ansible-inventory --list` prints"
_REACH = (
    "ansible_host", "ansible_ssh_host", "ansible_user", "ansible_ssh_user", "ansible_port", "ansible_ssh_port",
    "ansible_connection", "ansible_ssh_private_key_file", "ansible_private_key_file", "ansible_ssh_common_args",
)  # fmt: skip
_RANGE = re.compile(r"\[(?P<first>\d+|[A-Za-z]):(?P<last>\d+|[A-Za-z])(?::(?P<step>\d+))?\]", re.ASCII)


@dataclass(slots=True)
class _Group:
    hosts: dict[str, None] = field(default_factory=dict)
    children: dict[str, None] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class _Inventory:
    found: Found
    groups: dict[str, _Group] = field(default_factory=dict)
    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)
    where: dict[str, str] = field(default_factory=dict)

    def group(self, name: str) -> _Group:
        return self.groups.setdefault(name, _Group())

    def host(self, name: str, group: str, where: str) -> dict[str, Any]:
        self.group(group).hosts[name] = None
        self.where.setdefault(name, where)
        if len(self.hosts) > MOST_MACHINES:
            raise InputError(
                f"{where}: there are more than {MOST_MACHINES:,} hosts", hint="give a part of it"
            )
        return self.hosts.setdefault(name, {})


def from_ansible(
    texts: Mapping[str, str], *, of_groups: Mapping[str, str], of_hosts: Mapping[str, str], name: str
) -> Found:
    """The machines of an inventory: `texts` by file name, with the YAML of group_vars and host_vars by group and host.

    Raises InputError for text that is no inventory.
    """
    inventory = _Inventory(Found(name=name))
    for filename, text in texts.items():
        _read(inventory, filename, text)
    for group, text in of_groups.items():
        if group in inventory.groups or group == "all":
            inventory.group(group).settings.update(_settings(inventory, f"group_vars of {group}", text))
    for host, text in of_hosts.items():
        if host in inventory.hosts:
            inventory.hosts[host].update(_settings(inventory, f"host_vars of {host}", text))
    for host in inventory.hosts:
        _machine(inventory, host)
    return inventory.found


def _read(inventory: _Inventory, filename: str, text: str) -> None:
    if text.lstrip().startswith("{"):
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as problem:
            raise InputError(f"{filename}: begins as JSON and is none: {problem}", hint=_HINT) from None
        _listed(inventory, filename, document)
        return
    tree = read_tree(text)
    if isinstance(tree.root.value if tree.root else None, dict):
        assert tree.root is not None
        for group, body in tree.root.value.items():
            _yaml_group(inventory, filename, str(group), body, 0)
    elif filename.endswith((".yml", ".yaml")):
        what = (
            tree.mistakes[0].line(filename) if tree.mistakes else f"{filename}: groups are wanted: a mapping"
        )
        raise InputError(what, hint=_HINT)
    else:
        _ini(inventory, filename, text)


def _listed(inventory: _Inventory, filename: str, document: Any) -> None:
    """What `ansible-inventory --list` prints: groups with lists, and all variables under _meta."""
    if not isinstance(document, dict):
        raise InputError(f"{filename}: is no inventory: a mapping of groups is wanted", hint=_HINT)
    for name, body in document.items():
        if name == "_meta":
            continue
        if isinstance(body, list):
            body = {"hosts": body}
        if not isinstance(body, dict):
            inventory.found.leave(str(name), filename, "is no group")
            continue
        group = inventory.group(str(name))
        hosts = body.get("hosts")
        for host in hosts if isinstance(hosts, list | dict) else ():
            inventory.host(str(host), str(name), filename)
        children = body.get("children")
        for child in children if isinstance(children, list | dict) else ():
            group.children[str(child)] = None
            inventory.group(str(child))
        group.settings.update(_mapping(body.get("vars")))
    for host, settings in _mapping(_mapping(document.get("_meta")).get("hostvars")).items():
        if host in inventory.hosts:
            inventory.hosts[host].update(_mapping(settings))


def _mapping(value: Any) -> dict[str, Any]:
    return {str(key): one for key, one in value.items()} if isinstance(value, dict) else {}


def _yaml_group(inventory: _Inventory, filename: str, name: str, body: Any, depth: int) -> None:
    group = inventory.group(name)
    if body is None:
        return
    if not isinstance(body, dict) or not {*body} <= {"hosts", "children", "vars"}:
        inventory.found.leave(name, filename, "is no group: only hosts, children and vars are known in one")
        return
    for pattern, settings in _mapping(body.get("hosts")).items():
        for host in _expanded(inventory, pattern, filename):
            inventory.host(host, name, filename).update(_mapping(settings))
    for child, below in _mapping(body.get("children")).items():
        group.children[child] = None
        _yaml_group(inventory, filename, child, below, depth + 1)
    group.settings.update(_mapping(body.get("vars")))


def _ini(inventory: _Inventory, filename: str, text: str) -> None:
    section, kind = "ungrouped", "hosts"
    for number, raw in enumerate(text.split("\n"), 1):
        line, where = raw.strip(), f"{filename}:{number}"
        if not line or line.startswith(("#", ";")):
            continue
        if (header := re.fullmatch(r"\[([^\[\]:\s]+)(?::(\w+))?\]\s*(?:#.*)?", line)) is not None:
            section, kind = header[1], header[2] or "hosts"
            inventory.group(section)
            if kind not in ("hosts", "children", "vars"):
                inventory.found.leave(line, where, "sections are hosts, :children or :vars")
            continue
        if kind == "vars":
            key, equals, value = line.partition("=")
            if equals:
                inventory.group(section).settings[key.strip()] = _unquoted(value.strip())
            else:
                inventory.found.leave(line, where, "a variable is written NAME=VALUE")
        elif kind == "children":
            child = line.split("#")[0].strip()
            inventory.group(section).children[child] = None
            inventory.group(child)
        elif kind == "hosts":
            _ini_host(inventory, section, line, where)


def _ini_host(inventory: _Inventory, section: str, line: str, where: str) -> None:
    try:
        first, *rest = shlex.split(line, comments=True)
    except ValueError as problem:
        inventory.found.leave(line, where, f"cannot be read: {problem}")
        return
    settings = {key: value for word in rest for key, equals, value in (word.partition("="),) if equals}
    # host:port is an older way to write ansible_port; more than one colon is an IPv6 address.
    if (found := re.fullmatch(r"([^:\[\]]+):(\d{1,5})", first)) is not None:
        first = found[1]
        settings.setdefault("ansible_port", found[2])
    for host in _expanded(inventory, first, where):
        inventory.host(host, section, where).update(settings)


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value


def _expanded(inventory: _Inventory, pattern: str, where: str) -> Iterator[str]:
    """`web[01:20]` as Ansible means it."""
    found = _RANGE.search(pattern)
    if found is None:
        yield pattern
        return
    first, last, step = found["first"], found["last"], int(found["step"] or 1)
    if first.isdigit() != last.isdigit() or step < 1 or len(first) > 9 or len(last) > 9:
        inventory.found.leave(pattern, where, "its range cannot be read")
        return
    begin, end = (int(first), int(last)) if first.isdigit() else (ord(first), ord(last))
    if (end - begin) // step > MOST_MACHINES:
        raise InputError(
            f"{where}: {pattern}: gives more than {MOST_MACHINES:,} hosts", hint="give a part of it"
        )
    for number in range(begin, end + 1, step):
        one = f"{number:0{len(first)}d}" if first.isdigit() and first.startswith("0") else str(number)
        one = one if first.isdigit() else chr(number)
        yield from _expanded(inventory, pattern[: found.start()] + one + pattern[found.end() :], where)


def _settings(inventory: _Inventory, where: str, text: str) -> dict[str, Any]:
    tree = read_tree(text)
    if tree.root is None or not isinstance(tree.root.value, dict):
        inventory.found.leave(where, where, "is no mapping that can be read (is it encrypted?)")
        return {}
    return _mapping(tree.root.value)


def _machine(inventory: _Inventory, host: str) -> None:
    found, where = inventory.found, inventory.where[host]
    near = _groups_of(inventory, host)
    settings: dict[str, Any] = {}
    for group in ("all", *reversed(near)):
        settings.update(inventory.groups[group].settings if group in inventory.groups else {})
    settings.update(inventory.hosts[host])
    reach = {key: str(settings[key]) for key in _REACH if settings.get(key) not in (None, "")}
    templates = [key for key, value in reach.items() if "{{" in value]
    for key in templates:
        found.leave(f"{host}.{key}", where, "is a template: give what `ansible-inventory --list` prints")
        del reach[key]
    if reach.get("ansible_connection", "ssh") not in ("ssh", "smart", "paramiko", "paramiko_ssh"):
        found.leave(host, where, f"is reached by {reach['ansible_connection']}, and a host on trial by ssh")
        return
    if host in ("localhost", "127.0.0.1", "::1"):
        found.leave(host, where, "is this machine: it cannot watch itself while it reboots")
        return
    port = reach.get("ansible_port") or reach.get("ansible_ssh_port")
    if port is not None and not re.fullmatch(r"[0-9]{1,5}", port):
        found.leave(host, where, f"{port!r} is no port")
        return
    if "ProxyJump" in (args := reach.get("ansible_ssh_common_args", "")) or "ProxyCommand" in args:
        found.leave(f"{host}.ansible_ssh_common_args", where, "write the jump into your ssh config")
    found.machines.append(
        Machine(
            name=host,
            where=where,
            address=_address(reach, host),
            user=reach.get("ansible_user") or reach.get("ansible_ssh_user") or "",
            port=int(port) if port is not None and int(port) != 22 else None,
            identity=reach.get("ansible_ssh_private_key_file") or reach.get("ansible_private_key_file") or "",
            groups=tuple(near),
        )
    )


def _address(reach: Mapping[str, str], host: str) -> str:
    address = reach.get("ansible_host") or reach.get("ansible_ssh_host") or ""
    return "" if address == host else address


def _groups_of(inventory: _Inventory, host: str) -> Sequence[str]:
    """The groups that a host is in, its own before those above them; `all` has everybody and is not among them."""
    above: dict[str, list[str]] = {}
    for name, group in inventory.groups.items():
        for child in group.children:
            above.setdefault(child, []).append(name)
    near = sorted(name for name, group in inventory.groups.items() if host in group.hosts)
    found = dict.fromkeys(near)
    while near:
        near = sorted({parent for name in near for parent in above.get(name, ()) if parent not in found})
        found.update(dict.fromkeys(near))
    return [name for name in found if name not in ("all", "ungrouped")]
