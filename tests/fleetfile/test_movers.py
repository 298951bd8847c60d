"""Mistakes in movers and exports, each told at its place with the nearest right name."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.errors import InputError
from seatrial.fleetfile import parse

EXAMPLE = (Path(__file__).parents[2] / "examples" / "movers" / "fleet.yaml").read_text()


def told(old: str, new: str) -> str:
    assert old in EXAMPLE
    with pytest.raises(InputError) as wrong:
        parse(EXAMPLE.replace(old, new, 1), filename="f")
    return str(wrong.value)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("driver: kubernetes", "driver: kubernets", "groups.workers.mover.driver: 'kubernets' is not a driver"),
        ("from: ops\n      context", "from: opps\n      context", "groups.workers.mover.from: 'opps' is not a vantage or host; did you mean 'ops'?"),
        ("{db-1: db-1.example.test, db-2", "{db-3: db-1.example.test, db-2", "groups.databases.mover.names.db-3: 'db-3' is not a host of group 'databases'"),
        ('lbctl, depool, "{host}"', "lbctl, depool, web-1", "groups.webs.mover.depool: no word of it has `{host}`"),
        ("agents: [neutron-openvswitch-agent]", "compute: false", "`compute` or `agents` is wanted"),
        ("resource: db-clone", "resource: -r", "groups.databases.mover.resource"),
        ("group: shares", "group: share", "exports.tools.group: 'share' is not a group or host; did you mean 'shares'?"),
        ("command: [/usr/local/bin/list-exports, --project, tools]", "timeout: 10s", "either `file` or `command` is wanted"),
        ("under: [/srv/volume]", "under: [/srv/../etc]", "a path without . and .. is wanted"),
        ("under: [/srv/volume]", "into: /etc/exports", "exports.tools.into"),
        ('ends_with: "# end"', 'ends_with: "# end"\n    format: json', "goes with lines"),
        ("exports:\n", "exports:\n  others: {group: shares, file: /etc/wanted}\n", "exports 'others' are written into the same file of shares"),
        ("removals: {most: 5, share: 10}", "removals: {most: -1}", "exports.tools.removals.most"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_at_its_place(old: str, new: str, what: str) -> None:
    assert what in told(old, new)
