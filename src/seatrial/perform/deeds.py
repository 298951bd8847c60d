"""Every Command that a group's mover may send to change something. What is not in: when it does."""

from __future__ import annotations

from seatrial.ha import keepalived, pacemaker, reactor
from seatrial.ha.drbdnfs import batches
from seatrial.model.command import Command
from seatrial.model.fleet import Group
from seatrial.model.managed import DrbdReactorMover, PacemakerMover
from seatrial.model.mover import DrbdNfsMover, KeepalivedMover


def deeds_of(group: Group, *, boot: str = "ST-BOOT", word: str = "ST-WORD") -> tuple[Command, ...]:
    """All of them, with `boot` and `word` where words vary. Movers by an API send nothing that needs root."""
    mover = group.mover
    if isinstance(mover, KeepalivedMover):
        return keepalived.deeds(mover)
    if isinstance(mover, DrbdNfsMover):
        return batches.deeds(mover, boot, word)
    if isinstance(mover, PacemakerMover):
        return pacemaker.deeds(mover, [mover.names.get(host, host) for host in group.hosts])
    if isinstance(mover, DrbdReactorMover):
        return reactor.deeds(mover)
    return ()
