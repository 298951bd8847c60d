"""Are the machines of a Kubernetes cluster ready? What is not in: what runs on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from seatrial.checks.asked import made, unknown
from seatrial.checks.platform.library import Told, library_command, no_list
from seatrial.checks.reading import Said, Words, clean, understood, why_not
from seatrial.model.check.platform import KubernetesCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result

MOST_TOLD = 5
MOST_SHOWN = 50


class Machine(Said):
    """One machine of the cluster; `ready` is True, False or Unknown as Kubernetes says it, or nothing."""

    name: Words
    ready: Words
    reason: Words
    wrong: list[Words] = Field(max_length=50)
    unschedulable: bool
    kernel: Words
    kubelet: Words


class Machines(Told):
    """The list of them."""

    machines: list[Machine] = Field(default_factory=list, max_length=20000)


def commands(check: KubernetesCheck) -> tuple[Command, ...]:
    """One list, page by page."""
    spec = {"kubeconfig": check.kubeconfig, "context": check.context}
    return (
        library_command(
            "kubernetes.machines",
            "kubernetes_machines",
            spec,
            python=check.python,
            timeout=check.timeout,
        ),
    )


def judge(name: str, check: KubernetesCheck, outputs: Sequence[Output]) -> Result:
    """PASS when each is ready, under no pressure and, where that is wanted, runs the kernel; one that takes no new pods is told of."""
    output = outputs[0] if outputs else None
    if why := why_not(output, check.source_vantage):
        return unknown(name, check, why)
    assert output is not None
    told = understood(Machines, output, check.source_vantage)
    if isinstance(told, str):
        return unknown(name, check, (told, ""))
    if why := no_list(told, check.source_vantage, check.subjects[0], "python3-kubernetes"):
        return unknown(name, check, why)
    if not told.machines:
        return unknown(
            name, check, (f"{check.subjects[0]} has no nodes", "look whether it is the right cluster")
        )
    there = {one.name: one for one in told.machines}
    looked_at = [there[one] for one in check.wanted if one in there] if check.wanted else told.machines
    wrong = [f"{one} is not in the cluster" for one in check.wanted if one not in there]
    wrong += [sentence for one in looked_at if (sentence := _wrong(check, one))]
    cordoned = [one.name for one in looked_at if one.unschedulable]
    aside = f"; no new pods on {', '.join(cordoned[:MOST_TOLD])}" if cordoned else ""
    evidence: dict[str, Any] = {
        "nodes": len(looked_at),
        "wrong": [clean(one) for one in wrong[:MOST_SHOWN]],
        "unschedulable": cordoned[:MOST_SHOWN],
        "versions": [
            {"node": one.name, "kernel": one.kernel, "kubelet": one.kubelet} for one in looked_at[:MOST_SHOWN]
        ],
    }
    if wrong:
        more = f" and {len(wrong) - MOST_TOLD} more" if len(wrong) > MOST_TOLD else ""
        because = f"{'; '.join(wrong[:MOST_TOLD])}{more}{aside}"
        return made(name, check, Outcome.FAIL, because, seconds=told.seconds, evidence=evidence)
    count = "1 node is" if len(looked_at) == 1 else f"{len(looked_at)} nodes are"
    because = f"{count} ready{aside}"
    return made(name, check, Outcome.PASS, because, seconds=told.seconds, evidence=evidence)


def _wrong(check: KubernetesCheck, one: Machine) -> str:
    if one.ready != "True":
        # Unknown is Kubernetes' word for a machine that it has not heard of for a while.
        state = "has not been heard of" if one.ready == "Unknown" else "is not ready"
        return f"{one.name} {state}{': ' if one.reason else ''}{clean(one.reason, 120)}"
    if one.wrong:
        return f"{one.name} has {', '.join(one.wrong[:MOST_TOLD])}"
    if check.kernel is not None and one.kernel != check.kernel:
        return f"{one.name} runs {one.kernel or 'an unknown kernel'}, not {check.kernel}"
    return ""
