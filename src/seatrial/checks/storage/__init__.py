"""Questions about where data is kept: NFS as servers offer it and as clients see it, replication, room on disk."""

from collections.abc import Mapping

from seatrial.checks.kind import Kind
from seatrial.checks.storage import drbd, exports, lock, nfs, share

KINDS: Mapping[str, Kind] = {
    "nfs": Kind(nfs.commands, nfs.judge),
    "exports": Kind(exports.commands, exports.judge),
    "share": Kind(share.commands, share.judge),
    "lock": Kind(lock.commands, lock.judge, lock.places),
    "drbd": Kind(drbd.commands, drbd.judge),
}
