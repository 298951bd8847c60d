"""A real Pacemaker of two machines, each in namespaces of its own on this one, moved by the real engine.

It needs root, since Pacemaker's daemons run as the user hacluster, and half a minute until the two have elected a DC; so it
is among the slow tests.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seatrial.clock import SystemClock
from seatrial.engine import failover
from seatrial.ha.drivers import driver_of
from seatrial.ha.pacemaker import PacemakerStanding
from seatrial.journal.store import Journal
from seatrial.model.failover import Ending, FailoverState
from seatrial.model.fleet import Fleet
from seatrial.perform.look import standing_of
from seatrial.perform.world import World
from seatrial.vantage.local import LocalVantage
from seatrial.vantage.pool import Pool

pytestmark = pytest.mark.lab

LONG = 300.0
ROOM = """
set -e
hostname "$1"
for place in /run /dev/shm /var/lib/pacemaker /var/lib/corosync /var/log; do mount -t tmpfs none $place; done
mkdir -p /var/lib/pacemaker/cib /var/lib/pacemaker/pengine /var/lib/pacemaker/blackbox /var/lib/pacemaker/cores
mkdir -p /var/log/pacemaker /var/log/corosync /var/log/cluster /run/crm /run/lock /run/resource-agents
chown -R hacluster:haclient /var/lib/pacemaker /run/crm
mount --bind "$2" /etc/corosync
ip link set lo up
echo ready
exec cat
"""
OWN = ("unshare", "-n", "-m", "-u", "-p", "-i", "-f", "--mount-proc", "--kill-child")
COROSYNC = """
totem {
  version: 2
  cluster_name: trial
  transport: udpu
}
nodelist {
  node {
    ring0_addr: 192.0.2.1
    name: db-1
    nodeid: 1
  }
  node {
    ring0_addr: 192.0.2.2
    name: db-2
    nodeid: 2
  }
}
quorum {
  provider: corosync_votequorum
  two_node: 1
  wait_for_all: 0
}
logging {
  to_stderr: yes
  to_syslog: no
}
"""
RESOURCES = """
<group id="nfs">
  <primitive id="ip" class="ocf" provider="heartbeat" type="IPaddr2">
    <instance_attributes id="ia"><nvpair id="ip-ip" name="ip" value="192.0.2.10"/><nvpair id="ip-nic" name="nic" value="ring"/>
      <nvpair id="ip-mask" name="cidr_netmask" value="24"/></instance_attributes>
    <operations><op id="ip-monitor" name="monitor" interval="2s" timeout="20s"/></operations>
  </primitive>
  <primitive id="srv" class="ocf" provider="heartbeat" type="Dummy">
    <operations><op id="srv-monitor" name="monitor" interval="2s" timeout="20s"/></operations>
  </primitive>
