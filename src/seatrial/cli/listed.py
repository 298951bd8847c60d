"""Machines of a cluster or a cloud for `seatrial init`: its own client library is asked here, else its file has to do.

What is in: the question as a Command of this machine, and what is said when there is no answer. What is not: guesses.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TypeVar

from seatrial.checks.platform.library import library_command
from seatrial.checks.reading import Said, understood, why_not
from seatrial.errors import InputError
from seatrial.fleetfile.first.lists import (
    Cluster,
    Rows,
    clouds_alone,
    from_cluster,
    from_servers,
    from_services,
    kubeconfig_alone,
    only_cloud,
)
from seatrial.fleetfile.first.seen import Found
from seatrial.model.command import Command
from seatrial.vantage.local import LocalVantage

SECONDS = 20.0
Shape = TypeVar("Shape", bound=Said)


def from_kubernetes(path: Path, text: str, context: str | None, *, offline: bool) -> tuple[Found, str]:
    """The machines of the cluster that a kubeconfig leads to. Raises InputError for what is none."""
    alone = kubeconfig_alone(text, context=context, where=str(path))
    if isinstance(alone, str):
        raise InputError(f"{path}: {alone}", hint="seatrial init kubernetes KUBECONFIG --context NAME")
    if offline:
        return alone, ""
    spec = {"kubeconfig": str(path.resolve()), "context": context}
    command = library_command(
        "kubernetes.machines", "kubernetes_machines", spec, python=sys.executable, timeout=SECONDS
    )
    told = _asked(command, Cluster)
    if isinstance(told, str) or told.missing or told.error or not told.machines:
        return alone, _no_answer(told, "kubernetes", path)
    found = from_cluster(told, name=alone.name, where=f"{path}, asked")
    return found, f"{len(told.machines)} machines of the cluster"


def from_cloud(path: Path, text: str, cloud: str | None, *, offline: bool) -> tuple[Found, str]:
    """The machines under a cloud, or the servers of a project where its login may see no more."""
    alone = clouds_alone(text, cloud=cloud, where=str(path))
    if isinstance(alone, str):
        raise InputError(f"{path}: {alone}", hint="seatrial init openstack CLOUDS.YAML --cloud NAME")
    if offline:
        return alone, ""
    chosen = cloud or only_cloud(text)
    if chosen is None:
        raise InputError(f"{path}: has several clouds", hint="say which with --cloud NAME")
    services, agents = (_asked(_list(path, chosen, ask), Rows) for ask in ("services", "agents"))
    both = [row for told in (services, agents) if isinstance(told, Rows) for row in told.rows]
    where = f"{path}, asked"
    under = from_services(Rows(rows=both), name=chosen, where=where)
    if under.machines:
        return under, f"{len(under.machines)} machines that run services of {chosen}"
    servers = _asked(_list(path, chosen, "servers"), Rows)
    if isinstance(servers, Rows) and servers.rows:
        return from_servers(servers, name=chosen, where=where), f"{len(servers.rows)} servers of {chosen}"
    return alone, _no_answer(servers, "openstack", path)


def _list(path: Path, cloud: str, ask: str) -> Command:
    spec = {"cloud": cloud, "ask": ask, "all_projects": False, "clouds_file": str(path.resolve())}
    return library_command(
        f"openstack.{ask}", "openstack_lists", spec, python=sys.executable, timeout=SECONDS
    )


def _asked(command: Command, shape: type[Shape]) -> Shape | str:
    """The answer, or why there is none."""

    async def ask() -> Shape | str:
        vantage = LocalVantage("here", places=asyncio.Semaphore(1))
        (output,) = await vantage.run([command])
        if why := why_not(output, "here"):
            return why[0]
        return understood(shape, output, "here")

    return asyncio.run(ask())


def _no_answer(told: Cluster | Rows | str, what: str, path: Path) -> str:
    if isinstance(told, str):
        why = told
    elif told.missing:
        why = f"this Python has no library {told.missing} (pip install 'seatrial[{what}]')"
    else:
        why = told.error or "it lists no machine"
    return f"no list: {why}; only what {path} itself names is used"
