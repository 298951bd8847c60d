"""What is run on a host of a pair, as Commands: one script with the operator's settings in front. Pure."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from seatrial.ha.drbdnfs.facts import MemberFacts
from seatrial.ha.scripts import script
from seatrial.model.command import Command
from seatrial.model.mover import DrbdNfsMover

# What each batch does, by the names of its steps as the script tells them (`step NAME`), in this order.
BATCHES: Mapping[str, tuple[tuple[str, str], ...]] = MappingProxyType(
    {
        "give": (
            ("lock", "waits for a batch of before, and keeps later ones away"),
            (
                "fresh",
                "ends here when the host has rebooted since it was looked at, or that was more than 30 s ago",
            ),
            ("nfsd", "no thread is left; with `units`, they are stopped in their order"),
            ("address", "the service address is taken off"),
            (
                "daemons",
                "clients that are left are expired (`busy: expire`), then nfsdcld ends, whose records lie on the volume",
            ),
            (
                "unmount",
                "the volumes, from the last one back; what holds one is named, or stopped with `busy: stop`",
            ),
            ("secondary", "DRBD lets the other side have the disk: from here on the peer may be promoted"),
        ),
        "take": (
            ("lock", "as above"),
            ("fresh", "as above"),
            (
                "prepare",
                "modules, mountd, versions, lease and grace: all that needs no disk, while the other side still gives",
            ),
            (
                "word",
                "waits until DRBD hears that the peer is secondary; ends when it is not connected, unless it is fenced or forced",
            ),
            ("primary", "DRBD promotes this side"),
            ("mount", "the volumes, in their order"),
            ("clients", "exports, and nfsdcld with the records of the clients, which is waited for"),
            (
                "nfsd",
                "threads under the common name of the server; without the records of the clients it is not left running",
            ),
            (
                "address",
                "the service address, told to the neighbours, which had the card of the other side",
            ),
            ("wants", "the settings that the service needs: sysctls, schedulers, shaping"),
        ),
        "fence": (
            ("lock", "as above"),
            ("fresh", "as above"),
            ("outdate", "a side that is cut off cannot be promoted any more until it is connected again"),
        ),
    }
)

Word = Literal["peer", "fenced", "forced"]
_NAME = "drbd-nfs.sh"
# Twice what the slowest steps of a batch may take: nfsd's end, a file system's check of its journal, a unit's start.
_DEED_SECONDS = 120.0


def audit(mover: DrbdNfsMover) -> Command:
    """What a move is refused or proven by besides what `look` tells."""
    spec = {
        "resource": mover.resource,
        "volumes": [one.mount for one in mover.volumes],
        "pipes": mover.nfs.pipes,
        "wants": [line.split(" ")[:2] for line in _wants(mover)],
    }
    return Command(
        name="drbd-nfs.audit",
        argv=("python3", "-", json.dumps(spec)),
        stdin=script("pair.py").encode(),
        root=True,
        timeout=60.0,
        package="python3",
    )


def look(mover: DrbdNfsMover) -> Command:
    """What a step is decided by, as quickly as a host can say it: clients wait meanwhile."""
    return _command(mover, "look")


def give(mover: DrbdNfsMover, seen: MemberFacts) -> Command:
    """Stop the service here and let the other side have the disk; nothing is done where nothing is left to do.

    `seen` is what this was decided on: a host that has rebooted since, or hears of it much later, does nothing.
    """
    return _command(mover, "give", seen.boot, seen.uptime, safe=False)


def take(mover: DrbdNfsMover, seen: MemberFacts, word: Word) -> Command:
    """Serve here. `word` says who allows the promotion: the peer itself (which is waited for), its fence, or a person."""
    return _command(mover, "take", seen.boot, seen.uptime, word, safe=False)


def fence(mover: DrbdNfsMover, seen: MemberFacts) -> Command:
    """Make this side unable to be promoted while it is cut off; connecting again takes that back by itself."""
    return _command(mover, "fence", seen.boot, seen.uptime, safe=False)


def deeds(mover: DrbdNfsMover, boot: str, word: str) -> tuple[Command, ...]:
    """Every Command that changes something, with stand-ins for what varies: the boot it was decided on, and a word."""
    return (
        _command(mover, "give", boot, word, safe=False),
        _command(mover, "take", boot, word, word, safe=False),
        _command(mover, "fence", boot, word, safe=False),
    )


def _command(mover: DrbdNfsMover, verb: str, *words: str, safe: bool = True) -> Command:
    # The verb comes as words and not as text, so that the text of a fleet file is always the same and may be known by its hash.
    text = f'{_settings(mover)}{script(_NAME)}\nshift\nrun "$@" .\n'
    return Command(
        name=f"drbd-nfs.{verb}",
        argv=("sh", "-s", "seatrial-failover", verb, *words),
        stdin=text.encode(),
        safe=safe,
        root=True,
        timeout=30.0 if safe else _DEED_SECONDS,
        package="drbd-utils nfs-kernel-server",
    )


def _settings(mover: DrbdNfsMover) -> str:
    nfs, address = mover.nfs, mover.address
    volumes = "\n".join(
        f"{one.device} {one.mount} {one.type or 'auto'} {one.options}" for one in mover.volumes
    )
    settings = {
        "resource": mover.resource,
        "minors": " ".join(one.device.removeprefix("/dev/drbd") for one in mover.volumes),
        "volumes": volumes,
        "service": address.address,
        "prefix": str(address.prefix),
        "interface": address.interface,
        "scope": nfs.scope,
        "state_folder": nfs.state or "",
        "pipes": nfs.pipes,
        "lease": f"{nfs.lease:.0f}",
        "grace": f"{nfs.grace:.0f}",
        "threads": str(nfs.threads),
        "versions": " ".join(nfs.versions),
        "units": " ".join(nfs.units),
        "wants": "\n".join(_wants(mover)),
        "busy": mover.busy,
        "holders": " ".join(mover.holders),
    }
    return "".join(f"{key}={shlex.quote(value)}\n" for key, value in settings.items())


def _wants(mover: DrbdNfsMover) -> list[str]:
    wants = mover.wants
    return [
        *(f"sysctl {name} {value}" for name, value in wants.sysctls.items()),
        *(f"scheduler {device} {value}" for device, value in wants.schedulers.items()),
        *(f"shaping {interface} {' '.join(words)}" for interface, words in wants.shaping.items()),
    ]
