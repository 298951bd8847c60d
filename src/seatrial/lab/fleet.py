"""The fleet file of the topology `gateway`: what that platform promises to carry, written down as an operator would.

The lab and the rehearsal share it, so that a rehearsal is about the very platform that the lab boots. What is not in:
how a place is reached, which the caller says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import yaml

from seatrial.lab.gateway import DOMAIN, HTTP_PORT, PRODUCTION, STAGES, StageAddresses
from seatrial.lab.topology import YIELD_FILE, Topology

_HEAD = """\
# The platform of the lab: a gateway in staging, a pair in production, and what they promise to carry.
# Written by seatrial; all addresses are documentation addresses (RFC 5737).
"""

# How the probes of each flow differ; `large` is a packet that fills the link and may not be taken apart.
_KINDS: Mapping[str, Mapping[str, object]] = {
    "tcp": {"protocol": "tcp"},
    "udp": {"protocol": "udp"},
    "icmp": {"protocol": "icmp"},
    "large": {"protocol": "udp", "size": 1500, "df": True},
}


_PAIR = {
    "hosts": list(PRODUCTION.routers),
    "mover": {"driver": "keepalived", "address": PRODUCTION.wan_gateway, "yield_file": YIELD_FILE},
}


def fleet_text(
    topology: Topology,
    reach: Callable[[str], Mapping[str, object]],
    *,
    guard: str = "10m",
    checks: bool = True,
    approval: bool = False,
) -> str:
    """The fleet file's text for a topology of gateways. `reach` says how a host or an endpoint is reached, by its name.

    `approval` makes production wait for a person. Without `checks` only flows are asked.
    """
    stages = [stage for stage in STAGES if any(host.stage == stage.stage for host in topology.hosts)]
    fleet: dict[str, Any] = {
        "version": 1,
        "name": "gateway-lab",
        "stages": [
            {"name": stage.stage, **({"gate": "approval"} if approval and stage is PRODUCTION else {})}
            for stage in stages
        ],
        "hosts": {
            host.name: {"stage": host.stage, "roles": [host.role], "reach": dict(reach(host.name))}
            for host in topology.hosts
        },
        "groups": {"gw-p": _PAIR} if PRODUCTION in stages else {},
        "vantages": {endpoint.name: dict(reach(endpoint.name)) for endpoint in topology.endpoints},
        "flows": {name: flow for stage in stages for name, flow in _flows(stage).items()},
        "checks": {name: check for stage in stages for name, check in _checks(stage).items()}
        if checks
        else {},
        "policies": {"gateway": {"guard": guard, "reboot": "10m", "probes": 32, "rate": 400}},
    }
    return _HEAD + yaml.safe_dump(fleet, sort_keys=False, allow_unicode=True, width=120)


def _flows(stage: StageAddresses) -> dict[str, dict[str, object]]:
    wanted = [
        ("vm-private", "outside", stage.outside, ("tcp", "udp", "icmp", "large")),
        ("vm-private", "services", stage.services, ("tcp", "udp")),
        ("vm-public", "outside", stage.outside, ("tcp", "udp", "icmp", "large")),
        ("outside", "vm-public", stage.vm_public, ("tcp", "udp", "icmp")),
        ("services", "vm-public", stage.vm_public, ("tcp",)),
    ]
    flows: dict[str, dict[str, object]] = {}
    port = 7000
    for sender, receiver, address, kinds in wanted:
        for kind in kinds:
            flow: dict[str, object] = {
                "stage": stage.stage,
                "from": f"{stage.short}-{sender}",
                "to": f"{stage.short}-{receiver}",
                "address": address,
                **_KINDS[kind],
                "by": stage.routers[0] if len(stage.routers) == 1 else "gw-p",
            }
            if kind != "icmp":
                port += 1
                flow["port"] = port
            if sender == "vm-private":
                flow["source"] = stage.wan_gateway
            flows[f"{stage.short}-{sender.removeprefix('vm-')}-to-{receiver.removeprefix('vm-')}-{kind}"] = (
                flow
            )
    return flows


def _checks(stage: StageAddresses) -> dict[str, dict[str, object]]:
    here = {"stage": stage.stage, "from": f"{stage.short}-vm-private", "timeout": "3s"}
    return {
        f"{stage.short}-dns": {
            **here,
            "kind": "dns",
            "server": stage.services,
            "name": f"www.{DOMAIN}",
            "expect": stage.services,
        },
        f"{stage.short}-http": {**here, "kind": "http", "url": f"http://{stage.services}:{HTTP_PORT}/"},
        f"{stage.short}-next-hop": {**here, "kind": "ping", "address": stage.lan_gateway},
    }
