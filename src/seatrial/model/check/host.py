"""Checks of one host from the inside: its kernel, its units, its messages."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from seatrial.model.check.base import CheckBase
from seatrial.model.declared import Word


class KernelCheck(CheckBase):
    """Which kernel runs, which are installed, what the next boot would take."""

    kind: Literal["kernel"]


class UnitCheck(CheckBase):
    """A systemd unit is active."""

    kind: Literal["unit"]
    unit: Word = Field(description="its full name, such as ssh.service")

    @property
    def subjects(self) -> tuple[str, ...]:
        """The host, then its unit."""
        return (self.source_vantage, f"{self.unit} on {self.source_vantage}")


class DmesgCheck(CheckBase):
    """Kernel messages of this boot that were not there at the boot before."""

    kind: Literal["dmesg"]


HostCheck = KernelCheck | UnitCheck | DmesgCheck
