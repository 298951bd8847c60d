"""Certificates on disk, in running services and on the wire: newer than their process, other than served, expired, not trusted.

The case of 2017: the files of etcd were renewed, etcd went on with the old ones, and its clients refused it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from shlex import quote

from seatrial.drift.certificate import Certificate, read_certificate, trusts
from seatrial.drift.facts import Facts
from seatrial.drift.find.made import DANGER, WARNING, finding
from seatrial.drift.find.restart import is_of, names_of, since
from seatrial.drift.read.services import NamedFile, Unit
from seatrial.drift.read.text import shown
from seatrial.model.finding import Finding, When

# Files that are there to be included, and may not be.
_SPARE = ("/snippets/", "/sites-available/", "/mods-available/", "/conf-available/", "/examples/")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A service with its certificates: the files it names, and what it serves, by place and by the way of asking."""

    unit: Unit
    since: float
    files: tuple[tuple[NamedFile, tuple[Certificate, ...]], ...]
    served: tuple[tuple[str, str, tuple[Certificate, ...]], ...]

    @property
    def own(self) -> tuple[tuple[NamedFile, Certificate], ...]:
        """The files that begin with a certificate for itself."""
        return tuple((file, some[0]) for file, some in self.files if some and not some[0].is_ca)

    @property
    def anchors(self) -> tuple[tuple[NamedFile, Certificate], ...]:
        """The certificates of authorities in its files."""
        return tuple((file, one) for file, some in self.files for one in some if one.is_ca)


def holders(facts: Facts) -> tuple[Holder, ...]:
    """The running services that name a certificate."""
    services = facts.services
    if not any(file.pem for file in services.files.values()):
        return ()
    ports: dict[int, set[str]] = {}
    for address, pid in services.listeners:
        ports.setdefault(pid, set()).add(address.rpartition(":")[2])
    found = []
    for unit in services.units.values():
        if unit.active != "active" or not unit.pid or not unit.name.endswith(".service"):
            continue
        process = services.processes.get(unit.pid)
        pids = {unit.pid, *(one.pid for one in services.of_unit(unit.name))}
        names = names_of(services, unit, process)
        paths = {path for pid in pids for path in services.named.get(pid, ())}
        paths |= {
            path
            for file, path in services.configured
            if (is_of(file, names) or file in paths or file in unit.environment)
            and not any(mark in file for mark in _SPARE)
        }
        files = [
            services.files[path]
            for path in sorted(paths)
            if path in services.files and services.files[path].pem
        ]
        if files:
            mine = {port for pid in pids for port in ports.get(pid, ())}
            found.append(
                Holder(
                    unit=unit,
                    since=since(unit, process),
                    files=tuple((file, _read(file.pem)) for file in files),
                    served=tuple(
                        (one.place, one.by, _read(one.pem))
                        for one in services.served
                        if one.place.rpartition(":")[2] in mine
                    ),
                )
            )
    return tuple(found)


def _read(pem: Sequence[str]) -> tuple[Certificate, ...]:
    return tuple(one for block in pem if (one := read_certificate(block)) is not None)


def served(facts: Facts) -> Iterator[Finding]:
    """Certificates that are served, against those on disk, by name and by address."""
    for holder in holders(facts):
        own = {one.sha256: (file, one) for file, one in holder.own}
        if not own:
            continue
        told: dict[str, list[str]] = {}
        for place, by, chain in holder.served:
            if chain and chain[0].sha256 not in own:
                told.setdefault(chain[0].sha256, []).append(f"{place} by {by}")
        for sha256, places in told.items():
            one = next(chain[0] for _, _, chain in holder.served if chain and chain[0].sha256 == sha256)
            file, other = _renewed(holder, one)
            yield finding(
                "restart.served",
                DANGER,
                f"{holder.unit.name} {file.path}",
                f"{holder.unit.name} serves {one.called} at {shown(places, 2)}, and {file.path} holds {other.called}: the next restart changes it",
                fix=_again(holder.unit),
                when=When.RESTART,
            )


def _renewed(holder: Holder, one: Certificate) -> tuple[NamedFile, Certificate]:
    """The file that the next restart would serve in its place: of the same subject, else of a common name, else the newest."""
    return max(
        holder.own,
        key=lambda pair: (pair[1].subject == one.subject, bool(pair[1].names & one.names), pair[0].changed),
    )


