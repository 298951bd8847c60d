"""A small platform for the tests of what is said about a round: flows over a pair of gateways, and checks beside them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from seatrial.fleetfile import parse_bytes
from seatrial.model.fleet import Fleet
from seatrial.model.observation import FlowCount
from seatrial.model.result import Outcome, Result

OUTER = "203.0.113.9"
ADDRESSES = {"outside": "198.51.100.9", "dns": "198.51.100.53", "vm-public": "203.0.113.20"}
SENDERS = {**ADDRESSES, "vm-private": "192.0.2.2"}

FLOWS: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "private-tcp": ("vm-private", "outside", "tcp", {"source": OUTER}),
    "private-udp": ("vm-private", "outside", "udp", {"source": OUTER}),
    "private-ping": ("vm-private", "outside", "icmp", {"source": OUTER}),
    "private-dns": ("vm-private", "dns", "udp", {"source": OUTER}),
    "private-large": ("vm-private", "outside", "udp", {"source": OUTER, "size": 1500, "df": True}),
    "public-tcp": ("vm-public", "outside", "tcp", {}),
    "public-dns": ("vm-public", "dns", "udp", {}),
    "public-large": ("vm-public", "outside", "udp", {"size": 1500, "df": True}),
    "inbound-tcp": ("outside", "vm-public", "tcp", {}),
    "inbound-ping": ("outside", "vm-public", "icmp", {}),
}
FLOATING: dict[str, dict[str, Any]] = {
    name: {"lands": "192.0.2.20"} for name in ("inbound-tcp", "inbound-ping")
}
PRIVATE = ("private_tcp", "private_udp", "private_ping", "private_dns", "private_large")
NO_ANSWER = {"answered": 0}
NEVER = {"arrived": 0, "answered": 0, "sources": {}, "carried": {"gw-s1": 0, "gw-s2": 0}}
BEHIND = {"arrived": 0, "answered": 0, "sources": {}}


def fleet(
    checks: Mapping[str, Mapping[str, Any]] | None = None, more: Mapping[str, Mapping[str, Any]] | None = None
) -> Fleet:
    """The platform with these checks, and `more` keys for some flows."""
    flows = {}
    for number, (name, (start, end, protocol, keys)) in enumerate(FLOWS.items()):
        flows[name] = {
            "stage": "staging", "from": start, "to": end, "by": "gateways", "protocol": protocol,
            "address": ADDRESSES[end], **keys, **(more or {}).get(name, {}),
        }  # fmt: skip
        if protocol != "icmp":
            flows[name]["port"] = 7000 + number
    host = {"stage": "staging", "roles": ["gateway"], "reach": {"simulated": True}}
    declared = {
        "version": 1,
        "name": "cloud",
        "stages": [{"name": "staging"}],
        "hosts": {"gw-s1": host, "gw-s2": host},
        "groups": {"gateways": {"hosts": ["gw-s1", "gw-s2"], "mover": {"address": "192.0.2.1"}}},
        "vantages": {name: {"simulated": True} for name in SENDERS},
        "flows": flows,
        "checks": dict(checks or {}),
    }
    return parse_bytes(json.dumps(declared).encode(), filename="fleet.yaml")


def counts(**spoiled: dict[str, Any]) -> list[FlowCount]:
    """All is well, but for the flows that are named, with `_` for `-`."""
    made = []
    for name, (start, _, _, keys) in FLOWS.items():
        source = keys.get("source", SENDERS[start])
        usual: dict[str, Any] = {
            "sent": 32, "asked": 32, "arrived": 32, "answered": 32, "sources": {source: 32},
            "carried": {"gw-s1": 32, "gw-s2": 0}, "sender": SENDERS[start],
        }  # fmt: skip
        made.append(FlowCount(flow=name, **{**usual, **spoiled.get(name.replace("-", "_"), {})}))
    return made


def spoil(names: Iterable[str], how: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The same for several flows, as `counts` wants it."""
    return {name.replace("-", "_"): how for name in names}


def answer(check: str, outcome: Outcome = Outcome.PASS, because: str = "", **evidence: Any) -> Result:
    """What a check said."""
    return Result(check=check, outcome=outcome, because=because or outcome.value, evidence=evidence)
