"""What is run on a host of a pair, as Commands: one script with the operator's settings in front. Pure."""

from __future__ import annotations

import shlex
from typing import Literal

from seatrial.ha.drbdnfs.facts import MemberFacts
from seatrial.ha.scripts import script
from seatrial.model.command import Command
from seatrial.model.mover import DrbdNfsMover

Word = Literal["peer", "fenced", "forced"]
_NAME = "drbd-nfs.sh"
# Twice what the slowest steps of a batch may take: nfsd's end, a file system's check of its journal, a unit's start.
_DEED_SECONDS = 120.0


def audit(mover: DrbdNfsMover) -> Command:
    """All that a move is refused or proven by."""
    return _command(mover, "audit")


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


def _command(mover: DrbdNfsMover, verb: str, *words: str, safe: bool = True) -> Command:
    text = f"{_settings(mover)}{script(_NAME)}\nrun {shlex.join((verb, *words))} .\n"
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