def _again(unit: Unit) -> str:
    return f"systemctl {'reload' if unit.reloads else 'restart'} {unit.name}"


def newer(facts: Facts) -> Iterator[Finding]:
    """Certificates that are newer than the process that uses them, unless the new one is served already."""
    for holder in holders(facts):
        on_the_wire = {chain[0].sha256 for _, _, chain in holder.served if chain}
        mine = {one.sha256 for _, one in holder.own}
        told = {
            _renewed(holder, chain[0])[0].path
            for _, _, chain in holder.served
            if chain and mine and chain[0].sha256 not in mine
        }
        for file, some in holder.files:
            if file.changed <= holder.since + 1 or not some:
                continue
            own = not some[0].is_ca
            # What is served differs: that is told with both certificates. What is served alike was read again.
            if own and (some[0].sha256 in on_the_wire or file.path in told):
                continue
            what = "its certificate" if own else "the authority that it trusts"
            yield finding(
                "restart.certificate",
                WARNING if own else DANGER,
                f"{holder.unit.name} {file.path}",
                f"{file.path} ({what}) is newer than the process of {holder.unit.name}, which goes on with the one before it",
                fix=f"systemctl restart {holder.unit.name}",
                when=When.RESTART,
            )


def expired(facts: Facts) -> Iterator[Finding]:
    """Certificates on disk that are over, or not begun: the next restart takes them."""
    now = facts.identity.now
    for holder in holders(facts):
        for file, some in holder.files:
            for one in some[:1]:
                problem = "expired" if one.until < now else "is not valid yet" if one.begins > now else ""
                if problem:
                    yield finding(
                        "restart.expired",
                        DANGER,
                        f"{holder.unit.name} {file.path}",
                        f"{one.called} in {file.path} {problem}, and the next restart of {holder.unit.name} takes it",
                        fix=f"renew {file.path}, then {_again(holder.unit)}",
                        when=When.RESTART,
                    )


def trust(every: Mapping[str, Facts]) -> Iterator[tuple[str, Finding]]:
    """Clients against the servers that they name, in both directions: with the host of the client or server to mend."""
    found = {name: holders(facts) for name, facts in every.items()}
    owners = {
        address: name
        for name, facts in every.items()
        for address in (*facts.services.addresses, facts.identity.host, name)
        if address not in _LOOPBACK
    }
    for name, facts in every.items():
        for holder in found[name]:
            for place in _endpoints(facts, holder):
                host, _, port = place.rpartition(":")
                where = name if host.strip("[]") in _LOOPBACK else owners.get(host.strip("[]"))
                server = next(
                    (one for one in found.get(where or "", ()) if _listens(every[where or name], one, port)),
                    None,
                )
                if server is not None and where is not None and server.unit.name != holder.unit.name:
                    yield from _both(name, holder, where, server, place)


def _endpoints(facts: Facts, holder: Holder) -> list[str]:
    pids = {holder.unit.pid, *(one.pid for one in facts.services.of_unit(holder.unit.name))}
    named = {
        word for pid in pids for word in facts.services.named.get(pid, ()) if word.startswith("https://")
    }
    return sorted(word.removeprefix("https://") for word in named)


def _listens(facts: Facts, holder: Holder, port: str) -> bool:
    pids = {holder.unit.pid, *(one.pid for one in facts.services.of_unit(holder.unit.name))}
    return any(
        pid in pids and address.rpartition(":")[2] == port for address, pid in facts.services.listeners
    )


