# ruff: noqa: D103
"""A list of OpenStack, asked from a vantage by OpenStack's own client library there.

What is in: servers and services of Nova and agents of Neutron, each with what tells whether it works. The way to the
cloud and its passwords are in the clouds.yaml of the vantage and stay there. It runs with any Python 3.7 or newer that
has the library `openstack`. What is not in: any judgement.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
import time
from typing import Any

from seatrial.onhost.openstack_login import (
    with_cloud,
)

MOST = 10000


def listed(spec: dict[str, Any], cloud: Any) -> dict[str, Any]:
    if spec["ask"] == "servers":
        # All projects is asked for only where it is wanted: others are not allowed even to say no to it.
        more = {"all_projects": True} if spec.get("all_projects") else {}
        rows = map(server, cloud.compute.servers(details=True, **more))
    elif spec["ask"] == "agents":
        rows = map(agent, cloud.network.agents())
    else:
        rows = map(service, cloud.compute.services())
    found = list(itertools.islice(rows, MOST + 1))
    return {"rows": found} if len(found) <= MOST else {"error": "there are more than 10000 of them"}


def server(one: Any) -> dict[str, Any]:
    fault = getattr(one, "fault", None)
    return {
        "name": text(one.name) or text(one.id),
        "host": text(getattr(one, "compute_host", None)),
        "other_host": text(getattr(one, "hypervisor_hostname", None)),
        "state": text(one.status),
        "address": first_address(getattr(one, "addresses", None)),
        "why": text(fault.get("message")) if isinstance(fault, dict) else "",
    }


def first_address(networks: Any) -> str:
    rows = [row for rows in (networks or {}).values() for row in rows if isinstance(row, dict)]
    # A floating address is reached from more places than one of a project's own network.
    rows.sort(key=lambda row: row.get("OS-EXT-IPS:type") != "floating")
    return text(rows[0].get("addr")) if rows else ""


def agent(one: Any) -> dict[str, Any]:
    return {
        "name": text(one.binary),
        "host": text(one.host),
        "state": "alive" if one.is_alive else "dead",
        "off": not one.is_admin_state_up,
        "why": "last heard of at " + text(one.last_heartbeat_at),
    }


def service(one: Any) -> dict[str, Any]:
    return {
        "name": text(one.binary),
        "host": text(one.host),
        "state": text(one.state),
        "off": one.status != "enabled",
        "why": text(getattr(one, "disabled_reason", None) or getattr(one, "disables_reason", None)),
    }


def why(error: Exception) -> str:
    # The libraries speak in sentences; what Python itself says is nothing without its name.
    own = type(error).__module__.startswith(("openstack", "keystoneauth"))
    return (str(error) if own else type(error).__name__ + ": " + str(error))[:500]


def text(value: Any) -> str:
    return "" if value is None else str(value)[:200]


def main(words: list[str]) -> int:
    began = time.monotonic()
    with contextlib.redirect_stdout(sys.stderr):
        try:
            spec = json.loads(words[0])
            answer = with_cloud(spec, lambda cloud: listed(spec, cloud))
        except Exception as error:
            answer = {
                "error": why(error),
                "status": int(getattr(error, "http_status", 0) or getattr(error, "status_code", 0) or 0),
            }
    answer["seconds"] = round(time.monotonic() - began, 4)
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
