"""What a guest with a management card and nothing special runs for its network at every boot, and to mount an export.

What is not in: the gateways' VRF and firewall (gateway.py has them).
"""

from __future__ import annotations

from seatrial.lab.topology import Nic


def network_script(nics: tuple[Nic, ...], then: str) -> str:
    """What the host's network unit runs at every boot. Names come from the order of the cards on the PCI bus."""
    lines = [
        "link set lo up",
        "link set eth0 name mgmt0",
        "address add 10.0.2.15/24 dev mgmt0",
        "link set mgmt0 up",
    ]
    for index, nic in enumerate(nics, start=1):
        lines += [f"link set eth{index} name {nic.name}"]
        lines += [f"address add {address} dev {nic.name}" for address in nic.addresses]
        lines += [f"link set {nic.name} up"]
    batch = "\n".join(lines)
    return f"#!/bin/sh\nip -force -batch - <<'LINKS'\n{batch}\nLINKS\n{then}\n"


def mount_script(server: str, export: str, at: str) -> str:
    """What mounts an export at a client's boot.

    The first attempt may be too early, so mount goes on in the background; a login is better after it, but not much later.
    """
    return (
        f"mkdir -p {at}\n"
        f"mount -t nfs4 -o vers=4.2,hard,bg,retry=1000 {server}:{export} {at} &\n"
        f"for second in $(seq 60); do ! mountpoint -q {at} || break; sleep 1; done"
    )
