"""Does a kernel NFS server serve what it should, to whom it should, and as it is configured?

What is in: what exportfs says beside /etc/exports, and who its clients of version 4 are. What is not in: whether it
answers, which is `nfs`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence

from seatrial.checks.asked import made, unknown
from seatrial.checks.reading import clean, why_not
from seatrial.exports.table import read_table
from seatrial.model.check.storage import ExportsCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result

_THREADS = re.compile(r"[0-9]{1,6}")
_CLIENT = re.compile(r'^(name|address): "([^"\n]{0,500})"$', re.MULTILINE)

Served = Mapping[str, frozenset[str]]


def commands(check: ExportsCheck) -> tuple[Command, ...]:
    """How many threads serve, what exportfs says, what is configured in either place, and who the clients are."""
    limit = check.timeout
    each = ("-exec", "cat", "{}", "+")
    clients = ("find", "/proc/fs/nfsd/clients", "-maxdepth", "2", "-name", "info", *each)
    return (
        Command(name="exports.threads", argv=("cat", "/proc/fs/nfsd/threads"), timeout=limit),
        Command(
            name="exports.served",
            argv=("exportfs", "-s"),
            root=True,
            timeout=limit,
            package="nfs-kernel-server",
        ),
        Command(name="exports.file", argv=("cat", "/etc/exports"), timeout=limit),
        Command(
            name="exports.folder",
            argv=("find", "/etc/exports.d", "-maxdepth", "1", "-name", "*.exports", *each),
            timeout=limit,
        ),
        Command(name="exports.clients", argv=clients, root=True, timeout=limit),
    )


def judge(name: str, check: ExportsCheck, outputs: Sequence[Output]) -> Result:
    """PASS when threads serve the wanted paths to the wanted clients, and that is what is configured."""
    threads, served, file, folder, clients = (*outputs, *(None,) * 5)[:5]
    place = check.source_vantage
    if threads is not None and threads.status == 1 and "No such file" in threads.stderr:
        because = f"no NFS server runs on {place}: nfsd is not loaded"
        return made(name, check, Outcome.FAIL, because, hint="systemctl start nfs-server")
    for output in (threads, served):
        if why := why_not(output, place):
            return unknown(name, check, why)
    assert threads is not None and served is not None
    if not _THREADS.fullmatch(threads.stdout.strip()):
        return unknown(name, check, (f"{place} does not say how many threads serve", ""))
    now = read(served.stdout)
    meant = read("\n".join(one.stdout for one in (file, folder) if one is not None and one.ok))
    evidence = {
        "threads": int(threads.stdout),
        "served": _lines(now)[:50],
        "configured": _lines(meant)[:50],
        "clients": _clients(clients)[:50],
    }
    seconds = sum(output.seconds for output in outputs)
    if problem := _trouble(check, int(threads.stdout), now, meant):
        because, hint = problem
        return made(name, check, Outcome.FAIL, because, hint=hint, seconds=seconds, evidence=evidence)
    wanted = ", ".join(check.paths) if check.paths else f"{len(now)} paths"
    because = f"{place} serves {clean(wanted)} with {threads.stdout.strip()} threads"
    return made(name, check, Outcome.PASS, because, seconds=seconds, evidence=evidence)


def read(text: str) -> Served:
    """Who is served which path, from /etc/exports or from `exportfs -s`. Options are left out."""
    found: dict[str, set[str]] = {}
    for path, client in read_table(text):
        found.setdefault(clean(path), set()).add(clean(client))
    return {path: frozenset(names) for path, names in found.items()}


def _trouble(check: ExportsCheck, threads: int, now: Served, meant: Served) -> tuple[str, str] | None:
    place = check.source_vantage
    if threads == 0:
        return f"no thread of nfsd runs on {place}", "systemctl status nfs-server says why"
    for path in check.paths:
        served = now.get(path.rstrip("/") or "/")
        if served is None:
            said = (
                f"is configured on {place}, but not served" if path in meant else f"is not served by {place}"
            )
            return (
                f"{path} {said}",
                "exportfs -ra serves what /etc/exports has, and says what is wrong in it",
            )
        for client in check.clients:
            if not _is_among(client, served):
                because = f"{place} serves {path} to {', '.join(sorted(served))}, not to {client}"
                return because, "add it to /etc/exports, then exportfs -ra"
    if not check.compare:
        return None
    for words, more, less in (
        ("is configured on {}, but not served", meant, now),
        ("is served by {}, but not configured", now, meant),
    ):
        if lines := _lines(_besides(more, less)):
            others = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
            because = f"{lines[0]}{others} {words.format(place)}"
            return because, "exportfs -ra; where a cluster manager exports, set `compare` to false"
    return None


def _besides(more: Served, less: Served) -> Served:
    return {path: names - less.get(path, frozenset()) for path, names in more.items()}


def _lines(exports: Served) -> list[str]:
    return [clean(f"{path} to {one}") for path, names in sorted(exports.items()) for one in sorted(names)]


def _is_among(wanted: str, served: Iterable[str]) -> bool:
    try:
        network = ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        network = None
    return any(one in ("*", wanted) or (network is not None and _within(network, one)) for one in served)


def _within(wanted: ipaddress.IPv4Network | ipaddress.IPv6Network, served: str) -> bool:
    try:
        network = ipaddress.ip_network(served, strict=False)
    except ValueError:
        return False
    if isinstance(wanted, ipaddress.IPv4Network) and isinstance(network, ipaddress.IPv4Network):
        return wanted.subnet_of(network)
    if isinstance(wanted, ipaddress.IPv6Network) and isinstance(network, ipaddress.IPv6Network):
        return wanted.subnet_of(network)
    return False


def _clients(output: Output | None) -> list[str]:
    """Who the clients of version 4 are; a server of version 3 only has no such list."""
    if output is None or not output.ok:
        return []
    return [clean(value) for key, value in _CLIENT.findall(output.stdout) if key == "address"]
