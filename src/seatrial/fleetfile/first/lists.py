"""Machines of a Kubernetes cluster or an OpenStack cloud: from the answer of its client library, or from the file alone.

What is in: what each machine's own cloud says of it. What is not: asking, which is a Command on this machine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from seatrial.fleetfile.first.seen import Found, Machine
from seatrial.fleetfile.tree import read_tree
from seatrial.model.said import Said, Words

_SERVER = re.compile(r"https?://(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+))(?::\d+)?(?:/.*)?", re.ASCII)
_BINARIES = (
    ("nova-compute", "compute"),
    ("neutron-l3-agent", "gateway"),
    ("neutron-dhcp-agent", "network"),
    ("ovn-controller", "network"),
    ("nova-conductor", "controller"),
    ("nova-scheduler", "controller"),
)


class Listed(Said):
    """One machine of a cluster's list."""

    name: Words
    address: Words = ""
    roles: list[Words] = Field(default_factory=list, max_length=50)


class Cluster(Said):
    """The answer of the Kubernetes library."""

    machines: list[Listed] = Field(default_factory=list, max_length=20000)
    error: Words = ""
    missing: Words = ""


class Row(Said):
    """A server, an agent or a service of OpenStack."""

    name: Words
    host: Words = ""
    address: Words = ""


class Rows(Said):
    """The answer of the OpenStack library."""

    rows: list[Row] = Field(default_factory=list, max_length=20000)
    error: Words = ""
    missing: Words = ""


def from_cluster(told: Cluster, *, name: str, where: str) -> Found:
    """The machines of a Kubernetes cluster; what has no role label there is a worker."""
    found = Found(name=name)
    for one in told.machines:
        address = one.address if one.address != one.name else ""
        roles = tuple(one.roles) or ("worker",)
        found.machines.append(Machine(name=one.name, where=where, address=address, groups=roles))
    return found


def from_services(rows: Rows, *, name: str, where: str) -> Found:
    """The machines under an OpenStack cloud, by the services and agents that run on them."""
    roles: dict[str, dict[str, None]] = {}
    for row in rows.rows:
        for binary, role in _BINARIES:
            if row.name == binary and row.host:
                roles.setdefault(row.host, {})[role] = None
    found = Found(name=name)
    found.machines += [Machine(name=host, where=where, groups=tuple(some)) for host, some in roles.items()]
    return found


def from_servers(rows: Rows, *, name: str, where: str) -> Found:
    """The servers (virtual machines) of a project, reached at their first address."""
    found = Found(name=name)
    found.machines += [Machine(name=row.name, where=where, address=row.address) for row in rows.rows]
    return found


def kubeconfig_alone(text: str, *, context: str | None, where: str) -> Found | str:
    """The API servers that a kubeconfig names, as hosts of the control plane; or why it cannot be read."""
    root = _mapping(text)
    if not isinstance(root, dict) or not isinstance(root.get("clusters"), tuple):
        return "it has no clusters: a kubeconfig is wanted"
    chosen = context or root.get("current-context") or ""
    cluster = next(
        (
            one["context"].get("cluster")
            for one in _entries(root, "contexts", "context")
            if one.get("name") == chosen
        ),
        None,
    )
    if context and cluster is None:
        return f"it has no context {context!r}"
    found = Found(name=str(chosen or "cluster"))
    for one in _entries(root, "clusters", "cluster"):
        if cluster is not None and one.get("name") != cluster:
            continue
        _address(found, str(one["cluster"].get("server", "")), where, "control-plane")
    return found


def clouds_alone(text: str, *, cloud: str | None, where: str) -> Found | str:
    """The identity servers that a clouds.yaml names, as hosts with role controller; or why it cannot be read."""
    root = _mapping(text)
    clouds = root.get("clouds") if isinstance(root, dict) else None
    if not isinstance(clouds, dict) or not clouds:
        return "it has no clouds: a clouds.yaml is wanted"
    if cloud and cloud not in clouds:
        return f"it has no cloud {cloud!r}; there is {', '.join(map(str, clouds))[:200]}"
    found = Found(name=str(cloud or next(iter(clouds))))
    for name, body in clouds.items():
        auth = body.get("auth") if isinstance(body, dict) else None
        if (cloud is None or name == cloud) and isinstance(auth, dict):
            _address(found, str(auth.get("auth_url", "")), where, "controller")
    return found


def only_cloud(text: str) -> str | None:
    """The one cloud that the file has; None when there are several or none."""
    root = _mapping(text)
    clouds = root.get("clouds") if isinstance(root, dict) else None
    return str(next(iter(clouds))) if isinstance(clouds, dict) and len(clouds) == 1 else None


def _mapping(text: str) -> Mapping[str, Any] | None:
    tree = read_tree(text)
    return tree.root.value if tree.root is not None and isinstance(tree.root.value, dict) else None


def _entries(root: Mapping[str, Any], section: str, key: str) -> list[dict[str, Any]]:
    rows = root.get(section)
    return (
        [one for one in rows if isinstance(one, dict) and isinstance(one.get(key), dict)]
        if isinstance(rows, tuple)
        else []
    )


def _address(found: Found, url: str, where: str, role: str) -> None:
    server = _SERVER.fullmatch(url)
    if server is None:
        found.leave(url or "a cluster", where, "names no server by http or https")
    else:
        found.machines.append(Machine(name=server[1] or server[2], where=where, groups=(role,)))
