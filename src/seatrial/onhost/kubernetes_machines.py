# ruff: noqa: D103
"""The machines of a Kubernetes cluster, asked from a vantage by the cluster's own client library there.

What is in: a kubeconfig or the account of a pod, the list page by page, and of each machine what tells whether it can
work. It runs with any Python 3.7 or newer that has the library `kubernetes`. What is not in: any judgement.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from typing import Any

from seatrial.onhost.kubernetes_login import (
    why,
    with_cluster,
)

PAGE = 500
MOST = 10000


def machines(spec: dict[str, Any]) -> dict[str, Any]:
    return with_cluster(
        spec, lambda library, connection: listed(library.client.CoreV1Api(connection), float(spec["timeout"]))
    )


def listed(api: Any, timeout: float) -> dict[str, Any]:
    found: list[dict[str, Any]] = []
    further = None
    while True:
        # The library's own objects refuse what newer servers send (an image without a name), so the JSON is read.
        answer = api.list_node(
            limit=PAGE, _continue=further, _request_timeout=timeout, _preload_content=False
        )
        page = json.loads(answer.data)
        found += [machine(item) for item in page["items"]]
        further = (page.get("metadata") or {}).get("continue")
        if not further:
            return {"machines": found}
        if len(found) >= MOST:
            return {"error": "there are more than 10000 machines"}


def machine(item: dict[str, Any]) -> dict[str, Any]:
    status = item.get("status") or {}
    info = status.get("nodeInfo") or {}
    told: dict[str, Any] = {
        "name": item["metadata"]["name"],
        "unschedulable": bool((item.get("spec") or {}).get("unschedulable")),
        "kernel": info.get("kernelVersion", "")[:200],
        "kubelet": info.get("kubeletVersion", "")[:200],
        "ready": "",
        "reason": "",
        "wrong": [],
        "address": "",
        "roles": [],
    }
    for address in (status.get("addresses") or [])[:20]:
        if address.get("type") == "InternalIP" and not told["address"]:
            told["address"] = str(address.get("address", ""))[:100]
    for label in item["metadata"].get("labels") or {}:
        if label.startswith("node-role.kubernetes.io/") and len(told["roles"]) < 20:
            told["roles"].append(label.partition("/")[2][:63])
    for condition in (status.get("conditions") or [])[:50]:
        kind, state = str(condition.get("type", ""))[:100], str(condition.get("status", ""))[:20]
        if kind == "Ready":
            said = str(condition.get("message") or "").strip() or str(condition.get("reason") or "")
            told["ready"], told["reason"] = state, "" if state == "True" else said[:300]
        # What others add means what they like; of the cluster's own conditions all but Ready are troubles.
        elif state == "True" and (kind.endswith("Pressure") or kind == "NetworkUnavailable"):
            told["wrong"].append(kind)
    return told


def main(words: list[str]) -> int:
    began = time.monotonic()
    # A login program that a kubeconfig names may print; standard output is for the answer alone.
    with contextlib.redirect_stdout(sys.stderr):
        try:
            answer = machines(json.loads(words[0]))
        except Exception as error:
            answer = {"error": why(error), "status": int(getattr(error, "status", 0) or 0)}
    answer["seconds"] = round(time.monotonic() - began, 4)
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
