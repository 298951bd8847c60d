"""Which Driver a group's mover means. A further one is a module of its own and a line here."""

from __future__ import annotations

from seatrial.ha.drbdnfs.driver import DrbdNfs
from seatrial.ha.driver import Driver
from seatrial.ha.keepalived import Keepalived
from seatrial.ha.kubernetes import Kubernetes
from seatrial.ha.openstack import Openstack
from seatrial.ha.operators import OperatorsCommands
from seatrial.ha.pacemaker import Pacemaker
from seatrial.ha.reactor import DrbdReactor
from seatrial.ha.unmoved import Unmoved
from seatrial.model.fleet import Group

DRIVERS: dict[str, Driver] = {
    driver.name: driver
    for driver in (
        Keepalived(),
        DrbdNfs(),
        Pacemaker(),
        DrbdReactor(),
        Kubernetes(),
        Openstack(),
        OperatorsCommands(),
        Unmoved(),
    )
}


def driver_of(group: Group) -> Driver:
    """The Driver of a group's declaration."""
    return DRIVERS[group.mover.driver]
