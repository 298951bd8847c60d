"""Questions about where data is kept: NFS as servers offer it and as clients see it, replication, room on disk."""

from collections.abc import Mapping

from seatrial.checks.kind import Kind
from seatrial.checks.storage import nfs

KINDS: Mapping[str, Kind] = {
    "nfs": Kind(nfs.commands, nfs.judge),
}
