"""A host of OpenStack: its compute service is disabled and its servers are live-migrated, its agents are switched off. Pure.

The mark of who disabled is the service's reason, which begins with `seatrial`; an agent has no reason, so its description is
the mark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seatrial.ha.byapi import api_command, round_of, standing
from seatrial.ha.pooled import Hands, PoolStanding
from seatrial.model.command import Command, Output
from seatrial.model.fleet import Group
from seatrial.model.managed import OpenstackMover

_SCRIPT = "openstack_move"
_PACKAGE = "python3-openstacksdk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Openstack:
    """Disable, migrate, enable."""

    name: str = "openstack"

    def look(self, group: Group, *, whole: bool = True) -> Mapping[str, tuple[Command, ...]]:
        """The services, agents and servers of each host."""
        mover = _mover(group)
        return {mover.source_vantage: (api_command(mover, _SCRIPT, "look", _spec(mover, *group.hosts)),)}

    def glance(self, group: Group) -> Mapping[str, tuple[Command, ...]]:
        """The same."""
        return self.look(group, whole=False)

    def read(self, group: Group, answers: Mapping[str, Sequence[Output]]) -> PoolStanding:
        """What the cloud says of each host."""
        mover = _mover(group)
        migrate = (
            (lambda host: (api_command(mover, _SCRIPT, "migrate", _spec(mover, host)),))
            if mover.compute
            else None
        )
        hands = Hands(
            place=mover.source_vantage,
            shut=lambda host: (api_command(mover, _SCRIPT, "disable", _spec(mover, host)),),
            open=lambda host: (api_command(mover, _SCRIPT, "enable", _spec(mover, host)),),
            empty=migrate,
            round=round_of(mover),
        )
        outputs = answers.get(mover.source_vantage, ())
        return standing(mover, group.hosts, outputs, hands, what=f"cloud {mover.cloud}", package=_PACKAGE)

    def carriers(self, group: Group, answers: Mapping[str, Sequence[Output]]) -> frozenset[str] | None:
        """The hosts that take servers or still have some."""
        return self.read(group, answers).carriers


def _spec(mover: OpenstackMover, *hosts: str) -> dict[str, Any]:
    return {
        "cloud": mover.cloud,
        "clouds_file": mover.clouds_file,
        "machines": [mover.names.get(host, host) for host in hosts],
        "compute": mover.compute,
        "agents": list(mover.agents),
        "why": "a kernel is to be tried",
    }


def _mover(group: Group) -> OpenstackMover:
    assert isinstance(group.mover, OpenstackMover)
    return group.mover
