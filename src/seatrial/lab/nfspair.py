"""The topology `nfs-pair`: two NFS servers on DRBD with one address between them, and two clients with the kernel's NFS.

What is in: addresses and each host's files. What is not: what a server does to take or give the service (nfspair.sh, which
is put onto it), and deciding when. All addresses are documentation addresses (RFC 5737).

    segment  range             nfs-1  nfs-2  service  nfs-c1  nfs-c2  nfs-asker
    nfs      192.0.2.0/24      .11    .12    .10      .21     .22     .30
    repl     198.51.100.0/24   .1     .2

nfs-1 serves when the lab is up. A server that is started again stands by: `/etc/seatrial-lab/pair.sh take` makes it serve,
`give` makes it stand by, and the lab itself moves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from seatrial.lab.network import mount_script, network_script
from seatrial.lab.topology import Endpoint, LabHost, Nic, Topology

STAGE = "storage"
GROUP = "nfs"
SERVICE = "192.0.2.10"
VOLUME = "/srv/volume"
EXPORT = f"{VOLUME}/tools"
MOUNT = "/mnt/tools"
RESOURCE = "tools"
SCOPE = "nfs.example.test"
CLIENTS_RANGE = "192.0.2.0/24"
_HEAD = """\
# The NFS pair of the lab, its clients, and what is asked of them.
# Written by seatrial; all addresses are documentation addresses (RFC 5737).
"""
SERVERS = {"nfs-1": ("192.0.2.11", "198.51.100.1"), "nfs-2": ("192.0.2.12", "198.51.100.2")}
CLIENTS = {"nfs-c1": "192.0.2.21", "nfs-c2": "192.0.2.22"}
_ASKER = "192.0.2.30"


def nfs_pair_topology() -> Topology:
    """The pair, its two clients, and a place from which the pair is asked over the network."""
    return Topology(
        name="nfs-pair",
        segments=("nfs", "repl"),
        hosts=(*(_server(name) for name in SERVERS), *(_client(name) for name in CLIENTS)),
        endpoints=(
            Endpoint(
                name="nfs-asker",
                role="asker",
                stage=STAGE,
                nics=(Nic(name="eth0", segment="nfs", addresses=(f"{_ASKER}/24",)),),
            ),
        ),
    )


def nfs_pair_fleet(reach: Callable[[str], Mapping[str, object]]) -> str:
    """The fleet file of the pair: who serves, who uses it, and the checks of what is kept on it."""
    topology = nfs_pair_topology()
    fleet: dict[str, Any] = {
        "version": 1,
        "name": "nfs-pair-lab",
        "stages": [{"name": STAGE}],
        "hosts": {
            host.name: {"stage": STAGE, "roles": [host.role], "reach": dict(reach(host.name))}
            for host in topology.hosts
        },
        "groups": {GROUP: {"hosts": list(SERVERS), "mover": mover()}},
        "vantages": {endpoint.name: dict(reach(endpoint.name)) for endpoint in topology.endpoints},
        "checks": _checks(),
    }
    return _HEAD + yaml.safe_dump(fleet, sort_keys=False, allow_unicode=True, width=120)


def mover() -> dict[str, object]:
    """What nfspair.sh does by hand, as a group declares it."""
    return {
        "driver": "drbd-nfs",
        "resource": RESOURCE,
        "volumes": [{"device": "/dev/drbd0", "mount": VOLUME, "type": "ext4"}],
        "address": {"address": SERVICE, "prefix": 24, "interface": "nfs0"},
        "nfs": {
            "scope": SCOPE,
            "state": f"{VOLUME}/state",
            "lease": "10s",
            "grace": "10s",
            "threads": 8,
            "versions": ["4.1", "4.2"],
        },
        "wants": {"sysctls": {"net.core.somaxconn": "1024"}, "schedulers": {"loop0": "none"}},
    }


def _checks() -> dict[str, dict[str, object]]:
    first, second = SERVERS
    clients = tuple(CLIENTS)
    shares: dict[str, dict[str, object]] = {
        f"share-{name}": {
            "from": name,
            "kind": "share",
            "path": MOUNT,
            "type": "nfs4",
            "over": ["nfs-service"],
        }
        for name in clients
    }
    return {
        "nfs": {
            "from": "nfs-asker",
            "kind": "nfs",
            "address": SERVICE,
            "path": EXPORT,
            "over": ["nfs-service"],
        },
        **shares,
        # The clients' own checks come first on both, and a hung one takes its whole time.
        "lock": {"from": clients[0], "with": clients[1], "kind": "lock", "path": MOUNT, "timeout": "30s"},
        "exports": {"from": first, "kind": "exports", "paths": [EXPORT], "clients": list(CLIENTS.values())},
        "drbd-first": {"from": first, "kind": "drbd", "resource": RESOURCE, "role": "primary"},
        "drbd-second": {"from": second, "kind": "drbd", "resource": RESOURCE, "role": "secondary"},
    }


def _server(name: str) -> LabHost:
    outer, inner = SERVERS[name]
    nics = (
        Nic(name="nfs0", segment="nfs", addresses=(f"{outer}/24",)),
        Nic(name="repl0", segment="repl", addresses=(f"{inner}/24",)),
    )
    first = name == next(iter(SERVERS))
    pair = f"service={SERVICE}/24\nscope={SCOPE}\nfirst={'yes' if first else 'no'}\n"
    script = (Path(__file__).parent / "nfspair.sh").read_text()
    files = (
        # Not waited for: the first boot of one server needs the other one.
        (
            "etc/seatrial-lab/network",
            0o755,
            network_script(nics, "systemctl start --no-block seatrial-pair.service"),
        ),
        ("etc/seatrial-lab/pair", 0o644, pair),
        ("etc/seatrial-lab/pair.sh", 0o755, script),
        ("etc/systemd/system/seatrial-pair.service", 0o644, _UNIT),
        ("etc/drbd.d/global_common.conf", 0o644, "global { usage-count no; }\n"),
        ("etc/drbd.d/tools.res", 0o644, _resource()),
        ("etc/exports", 0o644, f"{EXPORT} {CLIENTS_RANGE}(rw,sync,no_subtree_check,no_root_squash,fsid=1)\n"),
    )
    return LabHost(name=name, stage=STAGE, role="nfs", nics=nics, files=files, group=GROUP, first_owner=first)


def _client(name: str) -> LabHost:
    nics = (Nic(name="nfs0", segment="nfs", addresses=(f"{CLIENTS[name]}/24",)),)
    mount = mount_script(SERVICE, EXPORT, MOUNT)
    files = (("etc/seatrial-lab/network", 0o755, network_script(nics, mount)),)
    return LabHost(name=name, stage=STAGE, role="client", nics=nics, files=files)


def _resource() -> str:
    hosts = "".join(f"    on {name} {{ address {inner}:7789; }}\n" for name, (_, inner) in SERVERS.items())
    return f"""resource {RESOURCE} {{
    net {{
        protocol C;
        after-sb-0pri disconnect;
        after-sb-1pri disconnect;
        after-sb-2pri disconnect;
        ping-int 5;
        ping-timeout 5;
        timeout 30;
        connect-int 3;
    }}
    volume 0 {{
        device /dev/drbd0;
        disk /dev/mapper/backing;
        meta-disk internal;
    }}
{hosts}}}
"""


_UNIT = """[Unit]
Description=Seatrial lab: this server of the NFS pair
After=seatrial-lab-network.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/etc/seatrial-lab/pair.sh up
ExecStop=/etc/seatrial-lab/pair.sh down
StandardOutput=journal+console
StandardError=journal+console
"""
