"""Machines of a Kubernetes cluster: cordoned and drained by the eviction API, and uncordoned. Pure.

The mark of who cordoned is an annotation (`seatrial/cordoned`): a machine that somebody else has cordoned is neither filled
again nor taken for one that was left over by a controller that died.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seatrial.ha.byapi import api_command, round_of, standing
from seatrial.ha.pooled import Hands, PoolStanding
from seatrial.model.command import Command, Output
from seatrial.model.fleet import Group
from seatrial.model.managed import KubernetesMover

_SCRIPT = "kubernetes_move"
_PACKAGE = "python3-kubernetes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubernetes:
    """Cordon, drain, uncordon."""

    name: str = "kubernetes"

    def look(self, group: Group, *, whole: bool = True) -> Mapping[str, tuple[Command, ...]]:
        """Each machine and the pods on it that would have to go; budgets and policies only for the whole of it."""
        mover = _mover(group)
        spec = {**_spec(mover, *group.hosts), "whole": whole}
        return {mover.source_vantage: (api_command(mover, _SCRIPT, "look", spec),)}

    def glance(self, group: Group) -> Mapping[str, tuple[Command, ...]]:
        """Without the budgets."""
        return self.look(group, whole=False)

    def read(self, group: Group, answers: Mapping[str, Sequence[Output]]) -> PoolStanding:
        """What the cluster says of each machine."""
        mover = _mover(group)
        hands = Hands(
            place=mover.source_vantage,
            shut=lambda host: (api_command(mover, _SCRIPT, "cordon", _spec(mover, host)),),
            open=lambda host: (api_command(mover, _SCRIPT, "uncordon", _spec(mover, host)),),
            empty=lambda host: (api_command(mover, _SCRIPT, "drain", _spec(mover, host)),),
            round=round_of(mover),
        )
        outputs = answers.get(mover.source_vantage, ())
        what = f"kubernetes {mover.context or 'of ' + mover.source_vantage}"
        return standing(mover, group.hosts, outputs, hands, what=what, package=_PACKAGE)

    def carriers(self, group: Group, answers: Mapping[str, Sequence[Output]]) -> frozenset[str] | None:
        """The machines that take pods or still have some."""
        return self.read(group, answers).carriers


def _spec(mover: KubernetesMover, *hosts: str) -> dict[str, Any]:
    return {
        "kubeconfig": mover.kubeconfig,
        "context": mover.context,
        "machines": [mover.names.get(host, host) for host in hosts],
        "empty_dir": mover.empty_dir,
        "bare": mover.bare,
        "why": "a kernel is to be tried",
    }


def _mover(group: Group) -> KubernetesMover:
    assert isinstance(group.mover, KubernetesMover)
    return group.mover
