"""Questions about where data is kept: NFS as servers offer it and as clients see it, replication, room on disk."""

from collections.abc import Mapping

from seatrial.checks.kind import Kind

KINDS: Mapping[str, Kind] = {}
