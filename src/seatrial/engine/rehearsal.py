"""Rehearsals: the real engine on a simulated platform, and the faults that it may be given.

What is in: making the simulated World and killing the controller where a fault says so. What is not: the platform
itself (vantage/simulation.py).
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import yaml

from seatrial.lab.fleet import fleet_text
from seatrial.lab.gateway import gateway_topology
from seatrial.lab.nfspair import SERVERS
from seatrial.lab.nfsstory import nfs_story_fleet
from seatrial.model.event import Event
from seatrial.model.fleet import Fleet
from seatrial.perform.world import World
from seatrial.vantage.simulated import SimulatedVantage
from seatrial.vantage.simulation import ControllerFault, Fault, Simulation

GOOD, CANDIDATE = "6.1.0-47-cloud-amd64", "6.1.0-56-cloud-amd64"

SCENARIOS: dict[str, tuple[Fault, ...]] = {
    "gateway-2021": (Fault(host="gw-s1", kind="replies-lost", kernel=CANDIDATE),),
    "good": (),
    "dead-network": (Fault(host="gw-s1", kind="dead-network", kernel=CANDIDATE),),
    "panic": (Fault(host="gw-s1", kind="panic", kernel=CANDIDATE),),
    "load": (Fault(host="gw-s1", kind="slow-disk", kernel=CANDIDATE),),
    "load-production": (Fault(host="gw-p2", kind="slow-disk", kernel=CANDIDATE),),
    "load-good": (),
    "nfs-2017": tuple(Fault(host=host, kind="slow-disk", kernel=CANDIDATE) for host in SERVERS),
    "no-load": (Fault(host="gw-s1", kind="no-load"),),
}


# Scenarios whose hosts are measured while on trial.
MEASURED = frozenset({"load", "load-production", "load-good", "no-load"})
_MEASURE = {
    "series": ["disk.*.latency", "load.1"],
    "baseline": "4m",
    "least": "2m",
    "most": "10m",
    "load": {"of": "disk.vda.ops", "least": 20},
}


PAIR_TEXT = nfs_story_fleet(lambda _: {"simulated": True}, simulated=True)


def rehearsal_fleet(*, approval: bool = False, measured: bool = False, against: str = "before") -> str:
    """The fleet file of the lab's platform with every place simulated; `measured`: with a soak that measures.

    `against` holds for hosts with peers; the one without can only be compared with itself before.
    """
    text = fleet_text(gateway_topology(), lambda _: {"simulated": True}, checks=False, approval=approval)
    if not measured:
        return text
    fleet = yaml.safe_load(text)
    gateway = fleet["policies"]["gateway"]
    fleet["policies"] = {"gateway": {**gateway, "measure": {**_MEASURE, "against": against}}}
    if against != "before":
        grouped = {host for group in fleet["groups"].values() for host in group["hosts"]}
        for name, host in fleet["hosts"].items():
            if name not in grouped:
                host["roles"] = ["alone", *host["roles"]]
        fleet["policies"] = {"alone": {**gateway, "measure": _MEASURE}, **fleet["policies"]}
    return yaml.safe_dump(fleet, sort_keys=False)


def rehearsal_world(fleet: Fleet, simulation: Simulation) -> World:
    """A World all of whose places are on the simulated platform, with its clock."""
    names = [*fleet.hosts, *fleet.vantages]
    return World(
        fleet=fleet,
        places={name: SimulatedVantage(name, simulation) for name in names},
        clock=simulation,
        time_passes=simulation.has_clock,
    )


def open_simulation(path: Path, fleet: Fleet, scenario: str) -> Simulation:
    """The platform of a scenario, as it was left when the file is there."""
    if path.exists():
        return Simulation.load(path, fleet)
    return Simulation.create(path, fleet, good=GOOD, candidate=CANDIDATE, faults=SCENARIOS[scenario])


def killer(fault: ControllerFault) -> Callable[[Event], None]:
    """What the journal calls behind each event: it ends this process behind the one that the fault names."""
    seen = 0

    def after(_: Event) -> None:
        nonlocal seen
        seen += 1
        if seen == fault.after_event:
            os.kill(os.getpid(), signal.SIGKILL)

    return after
