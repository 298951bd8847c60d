"""Machines of an ssh config: its aliases without wildcards, and what stands between them. What is not in: reading files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from seatrial.fleetfile.first.seen import Found, Machine

# Places that people have in their ssh config and that are no machines of theirs.
_FORGES = (
    "github.com",
    "gitlab.com",
    "bitbucket.org",
    "codeberg.org",
    "salsa.debian.org",
    "git.sr.ht",
    "gerrit.wikimedia.org",
)


def from_ssh_config(
    aliases: Iterable[tuple[str, ...]],
    value: Callable[[str, str], str | None],
    jumps: Callable[[str], str | None],
    *,
    where: str,
) -> Found:
    """One machine for each Host line: its first alias that is a name. `value` looks up an option of an alias.

    `jumps` gives the last machine that one has to pass, by its alias.
    """
    found = Found(name="fleet")
    used: dict[str, None] = {}
    for line in aliases:
        names = [alias for alias in line if not alias.startswith("!") and not {*"*?"} & {*alias}]
        for pattern in line:
            if pattern not in names and not pattern.startswith("!") and pattern != "*":
                found.leave(pattern, where, "is a pattern and names no machine")
        if not names:
            continue
        alias, *others = names
        if alias in used:
            continue
        used[alias] = None
        for other in others:
            found.leave(other, where, f"is another name of {alias}")
        host, user = (value(alias, "hostname") or alias).replace("%h", alias), value(alias, "user")
        if host.lower() in _FORGES or user == "git":
            found.leave(alias, where, "is a place for git and no machine of a fleet")
            continue
        if host.lower() in ("localhost", "127.0.0.1", "::1") and (value(alias, "port") or "22") == "22":
            found.leave(alias, where, "is this machine: it cannot watch itself while it reboots")
            continue
        # ssh looks the alias up again, so address, user and port stay where they are.
        found.machines.append(Machine(name=alias, where=where, through=jumps(alias) or ""))
    _same(found, value)
    return found


def _same(found: Found, value: Callable[[str, str], str | None]) -> None:
    """Two aliases of one machine would be two hosts that reboot together."""
    first: dict[tuple[str, str], str] = {}
    kept = []
    for machine in found.machines:
        host = (value(machine.name, "hostname") or machine.name).replace("%h", machine.name).lower()
        way = (host, value(machine.name, "port") or "22")
        if (other := first.setdefault(way, machine.name)) != machine.name:
            found.leave(machine.name, machine.where, f"leads to the same machine as {other}")
        else:
            kept.append(machine)
    through: dict[str, list[str]] = {}
    for machine in kept:
        through.setdefault(machine.through, []).append(machine.name)
    found.machines[:] = [
        machine
        if machine.name not in through
        else replace(
            machine,
            where=f"{machine.where}; the way to {', '.join(through[machine.name][:3])}",
            groups=("jump",),
        )
        for machine in kept
    ]
