"""Questions to what runs the platform: schedulers, monitoring, and the operator's own commands."""

from collections.abc import Mapping

from seatrial.checks.kind import Kind

KINDS: Mapping[str, Kind] = {}
