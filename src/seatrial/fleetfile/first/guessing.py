"""Stages, roles and peers from names: guesses, each with the reason that is written beside it.

What is in: what a name tells a person at once (gw1 and gw2 are a pair of gateways, web.staging is no production). What is
not: anything that would have to be known. Where two readings are possible, the one that makes a rollout slower is taken.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence

from seatrial.errors import InputError
from seatrial.fleetfile.first.seen import MOST_MACHINES, Drafted, Found, Guess, Host, Machine
from seatrial.fleetfile.mistake import listed

STAGING = "staging"
PRODUCTION = "production"
_EARLY = frozenset(
    {
        "staging", "stage", "stg", "test", "testing", "dev", "devel", "development", "qa", "preprod", "preproduction", "canary",
        "lab", "int", "integration", "uat", "sandbox",
    }
)  # fmt: skip
_LATE = frozenset({"production", "prod", "prd", "live"})
# What short names stand for where people run servers.
_ROLES: Mapping[str, str] = {
    "gw": "gateway", "gateway": "gateway", "router": "router", "rtr": "router", "rt": "router", "fw": "firewall", "vpn": "vpn",
    "lb": "load-balancer", "proxy": "proxy", "cp": "control-plane", "master": "control-plane", "worker": "worker",
    "compute": "compute", "cmp": "compute", "hv": "compute", "net": "network", "nfs": "nfs", "storage": "storage",
    "stor": "storage", "ceph": "ceph", "osd": "ceph", "db": "database", "pg": "database", "postgres": "database",
    "mysql": "database", "mariadb": "database", "dns": "dns", "ns": "dns", "ldap": "ldap", "mail": "mail", "mx": "mail",
    "web": "web", "www": "web", "app": "app", "bastion": "jump", "jump": "jump", "mon": "monitoring", "prometheus": "monitoring",
}  # fmt: skip
_UNSAID = "server"
_RESERVED = frozenset({"all", "any", "none", "default"})
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9:\[][A-Za-z0-9._:%\[\]-]{0,254}", re.ASCII)
_LOGIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@\\$-]{0,99}", re.ASCII)
_PATH = re.compile(r"[A-Za-z0-9_~/.][A-Za-z0-9_~/.@+-]{0,254}", re.ASCII)
MOST_PEERS = 5
MOST_ROLES = 8


def guess(found: Found) -> Drafted:
    """The first fleet file of what was found. Raises InputError when no machine is left, or there are too many."""
    if len(found.machines) > MOST_MACHINES:
        raise InputError(
            f"there are more than {MOST_MACHINES:,} machines in it",
            hint="give a part of it: one site, or one group",
        )
    machines = list(_fit(found))
    if not machines:
        first = f": {found.left[0].line()}" if found.left else ""
        raise InputError(
            f"no machine was found that could be a host of a fleet file{first}",
            hint="is it the right file, and the tool that it is for? nothing was written",
        )
    letters = _letters(machines)
    hosts = tuple(_host(name, machine, letters) for name, machine in machines)
    stages = tuple(stage for stage in (STAGING, PRODUCTION) if any(host.stage == stage for host in hosts))
    groups, guesses = _peers(hosts)
    return Drafted(
        name=_name(found.name) or "fleet",
        stages=stages,
        hosts=hosts,
        groups=groups,
        guesses=(*_stage_guesses(hosts, stages, letters), *_role_guesses(hosts), *guesses),
        left=tuple(found.left),
        still=_still(hosts, stages, groups),
    )


def _fit(found: Found) -> Iterable[tuple[str, Machine]]:
    """Those that the fleet file can name and reach, each way once; the others are left out with the reason."""
    names: dict[str, str] = {}
    ways: dict[str, str] = {}
    for machine in found.machines:
        name, address = _name(machine.name), machine.address or machine.name
        if name is None:
            why = "is no name of a fleet file: letters, digits, '.', '_' and '-', at most 63, the first a letter or a digit"
            found.leave(machine.name, machine.where, why)
        elif name in _RESERVED:
            found.leave(
                machine.name,
                machine.where,
                "is a word that a fleet file gives a meaning of its own: rename it",
            )
        elif not _WORD.fullmatch(address):
            found.leave(machine.name, machine.where, f"{address!r} is no address that ssh could be given")
        elif not _fits_config(machine):
            found.leave(
                machine.name,
                machine.where,
                "its user, port or key file has characters that no ssh config should have",
            )
        elif name in names:
            found.leave(machine.name, machine.where, f"the name is there already ({names[name]})")
        elif (way := _way(machine)) in ways:
            found.leave(machine.name, machine.where, f"leads to the same machine as {ways[way]}")
        else:
            names[name], ways[way] = machine.where, machine.name
            yield name, machine


def _fits_config(machine: Machine) -> bool:
    return (
        (not machine.user or bool(_LOGIN.fullmatch(machine.user)))
        and (not machine.identity or bool(_PATH.fullmatch(machine.identity)))
        and (machine.port is None or 0 < machine.port < 65536)
    )


def _way(machine: Machine) -> str:
    # With a user or a port of its own it gets an alias of its own, which is its name.
    address = (machine.address or machine.name).lower()
    return f"{address} {machine.port or 22}"


def _name(text: str) -> str | None:
    """The name in a fleet file; an address loses what a name cannot have."""
    if _NAME.fullmatch(text):
        return text
    try:
        plain = str(ipaddress.ip_address(text)).replace(":", "-").replace("%", "-").strip("-")
    except ValueError:
        return None
    return f"ip-{plain}"[:63] if _NAME.fullmatch(f"ip-{plain}"[:63]) else None


def _words(name: str) -> list[str]:
    """The words of a name: `gw1.staging.example.org` is gw, staging, example and org."""
    return [word for part in re.split(r"[^a-z0-9]+", name.lower()) if (word := part.rstrip("0123456789"))]


def _letters(machines: Sequence[tuple[str, Machine]]) -> frozenset[str]:
    """Beginnings of names of which both -s1 and -p1 are there, so that s and p stand for staging and production."""
    seen: dict[str, set[str]] = {}
    for name, _ in machines:
        if found := re.fullmatch(r"(.+)[-_.]([sp])(\d{1,4})", name.lower().partition(".")[0]):
            seen.setdefault(found[1], set()).add(found[2])
    return frozenset(begin for begin, letters in seen.items() if letters == {"s", "p"})


def _stage(name: str, machine: Machine, letters: frozenset[str]) -> tuple[str, str]:
    """The stage, and the word that says it; "" when nothing does."""
    for source in (*machine.groups, name):
        for word in _words(source):
            if word in _EARLY:
                return STAGING, f"'{word}' in '{source}'"
            if word in _LATE:
                return PRODUCTION, f"'{word}' in '{source}'"
    found = re.fullmatch(r"(.+)[-_.]([sp])(\d{1,4})", name.lower().partition(".")[0])
    if found and found[1] in letters:
        return (STAGING if found[2] == "s" else PRODUCTION), f"the letter {found[2]} in '{name}'"
    return PRODUCTION, ""


def _roles(name: str, machine: Machine) -> tuple[tuple[str, ...], str]:
    """Its roles, and what says so."""
    given = list(dict.fromkeys(role for group in machine.groups if (role := _role(group))))
    if given:
        return tuple(given[:MOST_ROLES]), "its groups"
    label = "" if _is_address(machine.name) else name.lower().partition(".")[0]
    for word in _words(label):
        if word in _ROLES:
            return (_ROLES[word],), f"'{word}' in its name"
    words = [
        word
        for word in _words(label)
        if word not in _EARLY | _LATE and len(word) > 1 and word not in _RESERVED
    ]
    return ((words[0],), f"'{words[0]}' in its name") if words else ((_UNSAID,), "nothing says what it is")


def _role(group: str) -> str:
    """A group as a role: without its stage, since a role is what the same hosts of two stages share; "" for none."""
    words = [word for word in re.split(r"[-_.]+", group) if word.lower() not in _EARLY | _LATE]
    role = group if len(words) == len(re.split(r"[-_.]+", group)) else "-".join(words)
    return role if _NAME.fullmatch(role) and role.lower() not in (*_RESERVED, "ungrouped") else ""


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _host(name: str, machine: Machine, letters: frozenset[str]) -> Host:
    stage, by = _stage(name, machine, letters)
    roles, because = _roles(name, machine)
    own = bool(machine.user or machine.port or machine.identity)
    note = f"stage: {by}" if by else "stage: nothing says so"
    through = f"; reached through {machine.through}" if machine.through else ""
    return Host(
        name=name,
        stage=stage,
        roles=roles,
        ssh=name if own else machine.address or machine.name,
        note=f"{machine.where}; {note}; roles: {because}{through}",
        own_config=own,
        machine=machine,
    )


_NUMBERED = re.compile(r"(?P<stem>.*?[a-z])(?:[-_.]?(?P<number>\d{1,4})|[-_](?P<letter>[a-d]))")


def _peers(hosts: Sequence[Host]) -> tuple[dict[str, tuple[str, ...]], list[Guess]]:
    """Hosts whose names differ in a number at the end only."""
    series: dict[tuple[str, str, str, tuple[str, ...]], list[str]] = {}
    for host in hosts:
        label, _, domain = host.name.partition(".")
        if not _is_address(host.machine.name) and (found := _NUMBERED.fullmatch(label.lower())):
            series.setdefault((found["stem"], domain.lower(), host.stage, host.roles), []).append(host.name)
    taken = {*(host.name for host in hosts), *_RESERVED}
    groups: dict[str, tuple[str, ...]] = {}
    guesses: list[Guess] = []
    for (stem, _, _, _), members in series.items():
        if len(members) < 2:
            continue
        if len(members) > MOST_PEERS:
            what = f"{members[0]} to {members[-1]} are {len(members)} of a kind and no group of peers"
            guesses.append(
                Guess(what=what, because=f"a group of more than {MOST_PEERS} would have to be seen to")
            )
            continue
        name = _free(stem, taken)
        groups[name] = tuple(members)
        what = f"{listed(members)} are peers (group {name}): never on trial together"
        guesses.append(Guess(what=what, because="their names differ in the end only"))
    return groups, guesses


def _free(stem: str, taken: set[str]) -> str:
    plain = stem.strip("-_.")[:50] or "peers"
    name, count = plain, 1
    while name in taken:
        count += 1
        name = f"{plain}-peers" if count == 2 else f"{plain}-peers-{count - 1}"
    taken.add(name)
    return name


def _stage_guesses(hosts: Sequence[Host], stages: Sequence[str], letters: frozenset[str]) -> list[Guess]:
    if stages == (PRODUCTION,):
        return [
            Guess(
                what=f"all {len(hosts)} are in stage {PRODUCTION}",
                because="no name says staging, test or the like",
            )
        ]
    early = [host for host in hosts if host.stage == STAGING]
    says = _stage(early[0].name, early[0].machine, letters)[1]
    more = f" and {len(early) - 3} more" if len(early) > 3 else ""
    shown = listed(host.name for host in early[:3])
    return [
        Guess(
            what=f"{shown}{more} {'is' if len(early) == 1 else 'are'} in stage {STAGING}",
            because=f"such as {says}",
        )
    ]


def _role_guesses(hosts: Sequence[Host]) -> list[Guess]:
    by: dict[str, list[Host]] = {}
    for host in hosts:
        for role in host.roles:
            by.setdefault(role, []).append(host)
    guesses = []
    for role, some in by.items():
        more = f" and {len(some) - 3} more" if len(some) > 3 else ""
        reason = some[0].note.partition("roles: ")[2].partition(";")[0]
        guesses.append(
            Guess(what=f"role {role}: {listed(host.name for host in some[:3])}{more}", because=reason)
        )
    return guesses


def _still(
    hosts: Sequence[Host], stages: Sequence[str], groups: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """What nobody but a person knows."""
    still = [
        f"flows: which traffic {hosts[0].name} and the others carry; without a flow a trial only proves that they boot",
        "vantages: the places inside and outside of them from which that traffic is probed",
    ]
    if groups:
        still.append(
            f"groups.{next(iter(groups))}.mover: what moves traffic from one peer to the other, if anything does"
        )
    if STAGING not in stages:
        still.append(
            "stages: a first stage of hosts that may fail, whose evidence opens the gate of the next"
        )
    elif PRODUCTION not in stages:
        still.append("stages: is all of this staging?")
    return tuple(still)
