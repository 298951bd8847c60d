"""What DRBD says of itself, in two languages: /proc/drbd of 8.4 and the JSON of `drbdsetup status` of 9.

What is in: one Replica for each volume and peer, with the words of either version. What is not in: what is wanted.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from pydantic import Field, TypeAdapter, ValidationError

from seatrial.model.said import Said, Small, Words

# " 0: cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate C r-----", then lines of figures until the next number.
_DEVICE = re.compile(
    r"^ {0,3}(\d{1,7}): cs:(\w{1,30})(?: ro:(\w{1,20})/(\w{1,20}) ds:(\w{1,20})/(\w{1,20})(?: [ABC ] ([rs]))?)?",
    re.MULTILINE,
)
_BEHIND = re.compile(r"\boos:(\d{1,18})\b")
_SYNCED = re.compile(r"sync'ed:\s{0,5}(\d{1,3}(?:\.\d{1,3})?)%")
VERSION = re.compile(r"^version: (\d{1,3})\.(\d{1,3}\.\d{1,3})", re.MULTILINE)
MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """One volume of a resource as it is towards one peer.

    `connection` is Connected, or the reason why not, in DRBD's own word; `sync` is the word for a copy that runs or waits
    ("" for none), `behind` what it or a verification still has to bring over in KiB, and `synced` the percent that are there.
    """

    volume: str
    peer: str
    connection: str
    role: str
    disk: str
    peer_role: str
    peer_disk: str
    sync: str = ""
    behind: int = 0
    synced: float | None = None
    quorum: bool = True
    suspended: bool = False
    diskless: bool = False


# What 8.4 calls the state of a connection once there is one; Connected aside, something is copied or compared.
_COPYING = frozenset(
    {
        "WFBitMapS",
        "WFBitMapT",
        "WFSyncUUID",
        "StartingSyncS",
        "StartingSyncT",
        "SyncSource",
        "SyncTarget",
        "PausedSyncS",
    }
    | {"PausedSyncT", "VerifyS", "VerifyT", "Ahead", "Behind"}
)


def read_proc(text: str, minors: frozenset[str]) -> list[Replica]:
    """The volumes with these minor numbers, as /proc/drbd of 8.4 shows them. One that is down is not among them."""
    found = []
    heads = [*_DEVICE.finditer(text)][:MOST]
    for number, head in enumerate(heads):
        minor, state, role, peer_role, disk, peer_disk, flow = head.groups(default="")
        figures = text[head.end() : heads[number + 1].start() if number + 1 < len(heads) else None]
        if minor not in minors or not role:
            continue
        behind, synced = _BEHIND.search(figures), _SYNCED.search(figures)
        connected = state == "Connected" or state in _COPYING
        found.append(
            Replica(
                volume=minor,
                peer="the peer",
                connection="Connected" if connected else state,
                role=role,
                disk=disk,
                peer_role=peer_role,
                peer_disk=peer_disk,
                sync=state if state in _COPYING else "",
                behind=int(behind[1]) if behind else 0,
                synced=float(synced[1]) if synced else None,
                suspended=flow == "s",
            )
        )
    return found


class _PeerDevice(Said):
    volume: Small = 0
    replication: Words = Field(default="", alias="replication-state")
    disk: Words = Field(default="", alias="peer-disk-state")
    diskless: bool = Field(default=False, alias="peer-client")
    behind: int = Field(default=0, alias="out-of-sync", ge=0, le=2**63)
    synced: float = Field(default=100.0, alias="percent-in-sync", ge=0, le=100)


class _Connection(Said):
    name: Words = ""
    state: Words = Field(default="", alias="connection-state")
    role: Words = Field(default="Unknown", alias="peer-role")
    devices: list[_PeerDevice] = Field(default_factory=list, alias="peer_devices", max_length=MOST)


class _Device(Said):
    volume: Small = 0
    disk: Words = Field(default="", alias="disk-state")
    diskless: bool = Field(default=False, alias="client")
    quorum: bool = True


class _Resource(Said):
    name: Words = ""
    role: Words = ""
    suspended: bool = False
    devices: list[_Device] = Field(default_factory=list, max_length=MOST)
    connections: list[_Connection] = Field(default_factory=list, max_length=64)


_STATUS = TypeAdapter(list[_Resource])


def read_json(text: str, resource: str) -> list[Replica] | None:
    """The volumes of a resource as `drbdsetup status --json` of 9 says; None when it is not understood."""
    try:
        resources = _STATUS.validate_python(json.loads(text))
    except (ValueError, ValidationError, RecursionError):
        return None
    found = []
    for one in resources:
        if one.name != resource:
            continue
        devices = {device.volume: device for device in one.devices}
        found += [
            _replica(one, connection, peer, devices[peer.volume])
            for connection in one.connections
            for peer in connection.devices
            if peer.volume in devices
        ]
    return found[:MOST]


def _replica(resource: _Resource, connection: _Connection, peer: _PeerDevice, device: _Device) -> Replica:
    copying = peer.replication not in ("Established", "Off", "")
    return Replica(
        volume=str(peer.volume),
        peer=connection.name or "the peer",
        connection=connection.state,
        role=resource.role,
        disk=device.disk,
        peer_role=connection.role,
        peer_disk=peer.disk,
        sync=peer.replication if copying else "",
        behind=peer.behind,
        synced=peer.synced if copying else None,
        quorum=device.quorum,
        suspended=resource.suspended,
        diskless=device.diskless or peer.diskless,
    )
