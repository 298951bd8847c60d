"""Questions to one host about itself: its kernel, units, messages, processes, settings, room and clock."""

from collections.abc import Mapping

from seatrial.checks.host import (
    disk,
    dmesg,
    kernel,
    load,
    mounts,
    pressure,
    processes,
    qdisc,
    scheduler,
    sysctl,
    time,
    unit,
)
from seatrial.checks.kind import Kind

KINDS: Mapping[str, Kind] = {
    "kernel": Kind(kernel.commands, kernel.judge),
    "unit": Kind(unit.commands, unit.judge),
    "dmesg": Kind(dmesg.commands, dmesg.judge),
    "processes": Kind(processes.commands, processes.judge),
    "load": Kind(load.commands, load.judge),
    "pressure": Kind(pressure.commands, pressure.judge),
    "sysctl": Kind(sysctl.commands, sysctl.judge),
    "scheduler": Kind(scheduler.commands, scheduler.judge),
    "qdisc": Kind(qdisc.commands, qdisc.judge),
    "mounts": Kind(mounts.commands, mounts.judge),
    "disk": Kind(disk.commands, disk.judge),
    "time": Kind(time.commands, time.judge),
}
