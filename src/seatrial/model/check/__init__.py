"""Check: the union of all kinds of checks that a fleet file may declare, chosen by `kind`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from seatrial.model.check.base import CheckBase
from seatrial.model.check.host import HostCheck
from seatrial.model.check.monitoring import MonitoringCheck
from seatrial.model.check.platform import PlatformCheck
from seatrial.model.check.storage import StorageCheck
from seatrial.model.check.traffic import TrafficCheck

__all__ = ["Check", "CheckBase"]

Check = Annotated[
    TrafficCheck | StorageCheck | HostCheck | PlatformCheck | MonitoringCheck, Field(discriminator="kind")
]
