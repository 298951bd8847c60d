"""FleetLock: hosts that ask before they reboot by themselves, and how many of each reboot group may. Frozen.

What is in: what the operator declares, and the checks that one entry can pass by itself. What is not: who gets a slot
(rollout/reboots.py), and what has become of slots (model/slots.py).
"""

from __future__ import annotations

import ipaddress
from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema

from seatrial.model.declared import Address, Declared, Name

# The protocol's own pattern.
GROUP = r"^[a-zA-Z0-9.-]+$"
MOST_NAME = 200


def _network(value: object) -> str:
    if isinstance(value, str):
        try:
            return str(ipaddress.ip_network(value))
        except ValueError:
            pass
    raise ValueError("a network such as 192.0.2.0/24 or 2001:db8::/32 is wanted, without bits of a host")


Network = Annotated[str, BeforeValidator(_network), WithJsonSchema({"type": "string", "format": "network"})]
LockGroupName = Annotated[str, StringConstraints(pattern=GROUP, max_length=MOST_NAME)]
LockId = Annotated[str, StringConstraints(pattern=r"^[!-~]+$", max_length=MOST_NAME)]


class LockedHost(Declared):
    """One host that asks, and how it is known."""

    id: LockId = Field(
        description="what it calls itself: Zincati's node_uuid, which is made of its machine-id"
    )
    address: Address | None = Field(
        default=None, description="where it asks from; absent: any address that may ask"
    )


class LockGroup(Declared):
    """The hosts of one reboot group, and how many of them may be away at once."""

    slots: int = Field(
        default=1, ge=1, le=10000, description="hosts that may be away at once, for any reason"
    )
    hosts: dict[Name, LockedHost] = Field(min_length=1, description="by the host's name")


class FleetLock(Declared):
    """Hosts that ask `seatrial serve` before they reboot by themselves, by the FleetLock protocol."""

    networks: tuple[Network, ...] = Field(
        default=(), description="where hosts may ask from; absent: from this machine only"
    )
    groups: dict[LockGroupName, LockGroup] = Field(
        min_length=1, description="by the name that the host gives as its group"
    )

    def slots_of(self) -> dict[str, str]:
        """The reboot group of each host that has one."""
        return {host: name for name, group in self.groups.items() for host in group.hosts}
