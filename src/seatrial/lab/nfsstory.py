"""The fleet of the story of 2017: an NFS pair whose kernel is upgraded, standby first, and whose candidate is slow under load.

What is in: the fleet file for a rollout on the topology `nfs-pair`: the two servers are its hosts, the clients are where the
load comes from. What is not: the platform (nfspair.py) and the fault (scenario.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import yaml

from seatrial.lab.nfspair import CLIENTS, EXPORT, GROUP, MOUNT, SERVERS, SERVICE, STAGE, mover

_HEAD = """\
# The NFS pair of the lab as a rollout sees it: two servers, standby first, and clients that work on what they serve.
# Written by seatrial; all addresses are documentation addresses (RFC 5737).
"""
_LOADED = "disk.dm-0.latency"


def nfs_story_fleet(
    reach: Callable[[str], Mapping[str, object]], *, guard: str = "10m", simulated: bool = False
) -> str:
    """The fleet file's text. `reach` says how a place is reached; `simulated`: with what a simulated platform can answer."""
    client = next(iter(CLIENTS))
    measure: dict[str, Any] = {
        "series": [_LOADED],
        "baseline": "90s",
        "least": "45s",
        "most": "10m",
        "load": {"of": "nfsd.calls", "least": 5},
        "drive": ["files"],
        "min_effect": 3.0,
    }
    checks: dict[str, Any] = {
        "nfs": {"kind": "nfs", "from": "nfs-asker", "address": SERVICE, "path": EXPORT, "retries": 3},
        # After a move the clients' own recovery is waited for, which is at most the lease and then the grace.
        "share": {"kind": "share", "from": client, "path": MOUNT, "timeout": "60s", "retries": 3},
    }
    if simulated:
        del checks["share"]
        measure = {
            "series": ["disk.vda.latency"],
            "baseline": "4m",
            "least": "2m",
            "most": "10m",
            "load": {"of": "disk.vda.ops", "least": 20},
        }
    fleet: dict[str, Any] = {
        "version": 1,
        "name": "nfs-pair-lab",
        "stages": [{"name": STAGE}],
        "hosts": {name: {"stage": STAGE, "roles": ["nfs"], "reach": dict(reach(name))} for name in SERVERS},
        "groups": {GROUP: {"hosts": list(SERVERS), "mover": mover()}},
        "vantages": {name: dict(reach(name)) for name in (*CLIENTS, "nfs-asker")},
        "checks": checks,
        "policies": {"nfs": {"guard": guard, "reboot": "10m", "measure": measure}},
    }
    if not simulated:
        fleet["loads"] = {
            "files": {
                "kind": "share",
                "from": client,
                "path": MOUNT,
                "rate": 6,
                "size": 4096,
                "threads": 2,
            }
        }
    return _HEAD + yaml.safe_dump(fleet, sort_keys=False, allow_unicode=True, width=120)
