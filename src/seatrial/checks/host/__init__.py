"""Questions to one host about itself: its kernel, its units, its messages."""

from collections.abc import Mapping

from seatrial.checks.host import dmesg, kernel, unit
from seatrial.checks.kind import Kind

KINDS: Mapping[str, Kind] = {
    "kernel": Kind(kernel.commands, kernel.judge),
    "unit": Kind(unit.commands, unit.judge),
    "dmesg": Kind(dmesg.commands, dmesg.judge),
}
