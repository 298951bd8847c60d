"""Pacemaker on the lab's NFS pair: the peer that our own failovers are measured beside, and a cluster to ask for one.

What is in: installing it on the two servers, forming the cluster, handing the service to it and taking it back. What is not:
any failover of ours. The cluster is what a careful operator has: the agents that Debian ships for DRBD, the file system, the
kernel's NFS server and the address, in the order that the vendors' guides give; lease, grace, versions, the server's common
name and the exports are those of our own driver, and the clients' records lie on the volume. Without fencing, since a
planned move between two healthy servers asks for none: nobody should run it like that.
"""

from __future__ import annotations

import asyncio
import xml.etree.ElementTree as Xml
from collections.abc import Callable
from pathlib import Path

from seatrial.clock import SystemClock, monotonic
from seatrial.errors import LabError
from seatrial.ha.cluster import Cluster, read_cluster
from seatrial.lab import debs
from seatrial.lab.image import Progress
from seatrial.lab.lab import Lab
from seatrial.lab.nfspair import RESOURCE, SERVERS, SERVICE
from seatrial.model.command import Command, Output

PACKAGES = ("pacemaker", "pacemaker-cli-utils", "corosync", "resource-agents", "psmisc")
GROUP = "service"
_DISK = "disk-clone"
_LIMIT = 300.0
_PAUSE = 1.0

_COROSYNC = """\
totem {
    version: 2
    cluster_name: nfs
    transport: udpu
    token: 10000
}
nodelist {
%s}
quorum {
    provider: corosync_votequorum
    two_node: 1
    wait_for_all: 0
}
logging {
    to_syslog: yes
}
"""
_MEMBER = """\
    node {
        ring0_addr: %s
        name: %s
        nodeid: %d
    }
"""
_NFS = """\
[nfsd]
threads=8
lease-time=10
grace-time=10
vers3=n
vers4.0=n
"""
# Debian's unit leaves the keeper of the clients' records running, and the volume busy.
_ENDS = """\
[Unit]
PartOf=nfs-server.service
"""
# What the lab started by hand for version 3 is in the way of units, and a cluster for version 4 only wants neither.
_PREPARE = """
mkdir -p /etc/nfs.conf.d /etc/systemd/system/nfsdcld.service.d
systemctl -q disable --now corosync pacemaker 2>/dev/null || :
systemctl -q mask rpcbind.service rpcbind.socket rpc-statd.service rpc-statd-notify.service
"""
_START = "systemctl daemon-reload; systemctl start corosync && systemctl start pacemaker"


def mover() -> dict[str, object]:
    """The cluster's group as a fleet file declares it."""
    return {"driver": "pacemaker", "resource": GROUP, "address": SERVICE, "timeout": "600s"}


