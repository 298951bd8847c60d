"""The shape of a lab: stages, hosts, endpoints and the segments between them, as values.

What is in: the data classes that every topology is made of. What is not: any particular topology (gateway.py has
one), and how a segment becomes a bridge (wires.py).
"""

from __future__ import annotations

from dataclasses import dataclass

YIELD_FILE = "/run/seatrial/yield"
HERE = "@HERE@"  # in a program's words and files: the directory of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Nic:
    """A network card: its name inside, the segment it is plugged into, and the addresses (with prefix) it has."""

    name: str
    segment: str
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Something an endpoint runs for as long as the lab is up.

    `files` (path and content) are put into a directory of its own, and `before` is run to its end, once. `package` is
    what Debian calls it.
    """

    name: str
    argv: tuple[str, ...]
    files: tuple[tuple[str, str], ...] = ()
    before: tuple[tuple[str, ...], ...] = ()
    package: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A place with an own network namespace on this machine: a VM behind the gateway, the outside world.

    `routes` are what `ip route add` takes. `role` is the same word in every stage ("vm-private").
    """

    name: str
    role: str
    stage: str
    nics: tuple[Nic, ...]
    routes: tuple[str, ...] = ()
    programs: tuple[Program, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LabHost:
    """A virtual machine whose kernel is what the lab is about. `files` go into its seed: path, mode, content."""

    name: str
    stage: str
    role: str
    nics: tuple[Nic, ...]
    files: tuple[tuple[str, int, str], ...] = ()
    group: str | None = None
    first_owner: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """Everything that is laid and booted."""

    name: str
    segments: tuple[str, ...]
    hosts: tuple[LabHost, ...]
    endpoints: tuple[Endpoint, ...]

    def host(self, name: str) -> LabHost:
        """The host of that name. Raises KeyError."""
        return {host.name: host for host in self.hosts}[name]
