"""The topology `nfs-load`: one NFS server whose disk can be made slow on a kernel, and a client with the kernel's NFS.

What is in: addresses, each host's files, and the fleet file. What is not: the fault itself (scenario.py). All addresses
are documentation addresses (RFC 5737).

    segment  range         nfs-s1  nfs-c
    nfs      192.0.2.0/24  .11     .21

The export lies on a device-mapper device on which every request waits for DISK_MS, and longer where the fault's file is
there and names the kernel that runs. Its name in /proc/diskstats is dm-0 either way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import yaml

from seatrial.lab.network import mount_script, network_script
from seatrial.lab.topology import LabHost, Nic, Topology

STAGE = "staging"
SERVER, CLIENT = "nfs-s1", "nfs-c"
_ADDRESSES = {SERVER: "192.0.2.11", CLIENT: "192.0.2.21"}
EXPORT, MOUNT = "/srv/volume", "/mnt/volume"
# The kernel on which the disk is slow, and by how many ms each request.
SLOW_FILE = "/etc/seatrial-lab/slow"
# What a disk takes on every kernel. Without it one of an emulated machine answers in a fraction of a millisecond, or in ten
# when this machine is busy: of such samples no number tells one kernel from another.
DISK_MS = 4

_HEAD = """\
# The platform of the lab: an NFS server in staging, and a client that works on what it exports.
# Written by seatrial; all addresses are documentation addresses (RFC 5737).
"""


def nfs_load_topology() -> Topology:
    """The server and its client."""
    return Topology(name="nfs-load", segments=("nfs",), hosts=(_server(), _client()), endpoints=())


def nfs_load_fleet(reach: Callable[[str], Mapping[str, object]], *, guard: str = "10m") -> str:
    """The fleet file's text. `reach` says how a host is reached, by its name."""
    server = _ADDRESSES[SERVER]
    fleet: dict[str, Any] = {
        "version": 1,
        "name": "nfs-lab",
        "stages": [{"name": STAGE}],
        "hosts": {SERVER: {"stage": STAGE, "roles": ["nfs"], "reach": dict(reach(SERVER))}},
        "vantages": {CLIENT: dict(reach(CLIENT))},
        "checks": {
            "nfs": {"kind": "nfs", "from": CLIENT, "address": server, "path": EXPORT, "retries": 3},
            # After a reboot the clients' own recovery is waited for, which is the lease and then the grace.
            "share": {"kind": "share", "from": CLIENT, "path": MOUNT, "timeout": "60s", "retries": 3},
        },
        "loads": {
            "files": {"kind": "share", "from": CLIENT, "path": MOUNT, "rate": 6, "size": 4096, "threads": 2}
        },
        "policies": {
            "nfs": {
                "guard": guard,
                "reboot": "10m",
                "measure": {
                    "series": ["disk.dm-0.latency"],
                    # Each sample of it is compared once, and on a busy machine it takes more than a hundred to be sure.
                    "baseline": "150s",
                    "least": "45s",
                    "most": "10m",
                    "load": {"of": "nfsd.calls", "least": 5},
                    "drive": ["files"],
                    "min_effect": 3.0,
                    # What clients would notice is more than what a busy machine adds to an emulated disk.
                    "matters": {"disk.dm-0.latency": 5.0},
                },
            }
        },
    }
    return _HEAD + yaml.safe_dump(fleet, sort_keys=False, allow_unicode=True, width=120)


def _server() -> LabHost:
    nics = (Nic(name="nfs0", segment="nfs", addresses=(f"{_ADDRESSES[SERVER]}/24",)),)
    files = (
        ("etc/seatrial-lab/network", 0o755, network_script(nics, _SERVE)),
        ("etc/exports", 0o644, f"{EXPORT} 192.0.2.0/24(rw,sync,no_subtree_check,no_root_squash,fsid=1)\n"),
    )
    return LabHost(name=SERVER, stage=STAGE, role="nfs", nics=nics, files=files)


def _client() -> LabHost:
    nics = (Nic(name="nfs0", segment="nfs", addresses=(f"{_ADDRESSES[CLIENT]}/24",)),)
    mount = mount_script(_ADDRESSES[SERVER], EXPORT, MOUNT)
    return LabHost(
        name=CLIENT,
        stage=STAGE,
        role="client",
        nics=nics,
        files=(("etc/seatrial-lab/network", 0o755, network_script(nics, mount)),),
    )


# Lease and grace are short, since nobody's data is at stake here and every reboot is waited for.
_SERVE = f"""set -e
modprobe -a loop dm-mod dm-delay nfsd
backing=/var/lib/seatrial-lab/volume.img
mkdir -p "${{backing%/*}}" {EXPORT} /run/rpc_pipefs
[ -e "$backing" ] || {{ truncate -s 64M "$backing" && mkfs.ext4 -q -J size=4 "$backing"; }}
losetup /dev/loop0 "$backing"
sectors=$(blockdev --getsz /dev/loop0)
wait={DISK_MS}
if [ -e {SLOW_FILE} ] && read -r kernel more <{SLOW_FILE} && [ "$kernel" = "$(uname -r)" ]; then
    wait=$((wait + more))
fi
table="0 $sectors delay /dev/loop0 0 $wait"
dmsetup create volume --noudevsync --table "$table"
dmsetup mknodes volume
mount /dev/mapper/volume {EXPORT}
mountpoint -q /proc/fs/nfsd || mount -t nfsd nfsd /proc/fs/nfsd
mountpoint -q /run/rpc_pipefs || mount -t rpc_pipefs rpc_pipefs /run/rpc_pipefs
mkdir -p /var/lib/nfs/nfsdcld
exportfs -ra
nfsdcld -p /run/rpc_pipefs
rpc.mountd --no-nfs-version 3
rpc.nfsd --no-nfs-version 3 --lease-time 10 --grace-time 10 4
"""