def _both(name: str, client: Holder, where: str, server: Holder, place: str) -> Iterator[tuple[str, Finding]]:
    port = place.rpartition(":")[2]
    anchors = [one for _, one in client.anchors]
    chain = next((chain for at, _, chain in server.served if at.rpartition(":")[2] == port and chain), ())
    if len(chain) == 1:
        # Where python3 asked, only the server's own came; what it sends with it stands in the same file.
        chain = next((some for _, some in server.files if some and some[0].sha256 == chain[0].sha256), chain)
    there = "" if where == name else f" on {where}"
    if anchors and chain and not trusts(anchors, chain):
        file = client.anchors[0][0]
        yield (
            name,
            finding(
                "restart.trust",
                DANGER,
                f"{client.unit.name} {place}",
                f"{client.unit.name} trusts {anchors[0].called} of {file.path}, and {server.unit.name}{there} serves {chain[0].called}, signed by {chain[0].issuer}: they refuse each other",
                fix=_mend(name, client, chain, where, server),
                when=When.RESTART,
            ),
        )
    elif anchors and not chain:
        # What it serves is not known; what it would serve after a restart is.
        for file, one in server.own:
            if not trusts(anchors, (one, *(other for _, other in server.anchors))):
                yield where, _would_refuse(server, file, one, client, name, where)
    elif anchors:
        for file, one in server.own:
            if one.sha256 != chain[0].sha256 and not trusts(
                anchors, (one, *(other for _, other in server.anchors))
            ):
                yield where, _would_refuse(server, file, one, client, name, where)
    mine = [one for _, one in server.anchors]
    for file, one in client.own:
        if mine and not trusts(mine, (one, *(other for _, other in client.anchors))):
            yield (
                name,
                finding(
                    "restart.trust",
                    DANGER,
                    f"{client.unit.name} {file.path}",
                    f"{client.unit.name} shows {one.called} of {file.path}, signed by {one.issuer}, and {server.unit.name}{there} trusts {shown([other.subject for other in mine], 2)}: it is refused",
                    fix=_welcomed(
                        name, client, (one, *(other for _, other in client.anchors)), where, server
                    ),
                    instead=f"give {client.unit.name} a certificate that {mine[0].subject} signed, then systemctl restart {client.unit.name}",
                    when=When.RESTART,
                ),
            )


def _mend(name: str, client: Holder, chain: Sequence[Certificate], where: str, server: Holder) -> str:
    """Restart whoever has the right file on disk; which side that is, the files tell."""
    anchors = [one for _, one in client.anchors]
    if any(trusts(anchors, (one, *(other for _, other in server.anchors))) for _, one in server.own):
        return _there(name, where, f"systemctl restart {server.unit.name}")
    return _taught(name, client, chain, where, server)


def _there(name: str, where: str, command: str) -> str:
    """A command as it is run from the host that the finding is of."""
    return command if name == where else f"ssh {where} {quote(command)}"


def _taught(name: str, client: Holder, chain: Sequence[Certificate], where: str, server: Holder) -> str:
    """The commands, on the client's host, that let it trust the server as well: it goes on trusting whom it trusted."""
    into = client.anchors[0][0].path
    source = next((file.path for file, one in server.anchors if trusts([one], chain)), "")
    restart = f"systemctl restart {client.unit.name}"
    if not source:
        return f"put the certificate of {chain[-1].issuer} into {into}, then {restart}"
    return f"{_there(name, where, f'cat {quote(source)}')} >>{quote(into)} && {restart}"


def _welcomed(name: str, client: Holder, chain: Sequence[Certificate], where: str, server: Holder) -> str:
    """The commands, on the client's host, that let the server trust whoever signed the client's certificate as well."""
    into = server.anchors[0][0].path
    source = next((file.path for file, one in client.anchors if trusts([one], chain)), "")
    restart = f"systemctl restart {server.unit.name}"
    if not source:
        return f"put the certificate of {chain[0].issuer} into {into}{'' if name == where else f' on {where}'}, then {restart}"
    if name == where:
        return f"cat {quote(source)} >>{quote(into)} && {restart}"
    return f"ssh {where} {quote(f'cat >>{quote(into)} && {restart}')} <{quote(source)}"


def _would_refuse(
    server: Holder, file: NamedFile, one: Certificate, client: Holder, name: str, where: str
) -> Finding:
    there = "" if where == name else f" on {name}"
    teach = _taught(name, client, (one, *(other for _, other in server.anchors)), where, server)
    return finding(
        "restart.trust",
        DANGER,
        f"{server.unit.name} {file.path}",
        f"{file.path} holds {one.called}, signed by {one.issuer}, which {client.unit.name}{there} does not trust: after its next restart {server.unit.name} is refused",
        fix=teach if where == name else f"on {name}: {teach}",
        when=When.RESTART,
    )
