"""The real client library of Kubernetes, asked by the real script, about the machines of a served list."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seatrial.model.result import Outcome, Result

from .apis import TOKEN, Kubernetes, kubeconfig, machine
from .asked import asked
from .served import certificate

PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN
OLD = "6.1.0-47-amd64"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    yield certificate(tmp_path_factory.mktemp("tls"))


async def cluster(folder: Path, tls: tuple[Path, Path], api: Kubernetes, **declared: Any) -> Result:
    with api.serving(tls) as url:
        file = kubeconfig(folder, url, tls[0])
        declared = {"kubeconfig": str(file), "python": sys.executable, "timeout": "60s", **declared}
        return await asked({"kind": "kubernetes", **declared})


@pytest.mark.parametrize(
    ("machines", "declared", "outcome", "because"),
    [
        ([machine("w1"), machine("w2")], {}, PASS, "2 nodes are ready"),
        (
            [machine("w1"), machine("w2", unschedulable=True)],
            {},
            PASS,
            "2 nodes are ready; no new pods on w2",
        ),
        (
            [machine("w1"), machine("w2", ready="False")],
            {},
            FAIL,
            "w2 is not ready: container runtime is down",
        ),
        (
            [machine("w1", ready="Unknown")],
            {},
            FAIL,
            "w1 has not been heard of: Kubelet stopped posting node status.",
        ),
        ([machine("w1", wrong="DiskPressure")], {}, FAIL, "w1 has DiskPressure"),
        ([machine("w1"), machine("w2", ready="False")], {"nodes": ["w1"]}, PASS, "1 node is ready"),
        ([machine("w1")], {"nodes": ["w1", "w9"]}, FAIL, "w9 is not in the cluster"),
        (
            [machine("w1"), machine("w2", kernel=OLD)],
            {"kernel": "6.1.0-56-amd64"},
            FAIL,
            f"w2 runs {OLD}, not 6.1.0-56-amd64",
        ),
        ([], {}, UNKNOWN, "kubernetes of here has no nodes"),
    ],
    ids=str,
)
async def test_a_cluster_is_judged_by_what_its_machines_say(
    tmp_path: Path,
    tls: tuple[Path, Path],
    machines: list[dict[str, Any]],
    declared: dict[str, Any],
    outcome: Outcome,
    because: str,
) -> None:
    result = await cluster(tmp_path, tls, Kubernetes(*machines), **declared)
    assert (result.outcome, result.because) == (outcome, because)


async def test_a_large_cluster_comes_in_pages_and_all_of_them_count(
    tmp_path: Path, tls: tuple[Path, Path]
) -> None:
    machines = [machine(f"w{number}") for number in range(250)] + [machine("last", ready="False")]
    api = Kubernetes(*machines, page=100)
    result = await cluster(tmp_path, tls, api)
    assert (result.outcome, result.evidence["nodes"]) == (FAIL, 251)
    assert len(api.asked) == 3
    assert result.evidence["versions"][0] == {"node": "w0", "kernel": "6.1.0-56-amd64", "kubelet": "v1.31.2"}


async def test_who_may_not_ask_is_told_so(tmp_path: Path, tls: tuple[Path, Path]) -> None:
    result = await cluster(tmp_path, tls, Kubernetes(machine("w1")), context="nobody")
    assert (result.outcome, result.because) == (UNKNOWN, "kubernetes nobody does not answer: Unauthorized")
    assert "login" in result.hint
    assert TOKEN not in str(result)


async def test_what_cannot_be_asked_is_unknown_and_says_what_to_do(
    tmp_path: Path, tls: tuple[Path, Path]
) -> None:
    wrong = await cluster(tmp_path, tls, Kubernetes(), context="no-such")
    assert wrong.outcome is UNKNOWN
    assert "no-such" in wrong.because
    assert wrong.hint == "look at the configuration on here"
    file = kubeconfig(tmp_path, "https://127.0.0.1:9", tls[0])
    gone = await asked(
        {"kind": "kubernetes", "kubeconfig": str(file), "python": sys.executable, "timeout": "60s"}
    )
    assert (gone.outcome, "refused" in gone.because) == (UNKNOWN, True)


async def test_another_ca_is_not_believed(tmp_path: Path, tls: tuple[Path, Path]) -> None:
    other, _ = certificate(tmp_path)
    with Kubernetes(machine("w1")).serving(tls) as url:
        file = kubeconfig(tmp_path, url, other)
        result = await asked(
            {"kind": "kubernetes", "kubeconfig": str(file), "python": sys.executable, "timeout": "60s"}
        )
    assert (result.outcome, "certificate" in result.because) == (UNKNOWN, True)


async def test_a_python_without_the_library_says_which_package_has_it(tmp_path: Path) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S -I "$@"\n')
    bare.chmod(0o755)
    result = await asked({"kind": "kubernetes", "python": str(bare), "timeout": "60s"})
    assert (result.outcome, result.because) == (UNKNOWN, "here has no Python library kubernetes")
    assert result.hint.startswith("apt install python3-kubernetes")
