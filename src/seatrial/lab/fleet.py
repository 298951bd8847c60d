"""The fleet file of the topology `gateway`: what that platform promises to carry, written down as an operator would.

The lab and the rehearsal share it, so that a rehearsal is about the very platform that the lab boots. What is not in:
how a place is reached, which the caller says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import yaml

from seatrial.lab import services
from seatrial.lab.gateway import DOMAIN, HTTP_PORT, PRODUCTION, STAGES, VRF, StageAddresses
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
    home: str = "",
) -> str:
    """The fleet file's text for a topology of gateways. `reach` says how a host or an endpoint is reached, by its name.

    `approval` makes production wait for a person. Without `checks` only flows are asked. `home` is the directory of a
    lab that is up, where the certificates of its services are.
    """
    stages = [stage for stage in STAGES if any(host.stage == stage.stage for host in topology.hosts)]
    further = any(program.name == "ldap" for place in topology.endpoints for program in place.programs)
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
        "flows": {name: flow for stage in stages for name, flow in _flows(stage, further).items()},
        "checks": {
            name: check
            for stage in stages
            for name, check in (_further_checks(stage, home) if further else _checks(stage)).items()
        }
        if checks
        else {},
        # Every host of the lab has the candidate installed and waits for its trial: that is what the lab is for.
        "accepted": [
            {
                "finding": "boot.installed",
                "why": "the candidate is there to be tried",
                "who": "the lab",
            }
        ],
        "policies": {"gateway": {"guard": guard, "reboot": "10m", "probes": 32, "rate": 400}},
    }
    return _HEAD + yaml.safe_dump(fleet, sort_keys=False, allow_unicode=True, width=120)


def _flows(stage: StageAddresses, further: bool) -> dict[str, dict[str, object]]:
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
            if further:
                flow["over"] = [VRF]
            flows[f"{stage.short}-{sender.removeprefix('vm-')}-to-{receiver.removeprefix('vm-')}-{kind}"] = (
                flow
            )
    return {**flows, **_translated_in(stage, port)} if further else flows


def _translated_in(stage: StageAddresses, port: int) -> dict[str, dict[str, object]]:
    """The flows to the floating address that is translated to a VM's private one."""
    return {
        f"{stage.short}-outside-to-translated-{kind}": {
            "stage": stage.stage,
            "from": f"{stage.short}-outside",
            "to": f"{stage.short}-vm-public",
            "address": stage.vm_translated,
            "protocol": kind,
            "port": port + number,
            "by": "gw-p",
            "lands": stage.vm_public_lan,
            "over": [VRF],
        }
        for number, kind in enumerate(("tcp", "udp"), start=1)
    }


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


def _further_checks(stage: StageAddresses, home: str) -> dict[str, dict[str, object]]:
    """The checks of a stage with all services, each with the flow whose way it takes."""
    short, at = stage.short, stage.services
    found = _checks(stage)
    found[f"{short}-dns"]["along"] = f"{short}-private-to-services-udp"
    found[f"{short}-http"]["along"] = f"{short}-private-to-services-tcp"
    here = {
        "stage": stage.stage,
        "from": f"{short}-vm-private",
        "timeout": "3s",
        "along": f"{short}-private-to-services-tcp",
    }
    found[f"{short}-ldap"] = {
        **here,
        "kind": "ldap",
        "url": f"ldap://{at}",
        "base": services.BASE,
        "filter": "(uid=alice)",
    }
    found[f"{short}-nfs"] = {**here, "kind": "nfs", "address": at, "path": services.EXPORT}
    routers = {"stage": stage.stage, "timeout": "5s"}
    found[f"{short}-owner"] = {
        **routers,
        "kind": "vrrp",
        "hosts": list(stage.routers),
        "address": stage.wan_gateway,
    }
    for index, router in enumerate(stage.routers):
        found[f"{short}-vrf-{router}"] = {
            **routers,
            "kind": "vrf",
            "from": router,
            "vrf": VRF,
            "interfaces": ["lan0", "wan0"],
            # The flows are evidence about the router that carries them, which is the first one.
            **({"over": [VRF]} if index == 0 else {}),
        }
    if home:
        folder = f"{home}/{short}-services-tls"
        found[f"{short}-tls"] = {
            **here,
            "kind": "tls",
            "name": f"www.{DOMAIN}",
            "address": at,
            "ca": f"{folder}/ca.pem",
            "file": f"{folder}/tls.pem",
            "with": f"{short}-services",
            "expires": "14d",
        }
    return found