class PacemakerPair:
    """The lab's pair with a cluster over it, which serves or stands by."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._first, *_ = SERVERS

    async def form(self, progress: Progress) -> None:
        """Install and start the cluster, and hand the service to it. Raises LabError."""
        await debs.put(self._lab, tuple(SERVERS), PACKAGES, progress)
        members = "".join(
            _MEMBER % (inner, name, number) for number, (name, (_, inner)) in enumerate(SERVERS.items(), 1)
        )
        progress("forming the cluster", None)
        for host in SERVERS:
            await self._sh(host, _PREPARE)
            await self._write(host, "/etc/corosync/corosync.conf", _COROSYNC % members)
            await self._write(host, "/etc/nfs.conf.d/seatrial-lab.conf", _NFS)
            await self._write(host, "/etc/systemd/system/nfsdcld.service.d/ends.conf", _ENDS)
        await self._give_up()
        await asyncio.gather(*(self._sh(host, _START) for host in SERVERS))
        await self._until("both are members", lambda seen: self._together(seen))
        await self._sh(
            self._first,
            "crm_attribute -n stonith-enabled -v false; crm_attribute -t rsc_defaults -n resource-stickiness -v 200",
        )
        for section in Xml.parse(Path(__file__).with_suffix(".xml")).getroot():  # noqa: S314 - a file of ours
            argv = ["cibadmin", "--replace", "--scope", section.tag, "--xml-pipe"]
            await self._lab.ssh(self._first, argv, stdin=Xml.tostring(section))
        await self._until("it serves", lambda seen: bool(self._carrier(seen)))
        await self._sh(self._first, "crm_resource --wait")

    async def take_over(self) -> None:
        """Hand the service to the cluster: whoever serves by hand ends it, and the cluster starts it again."""
        await self._give_up()
        await self._sh(
            self._first,
            f"crm_resource -r {GROUP} --meta -d target-role; crm_resource -r {_DISK} --meta -d target-role; "
            "crm_attribute -n maintenance-mode -D",
        )
        await self._until("it serves", lambda seen: bool(self._carrier(seen)))
        await self._sh(self._first, "crm_resource --wait")

    async def let_go(self) -> None:
        """Take the service back: the cluster stops it and keeps its hands off, and the first server serves by hand."""
        await self._sh(
            self._first,
            f"crm_resource -r {GROUP} --meta -p target-role -v Stopped; crm_resource --wait; "
            f"crm_resource -r {_DISK} --meta -p target-role -v Unpromoted; crm_resource --wait; "
            "crm_attribute -n maintenance-mode -v true; crm_resource --wait",
        )
        await self._sh(self._first, "/etc/seatrial-lab/pair.sh take")

    async def carrier(self) -> str | None:
        """The server on which the whole group runs, by the cluster's own word; None for none, or in the middle."""
        return self._carrier(await self._seen())

    async def standby(self) -> str:
        """The server that does not serve."""
        here = await self.carrier()
        return next(host for host in SERVERS if host != here)

    async def move(self, to: str) -> None:
        """Ask for the service to run on a server, and wait until the cluster has done it. Raises LabError.

        The constraint stays until `settle`. The wait is the cluster's own: each question of ours would cost the servers time.
        """
        await self._sh(
            self._first, f"crm_resource --move --resource {GROUP} --node {to} && crm_resource --wait"
        )
        if (where := await self.carrier()) != to:
            raise LabError(
                f"the cluster did not move it to {to}: it runs on {where}", hint="crm_mon -1 -r -f"
            )

    async def settle(self) -> None:
        """Take the constraint of a move back, and wait until the cluster has nothing left to do."""
        await self._sh(self._first, f"crm_resource --clear --resource {GROUP} && crm_resource --wait")

    async def _give_up(self) -> None:
        for host in SERVERS:
            await self._sh(
                host,
                f"[ $(drbdadm role {RESOURCE} | cut -d/ -f1) != Primary ] || /etc/seatrial-lab/pair.sh give; "
                "for one in rpc.mountd nfsdcld rpc.statd rpcbind; do pkill -x $one || :; done; rm -f /run/seatrial/nfsdcld.pid",
            )

    async def _seen(self) -> Cluster | str:
        command = Command(name="lab.cluster", argv=("crm_mon", "-1", "--output-as=xml"))
        said = await self._lab.ssh(self._first, ["sh", "-c", "crm_mon -1 --output-as=xml || :"])
        nothing = Command(name="lab.constraints", argv=("cibadmin",))
        return read_cluster(
            Output(command=command, status=0, stdout=said),
            Output(command=nothing, status=0, stdout="<constraints/>"),
            GROUP,
            promoted=False,
        )

    def _together(self, seen: Cluster | str) -> bool:
        return (
            isinstance(seen, Cluster)
            and seen.has_quorum
            and set(seen.peers) == set(SERVERS)
            and not any(peer.trouble for peer in seen.peers.values())
        )

    def _carrier(self, seen: Cluster | str) -> str | None:
        if not isinstance(seen, Cluster) or not seen.parts:
            return None
        places = {part.on for part in seen.parts}
        (first, *others) = places
        return min(first) if not others and len(first) == 1 else None

    async def _until(self, what: str, holds: Callable[[Cluster | str], bool]) -> None:
        began = monotonic()
        while not holds(seen := await self._seen()):
            if monotonic() - began > _LIMIT:
                raise LabError(
                    f"the cluster did not come that far: {what}; it said: {seen if isinstance(seen, str) else seen.failures}",
                    hint=f"seatrial lab ssh {self._first} --lab {self._lab.name}, and there: crm_mon -1 -r -f",
                )
            await SystemClock().sleep(_PAUSE)

    async def _write(self, host: str, path: str, content: str) -> None:
        await self._lab.ssh(host, ["sh", "-c", 'cat >"$1"', "sh", path], stdin=content.encode())

    async def _sh(self, host: str, script: str) -> str:
        return await self._lab.ssh(host, ["sh", "-c", script], timeout=_LIMIT)
