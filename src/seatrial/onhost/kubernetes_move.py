# ruff: noqa: D101, D102, D103
"""Machines of a Kubernetes cluster, looked at, cordoned, drained and uncordoned by the cluster's own client library.

What is in: one verb a run. `look` says of each machine whether it takes pods and what is on it that would have to go; `drain`
evicts through the eviction API, so that budgets hold, and tries what was refused (429) again until its round is over. Pods of
a DaemonSet, mirror pods and those that have ended stay where they are, as with `kubectl drain`. What is not in: deciding.
It runs with any Python 3.7 or newer that has the library `kubernetes`.
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
MOST = 5000
MARK = "seatrial/cordoned"
MIRROR = "kubernetes.io/config.mirror"
PAUSE = 2.0


class Cluster:
    def __init__(self, library: Any, connection: Any, spec: dict[str, Any]) -> None:
        self.spec = spec
        self.core = library.client.CoreV1Api(connection)
        self.policy = library.client.PolicyV1Api(connection)
        self.connection = connection
        self.refusal = library.client.ApiException

    def get(self, call: Any, *words: Any, **more: Any) -> dict[str, Any]:
        # The library's own objects refuse what newer servers send, so the JSON is read.
        answer = call(*words, _request_timeout=self.spec["timeout"], _preload_content=False, **more)
        return dict(json.loads(answer.data))

    def pages(self, call: Any, **more: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        further = None
        while True:
            page = self.get(call, limit=PAGE, _continue=further, **more)
            found += page["items"]
            further = (page.get("metadata") or {}).get("continue")
            if not further or len(found) > MOST:
                return found

    def machine(self, name: str) -> dict[str, Any]:
        return self.get(self.core.read_node, name)

    def pods(self, name: str) -> list[dict[str, Any]]:
        every = self.pages(self.core.list_pod_for_all_namespaces, field_selector="spec.nodeName=" + name)
        return [pod for pod in every if has_to_go(pod)]

    def budgets(self) -> list[dict[str, Any]]:
        return self.pages(self.policy.list_pod_disruption_budget_for_all_namespaces)

    def cordon(self, name: str, on: bool) -> None:
        said = {"spec": {"unschedulable": True if on else None}}
        note = {"metadata": {"annotations": {MARK: self.spec["why"] if on else None}}}
        self.core.patch_node(
            name, {**said, **note}, _request_timeout=self.spec["timeout"], _preload_content=False
        )

    def evict(self, pod: dict[str, Any]) -> str:
        meta = pod["metadata"]
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": meta["name"], "namespace": meta["namespace"]},
        }
        try:
            self.core.create_namespaced_pod_eviction(
                meta["name"],
                meta["namespace"],
                body,
                _request_timeout=self.spec["timeout"],
                _preload_content=False,
            )
        except self.refusal as error:
            # 404: it has gone by itself. 429: a budget says not now.
            if error.status == 404:
                return ""
            return why(error)
        return ""


def has_to_go(pod: dict[str, Any]) -> bool:
    meta = pod["metadata"]
    owners = [owner.get("kind") for owner in meta.get("ownerReferences") or [] if owner.get("controller")]
    ended = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
    return not (MIRROR in (meta.get("annotations") or {}) or "DaemonSet" in owners or ended)


def called(pod: dict[str, Any]) -> str:
    return str(pod["metadata"]["namespace"])[:100] + "/" + str(pod["metadata"]["name"])[:200]


def held(pod: dict[str, Any], budgets: list[dict[str, Any]], spec: dict[str, Any]) -> str:
    owners = pod["metadata"].get("ownerReferences") or []
    volumes = (pod.get("spec") or {}).get("volumes") or []
    if spec["bare"] == "refuse" and not any(owner.get("controller") for owner in owners):
        return "nothing manages it, so it would not come back (`bare`)"
    if spec["empty_dir"] == "refuse" and any("emptyDir" in volume for volume in volumes):
        return "it keeps data in an emptyDir, which it would lose (`empty_dir`)"
    for budget in budgets:
        same = budget["metadata"]["namespace"] == pod["metadata"]["namespace"]
        meant = same and chosen(pod, (budget.get("spec") or {}).get("selector"))
        if meant and not (budget.get("status") or {}).get("disruptionsAllowed"):
            return "the budget " + str(budget["metadata"]["name"])[:200] + " allows no disruption now"
    return ""


def chosen(pod: dict[str, Any], selector: Any) -> bool:
    if selector is None:
        return False
    labels = pod["metadata"].get("labels") or {}
    wanted = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    for rule in selector.get("matchExpressions") or []:
        key, values = rule["key"], rule.get("values") or []
        holds = {
            "In": labels.get(key) in values,
            "NotIn": labels.get(key) not in values,
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }
        if not holds.get(rule["operator"], True):
            return False
    return True


def look(cluster: Cluster, spec: dict[str, Any]) -> dict[str, Any]:
    budgets = cluster.budgets() if spec.get("whole") else []
    return {"machines": [told(cluster, name, budgets, spec) for name in spec["machines"]]}


def told(cluster: Cluster, name: str, budgets: list[dict[str, Any]], spec: dict[str, Any]) -> dict[str, Any]:
    try:
        item = cluster.machine(name)
    except cluster.refusal as error:
        if error.status != 404:
            raise
        return {"name": name, "absent": True}
    conditions = (item.get("status") or {}).get("conditions") or []
    ready = next((c.get("status") for c in conditions if c.get("type") == "Ready"), "")
    shut = bool((item.get("spec") or {}).get("unschedulable"))
    mark = (item["metadata"].get("annotations") or {}).get(MARK)
    pods = cluster.pods(name)
    reasons = {called(pod): held(pod, budgets, spec) for pod in pods} if spec.get("whole") else {}
    return {
        "name": name,
        "ready": ready == "True",
        "shut": shut,
        "ours": mark is not None,
        "left": [called(pod) for pod in pods][:MOST],
        "held": {key: value for key, value in reasons.items() if value},
    }


def drain(cluster: Cluster, spec: dict[str, Any]) -> dict[str, Any]:
    """Until nothing is left or the round is over. What the policies keep is never evicted, whoever asked for it."""
    name = spec["machines"][0]
    ends = time.monotonic() + spec["round"]
    evicted: set[str] = set()
    refused: dict[str, str] = {}
    while True:
        pods = cluster.pods(name)
        refused = {}
        for pod in pods:
            going = (pod["metadata"].get("deletionTimestamp") or "") != ""
            stays = held(pod, [], spec)
            if stays:
                refused[called(pod)] = stays
            elif not going:
                said = cluster.evict(pod)
                evicted.add(called(pod))
                if said:
                    refused[called(pod)] = said
                    evicted.discard(called(pod))
            if time.monotonic() > ends:
                break
        if not pods or time.monotonic() + PAUSE > ends:
            return {"evicted": sorted(evicted)[:MOST], "left": len(pods), "refused": refused}
        time.sleep(PAUSE)


def cordon(cluster: Cluster, spec: dict[str, Any]) -> dict[str, Any]:
    cluster.cordon(spec["machines"][0], True)
    return {}


def uncordon(cluster: Cluster, spec: dict[str, Any]) -> dict[str, Any]:
    cluster.cordon(spec["machines"][0], False)
    return {}


def answer_of(verb: str, spec: dict[str, Any]) -> dict[str, Any]:
    return with_cluster(
        spec, lambda library, connection: dict(VERBS[verb](Cluster(library, connection, spec), spec))
    )


def main(words: list[str]) -> int:
    # A login program that a kubeconfig names may print; standard output is for the answer alone.
    with contextlib.redirect_stdout(sys.stderr):
        try:
            answer = answer_of(words[0], json.loads(words[1]))
        except Exception as error:
            answer = {"error": why(error), "status": int(getattr(error, "status", 0) or 0)}
    sys.stdout.write(json.dumps(answer) + "\n")
    # A deed that did not work ends so, with its reason where people look for it.
    refused = answer.get("refused") or {}
    trouble = answer.get("error") or next((key + ": " + said for key, said in refused.items()), "")
    if words[0] != "look" and (trouble or "missing" in answer):
        sys.stderr.write((trouble or "there is no Python library " + str(answer["missing"])) + "\n")
        return 1
    return 0


VERBS: dict[str, Any] = {"look": look, "drain": drain, "cordon": cordon, "uncordon": uncordon}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
