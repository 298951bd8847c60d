# ruff: noqa: D101, D102, D103
"""A host of OpenStack, looked at, disabled, emptied by live migration and enabled by OpenStack's own client library.

What is in: one verb a run. `migrate` asks for a live migration of each server that is not on its way, and asks again for
those that came to nothing, until none is left or its round is over; who takes a server is Nova's choice. What is not in:
deciding. It runs with any Python 3.7 or newer that has the library `openstack`.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from typing import Any

from seatrial.onhost.openstack_login import (
    with_cloud,
)

MOST = 5000
MARK = "seatrial: "
PAUSE = 2.0
# What Nova can live-migrate; all others stay and say so.
MOVABLE = ("ACTIVE", "PAUSED")
GOING = ("MIGRATING",)


class Cloud:
    def __init__(self, cloud: Any, spec: dict[str, Any]) -> None:
        self.cloud = cloud
        self.spec = spec

    def service(self, host: str) -> Any:
        found = [
            one for one in self.cloud.compute.services(host=host, binary="nova-compute") if one.host == host
        ]
        return found[0] if found else None

    def agents(self, host: str) -> list[Any]:
        every = self.cloud.network.agents(host=host) if self.spec["agents"] else []
        return [one for one in every if one.host == host and one.binary in self.spec["agents"]]

    def servers(self, host: str) -> list[Any]:
        if not self.spec["compute"]:
            return []
        found = []
        # Not host=: the library hands that on as well, and then finds no server whose own `host`, which Nova does not
        # say, is the same. An empty list would be taken for an empty host.
        for one in self.cloud.compute.servers(details=True, all_projects=True, compute_host=host):
            if getattr(one, "compute_host", None) == host:
                found.append(one)
            if len(found) > MOST:
                break
        return found


def look(cloud: Cloud, spec: dict[str, Any]) -> dict[str, Any]:
    return {"machines": [told(cloud, host) for host in spec["machines"]]}


def told(cloud: Cloud, host: str) -> dict[str, Any]:
    service = cloud.service(host) if cloud.spec["compute"] else None
    agents = cloud.agents(host)
    missing = set(cloud.spec["agents"]) - {one.binary for one in agents}
    if (cloud.spec["compute"] and service is None) or missing:
        return {"name": host, "absent": True}
    reasons = [text(getattr(one, "description", None)) for one in agents if not one.is_admin_state_up]
    ready = all(one.is_alive for one in agents)
    if service is not None:
        ready = ready and service.state == "up"
        if service.status != "enabled":
            reasons.append(
                text(getattr(service, "disabled_reason", None) or getattr(service, "disables_reason", None))
            )
    servers = cloud.servers(host)
    held = {
        called(one): "it is " + text(one.status) + ", which is not live-migrated"
        for one in servers
        if one.status not in MOVABLE + GOING
    }
    return {
        "name": host,
        "ready": ready,
        "shut": bool(reasons),
        "ours": bool(reasons) and all(reason.startswith(MARK) for reason in reasons),
        "reason": next((reason for reason in reasons if not reason.startswith(MARK)), ""),
        "left": [called(one) for one in servers],
        "held": held,
    }


def called(server: Any) -> str:
    return text(server.name) or text(server.id)


def disable(cloud: Cloud, spec: dict[str, Any]) -> dict[str, Any]:
    host = spec["machines"][0]
    service = cloud.service(host) if spec["compute"] else None
    if service is not None and service.status == "enabled":
        cloud.cloud.compute.disable_service(service, host, "nova-compute", disabled_reason=MARK + spec["why"])
    for agent in cloud.agents(host):
        if agent.is_admin_state_up:
            cloud.cloud.network.update_agent(agent, admin_state_up=False, description=MARK + spec["why"])
    return {}


def enable(cloud: Cloud, spec: dict[str, Any]) -> dict[str, Any]:
    host = spec["machines"][0]
    for agent in cloud.agents(host):
        if not agent.is_admin_state_up:
            cloud.cloud.network.update_agent(agent, admin_state_up=True, description="")
    service = cloud.service(host) if spec["compute"] else None
    if service is not None and service.status != "enabled":
        cloud.cloud.compute.enable_service(service, host, "nova-compute")
    return {}


def migrate(cloud: Cloud, spec: dict[str, Any]) -> dict[str, Any]:
    host = spec["machines"][0]
    ends = time.monotonic() + spec["round"]
    asked: set[str] = set()
    while True:
        servers = cloud.servers(host)
        refused = {}
        for one in servers:
            if one.status in GOING or one.id in asked:
                continue
            if one.status not in MOVABLE:
                refused[called(one)] = "it is " + text(one.status) + ", which is not live-migrated"
                continue
            try:
                cloud.cloud.compute.live_migrate_server(one, host=None, block_migration="auto")
                # Asked once a round: one that comes to nothing is asked for again in the next.
                asked.add(one.id)
            except Exception as error:
                refused[called(one)] = why(error)
            if time.monotonic() > ends:
                break
        if not servers or time.monotonic() + PAUSE > ends:
            return {"asked": len(asked), "left": len(servers), "refused": refused}
        time.sleep(PAUSE)


def answer_of(verb: str, spec: dict[str, Any]) -> dict[str, Any]:
    return with_cloud(spec, lambda cloud: dict(VERBS[verb](Cloud(cloud, spec), spec)))


def why(error: Exception) -> str:
    # The libraries speak in sentences; what Python itself says is nothing without its name.
    own = type(error).__module__.startswith(("openstack", "keystoneauth"))
    return (str(error) if own else type(error).__name__ + ": " + str(error))[:500]


def text(value: Any) -> str:
    return "" if value is None else str(value)[:200]


def main(words: list[str]) -> int:
    with contextlib.redirect_stdout(sys.stderr):
        try:
            answer = answer_of(words[0], json.loads(words[1]))
        except Exception as error:
            status = int(getattr(error, "http_status", 0) or getattr(error, "status_code", 0) or 0)
            answer = {"error": why(error), "status": status}
    sys.stdout.write(json.dumps(answer) + "\n")
    refused = answer.get("refused") or {}
    trouble = answer.get("error") or next((key + ": " + said for key, said in refused.items()), "")
    if words[0] != "look" and (trouble or "missing" in answer):
        sys.stderr.write((trouble or "there is no Python library " + str(answer["missing"])) + "\n")
        return 1
    return 0


VERBS: dict[str, Any] = {"look": look, "disable": disable, "enable": enable, "migrate": migrate}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
