"""The real client library of Kubernetes against a served API: drained with budgets, refused, turned round, and put back.

The server answers as the documented API does (policy/v1 evictions with 429 for a budget); no real cluster is in reach here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seatrial.clock import SystemClock
from seatrial.engine import failover
from seatrial.ha import byapi
from seatrial.ha.drivers import driver_of
from seatrial.journal.store import Journal
from seatrial.model.failover import Ending, FailoverState
from seatrial.model.fleet import Fleet, Reach
from seatrial.perform.world import World
from seatrial.vantage.open import open_vantage
from seatrial.vantage.pool import Pool
from tests.checks.platform.apis import TOKEN, Api, kubeconfig, machine
from tests.checks.platform.served import certificate


def pod(name: str, on: str, *, owner: str = "ReplicaSet", app: str = "", **more: Any) -> dict[str, Any]:
    """A Pod as `kubectl get pod -o json` shows it, in what matters here."""
    owners = [{"kind": owner, "name": "r", "controller": True}] if owner else []
    return {
        "metadata": {
            "name": name,
            "namespace": "prod",
            "labels": {"app": app or name},
            "ownerReferences": owners,
            **more.pop("metadata", {}),
        },
        "spec": {"nodeName": on, "volumes": more.pop("volumes", [])},
        "status": {"phase": more.pop("phase", "Running")},
    }


class Cluster(Api):
    """Nodes, their pods, and one budget: `allowed` evictions of `guarded` pods, after that 429."""

    def __init__(self, *pods: dict[str, Any], guarded: str = "", allowed: int = 0, later: int = 0) -> None:
        super().__init__()
        self.machines = {name: machine(name) for name in ("w1", "w2")}
        self.pods = {one["metadata"]["name"]: one for one in pods}
        self.guarded, self.allowed, self.later = guarded, allowed, later
        self.refused = 0
        self.patched: list[tuple[str, Any]] = []

    def answer(
        self, method: str, path: str, words: dict[str, str], headers: Any, body: Any
    ) -> tuple[int, Any, dict[str, str]]:
        if headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, status("Unauthorized", 401), {}
        parts = path.strip("/").split("/")
        if path == "/api/v1/pods":
            on = words["fieldSelector"].partition("=")[2]
            return 200, listed(one for one in self.pods.values() if one["spec"]["nodeName"] == on), {}
        if path == "/apis/policy/v1/poddisruptionbudgets":
            return 200, listed(self.budgets()), {}
        if parts[:3] == ["api", "v1", "nodes"] and parts[3] in self.machines:
            return self.node(method, parts[3], headers, body)
        if method == "POST" and parts[-1] == "eviction":
            return self.evict(parts[-2])
        return 404, status("the server could not find the requested resource", 404), {}

    def node(self, method: str, name: str, headers: Any, body: Any) -> tuple[int, Any, dict[str, str]]:
        if method == "PATCH":
            self.patched.append((headers["Content-Type"], body))
            one = self.machines[name]
            shut = body["spec"]["unschedulable"]
            one["spec"] = {"unschedulable": True} if shut else {}
            one["metadata"]["annotations"] = {
                key: value for key, value in body["metadata"]["annotations"].items() if value is not None
            }
        return 200, self.machines[name], {}

    def budgets(self) -> Iterator[dict[str, Any]]:
        if self.guarded:
            yield {
                "metadata": {"name": "guard", "namespace": "prod"},
                "spec": {"selector": {"matchLabels": {"app": self.guarded}}},
                "status": {"disruptionsAllowed": self.allowed},
            }

    def evict(self, name: str) -> tuple[int, Any, dict[str, str]]:
        if name not in self.pods:
            return 404, status("not found", 404), {}
        if self.pods[name]["metadata"]["labels"]["app"] == self.guarded:
            self.later -= 1
            if self.later >= 0:
                self.refused += 1
                return (
                    429,
                    status("Cannot evict pod as it would violate the pod's disruption budget.", 429),
                    {},
                )
        del self.pods[name]
        return 201, status("", 201), {}


def listed(items: Any) -> dict[str, Any]:
    return {"kind": "List", "apiVersion": "v1", "metadata": {}, "items": list(items)}


def status(message: str, code: int) -> dict[str, Any]:
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code}


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("tls"))


async def moved(
    folder: Path, tls: tuple[Path, Path], cluster: Cluster, *goals: dict[str, str], **mover: Any
) -> list[FailoverState]:
    """Failovers one after the other, with the real engine, script and library."""
    with cluster.serving(tls) as url:
        file = kubeconfig(folder, url, tls[0])
        declared = {
            "driver": "kubernetes",
            "from": "ops",
            "kubeconfig": str(file),
            "python": sys.executable,
            "names": {"worker-1": "w1", "worker-2": "w2"},
            **mover,
        }
        host = {"stage": "s", "roles": ["worker"], "reach": {"simulated": True}}
        fleet = Fleet.model_validate_json(
            json.dumps(
                {
                    "version": 1,
                    "name": "f",
                    "stages": [{"name": "s"}],
                    "hosts": {"worker-1": host, "worker-2": host},
                    "vantages": {"ops": {"local": True}},
                    "groups": {"workers": {"hosts": ["worker-1", "worker-2"], "mover": declared}},
                }
            )
        )
        place = open_vantage("ops", Reach(local=True), Pool())
        world = World(fleet=fleet, places={"ops": place}, clock=SystemClock())
        journal = Journal(f"sqlite:///{folder / 'journal.db'}")
        states = []
        for goal in goals:
            name = await failover.begin(journal, world, "workers", by="ada", **goal)
            states.append(await failover.run(journal, world, name))
        assert TOKEN not in str(journal.read())
        return states


AWAY, BACK = {"away": "worker-1", "to": "worker-2"}, {"to": "worker-1"}


async def test_a_machine_is_drained_but_for_what_belongs_to_it_and_put_back(
    tmp_path: Path, tls: tuple[Path, Path]
) -> None:
    cluster = Cluster(
        pod("web-1", "w1"),
        pod("web-2", "w2"),
        pod("log", "w1", owner="DaemonSet"),
        pod("static", "w1", owner="Node", metadata={"annotations": {"kubernetes.io/config.mirror": "x"}}),
        pod("job", "w1", owner="Job", phase="Succeeded"),
        pod("db-0", "w1", owner="StatefulSet", app="db"),
        guarded="db",
        allowed=1,
        later=1,
    )
    away, back = await moved(tmp_path, tls, cluster, AWAY, BACK)
    assert (away.outcome, set(cluster.pods)) == (Ending.MOVED, {"web-2", "log", "static", "job"})
    assert cluster.refused == 1, "the budget said not now, and was asked again"
    assert back.outcome == Ending.MOVED
    assert cluster.machines["w1"]["spec"] == {} and cluster.machines["w1"]["metadata"]["annotations"] == {}
    assert len(cluster.patched) == 2
    assert all("merge-patch" in kind for kind, _ in cluster.patched)


@pytest.mark.parametrize(
    ("pods", "more", "because"),
    [
        ([pod("bare", "w1", owner="")], {}, "prod/bare: nothing manages it"),
        (
            [pod("cache", "w1", volumes=[{"name": "v", "emptyDir": {}}])],
            {},
            "prod/cache: it keeps data in an emptyDir",
        ),
        (
            [pod("db-0", "w1", app="db")],
            {"guarded": "db"},
            "prod/db-0: the budget guard allows no disruption now",
        ),
    ],
)
async def test_what_would_be_lost_or_is_guarded_is_refused_before_anything_is_changed(
    tmp_path: Path, tls: tuple[Path, Path], pods: list[dict[str, Any]], more: dict[str, Any], because: str
) -> None:
    cluster = Cluster(*pods, **more)
    (state,) = await moved(tmp_path, tls, cluster, AWAY)
    assert state.outcome == Ending.REFUSED
    assert because in state.because
    assert not cluster.patched and len(cluster.pods) == len(pods)


async def test_what_the_policies_allow_to_be_lost_goes(tmp_path: Path, tls: tuple[Path, Path]) -> None:
    cluster = Cluster(
        pod("bare", "w1", owner=""), pod("cache", "w1", volumes=[{"name": "v", "emptyDir": {}}])
    )
    (state,) = await moved(tmp_path, tls, cluster, AWAY, bare="delete", empty_dir="delete")
    assert (state.outcome, cluster.pods) == (Ending.MOVED, {})


async def test_a_budget_that_never_yields_ends_the_drain_in_time_and_the_machine_takes_pods_again(
    tmp_path: Path, tls: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster(pod("db-0", "w1", app="db"), pod("web", "w1"), guarded="db", allowed=1, later=10_000)
    (state,) = await moved(tmp_path, tls, cluster, AWAY, timeout="1s")
    assert state.outcome == Ending.BACK
    assert "still on worker-1: prod/db-0" in state.because
    assert "disruption budget" in state.because
    assert cluster.machines["w1"]["spec"] == {}


async def test_a_machine_that_somebody_else_cordoned_or_that_is_not_ready_is_no_place_to_go(
    tmp_path: Path, tls: tuple[Path, Path]
) -> None:
    cluster = Cluster(pod("web", "w1"))
    cluster.machines["w2"] = machine("w2", unschedulable=True)
    (state,) = await moved(tmp_path, tls, cluster, AWAY)
    assert (state.outcome, "shut by somebody else" in state.because) == (Ending.REFUSED, True)
    cluster.machines["w2"] = machine("w2", ready="False")
    (state,) = await moved(tmp_path, tls, cluster, AWAY)
    assert (state.outcome, state.because) == (
        Ending.REFUSED,
        "worker-2 is not well: nothing may be moved onto it",
    )
    del cluster.machines["w2"]
    (state,) = await moved(tmp_path, tls, cluster, AWAY)
    assert (state.outcome, "does not know worker-2" in state.because) == (Ending.REFUSED, True)


async def test_a_missing_library_and_a_wrong_login_say_so_in_one_sentence(
    tmp_path: Path, tls: tuple[Path, Path]
) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S -I "$@"\n')
    bare.chmod(0o755)
    (state,) = await moved(tmp_path, tls, Cluster(), AWAY, python=str(bare))
    assert (state.outcome, state.because) == (Ending.REFUSED, "ops has no Python library kubernetes")
    assert state.end_hint.startswith("apt install python3-kubernetes")
    (state,) = await moved(tmp_path, tls, Cluster(), AWAY, context="nobody")
    assert (state.outcome, "Unauthorized" in state.because) == (Ending.REFUSED, True)
    assert "login" in state.end_hint


def test_a_round_is_shorter_than_what_a_command_may_take() -> None:
    host = {"stage": "s", "roles": ["w"], "reach": {"simulated": True}}
    fleet = {
        "version": 1,
        "name": "f",
        "stages": [{"name": "s"}],
        "hosts": {"w1": host, "w2": host},
        "vantages": {"ops": {"local": True}},
        "groups": {"w": {"hosts": ["w1", "w2"], "mover": {"driver": "kubernetes", "from": "ops"}}},
    }
    group = Fleet.model_validate_json(json.dumps(fleet)).groups["w"]
    ((command,),) = driver_of(group).look(group).values()
    assert command.timeout > byapi.ROUND + byapi.REQUEST