</group>
"""


class Machine(LocalVantage):
    """One machine of the cluster: its namespaces, the two daemons in them, and a vantage that leads in."""

    def __init__(self, name: str, config: Path) -> None:
        super().__init__(name, places=Pool().places)
        self.outer = subprocess.Popen(
            [*OWN, "sh", "-c", ROOM, "sh", name, str(config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.outer.stdout is not None and self.outer.stdout.readline() == "ready\n"
        children = Path(f"/proc/{self.outer.pid}/task/{self.outer.pid}/children").read_text().split()
        self.pid = children[0]
        self.enter = ["nsenter", "-t", self.pid, "-n", "-m", "-u", "-p", "-i", "--"]

    @property
    def argv(self) -> tuple[str, ...]:
        return (*self.enter, "sh")

    def sh(self, script: str, **options: Any) -> str:
        argv = [*self.enter, "sh", "-ec", script]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False, **options)
        assert done.returncode == 0, done.stderr
        return str(done.stdout)

    def start(self, *argv: str) -> None:
        subprocess.Popen(
            [*self.enter, *argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def end(self) -> None:
        # The first process of its namespace takes all others with it.
        self.outer.kill()
        self.outer.communicate()


class Trial:
    """The cluster, a journal, and failovers of its group."""

    def __init__(self, folder: Path) -> None:
        config = folder / "corosync"
        config.mkdir()
        (config / "corosync.conf").write_text(COROSYNC)
        self.machines = {name: Machine(name, config) for name in ("db-1", "db-2")}
        self.journal = Journal(f"sqlite:///{folder / 'journal.db'}")
        host = {"stage": "s", "roles": ["db"], "reach": {"simulated": True}}
        mover = {"driver": "pacemaker", "resource": "nfs", "address": "192.0.2.10", "timeout": "90s"}
        declared = {
            "version": 1,
            "name": "f",
            "stages": [{"name": "s"}],
            "hosts": {"db-1": host, "db-2": host},
            "groups": {"db": {"hosts": ["db-1", "db-2"], "mover": mover}},
        }
        fleet = Fleet.model_validate_json(json.dumps(declared))
        self.world = World(fleet=fleet, places=self.machines, clock=SystemClock())

    def up(self) -> None:
        first, second = self.machines.values()
        link = ["ip", "link", "add", "ring", "netns", first.pid, "type", "veth", "peer", "name", "ring"]
        subprocess.run([*link, "netns", second.pid], check=True)
        for number, machine in enumerate(self.machines.values(), start=1):
            machine.sh(f"ip addr add 192.0.2.{number}/24 dev ring; ip link set ring up")
            machine.start("corosync", "-f")
        for machine in self.machines.values():
            machine.start("pacemakerd", "-f")

    def down(self) -> None:
        for machine in self.machines.values():
            machine.end()

    async def standing(self) -> PacemakerStanding:
        seen = await standing_of(self.world, self.world.fleet.groups["db"])
        assert isinstance(seen, PacemakerStanding)
        return seen

    async def until(self, wanted: frozenset[str] | None) -> None:
        async with asyncio.timeout(LONG):
            while (await self.standing()).carriers != wanted:
                await SystemClock().sleep(0.5)

    async def together(self) -> None:
        """Wait until both are in one cluster."""
        async with asyncio.timeout(LONG):
            while (
                not (view := (await self.standing()).view)
                or len(view.peers) < 2
                or any(peer.trouble for peer in view.peers.values())
            ):
                await SystemClock().sleep(1)

    async def move(self, **goal: str) -> FailoverState:
        name = await failover.begin(self.journal, self.world, "db", by="ada", **goal)
        return await failover.run(self.journal, self.world, name)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    assert os.geteuid() == 0, "this one needs root: its daemons change to the user hacluster"
    trial = Trial(tmp_path_factory.mktemp("cluster"))
    try:
        trial.up()
        yield trial
    finally:
        trial.down()


async def test_a_real_cluster_moves_its_group_when_it_is_asked_to_and_is_not_fought(cluster: Trial) -> None:
    first = cluster.machines["db-1"]
    await cluster.together()
    first.sh(
        "crm_attribute -n stonith-enabled -v false; crm_attribute -t rsc_defaults -n resource-stickiness -v 100"
    )
    first.sh("cibadmin --create -o resources --xml-pipe", input=RESOURCES)
    first.sh("crm_resource --move -r nfs --node db-1; crm_resource --wait; crm_resource --clear -r nfs")
    await cluster.until(frozenset({"db-1"}))

    state = await cluster.move(to="db-2")
    assert (state.outcome, state.because) == (
        Ending.MOVED,
        "nfs runs on db-2, and the cluster is free again to move it",
    )
    assert "192.0.2.10" in cluster.machines["db-2"].sh("ip -o addr show dev ring")
    assert "192.0.2.10" not in first.sh("ip -o addr show dev ring")
    assert "cli-" not in first.sh("cibadmin --query --scope constraints")

    # What its people have set is not overruled.
    first.sh("crm_attribute -n maintenance-mode -v true; crm_resource --wait")
    state = await cluster.move(to="db-1")
    assert (state.outcome, state.because) == (Ending.REFUSED, "the cluster is in maintenance mode")
    first.sh("crm_attribute -n maintenance-mode -D; crm_standby -N db-1 -v on; crm_resource --wait")
    state = await cluster.move(to="db-1")
    assert (state.outcome, state.because) == (Ending.REFUSED, "db-1 is in standby")
    first.sh("crm_standby -N db-1 -D; crm_resource --wait")
    state = await cluster.move(away="db-2")
    assert state.outcome == Ending.MOVED, state
    assert driver_of(cluster.world.fleet.groups["db"]).name == "pacemaker"
    await cluster.until(frozenset({"db-1"}))
