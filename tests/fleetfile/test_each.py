"""A check that is declared once for a role is asked on each of its hosts."""

from __future__ import annotations

import pytest

from seatrial.errors import InputError
from seatrial.fleetfile.parsing import parse

FLEET = """\
version: 1
name: f
stages: [{name: staging}, {name: production}]
hosts:
  s1: {stage: staging, roles: [gateway], reach: {ssh: s1}}
  p1: {stage: production, roles: [gateway, dns], reach: {ssh: p1}}
  p2: {stage: production, roles: [dns], reach: {ssh: p2}}
checks:
  kernel: {kind: kernel, %s}
"""


def test_each_host_of_the_role_asks_for_its_own_stage() -> None:
    fleet = parse(FLEET % "each: gateway", filename="f")
    assert {name: (one.source_vantage, one.stage, one.each) for name, one in fleet.checks.items()} == {
        "kernel@s1": ("s1", "staging", None),
        "kernel@p1": ("p1", "production", None),
    }
    assert list(fleet.checks_of("staging")) == ["kernel@s1"]
    assert fleet.checks["kernel@p1"].subjects[0] == "p1"


def test_a_stage_that_is_given_stays() -> None:
    fleet = parse(FLEET % "each: dns, stage: staging", filename="f")
    assert {one.stage for one in fleet.checks.values()} == {"staging"}


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ("each: gatewy", "f:9:32: checks.kernel.each: 'gatewy' is not a role; did you mean 'gateway'?"),
        (
            "each: dns, from: p1",
            "f:9:43: checks.kernel.from: one of from and each is wanted: a vantage, or a role whose hosts ask",
        ),
        (
            "timeout: 3s",
            "f:9:3: checks.kernel.from: one of from and each is wanted: a vantage, or a role whose hosts ask",
        ),
    ],
)
def test_who_asks_is_said_once(keys: str, line: str) -> None:
    with pytest.raises(InputError) as raised:
        parse(FLEET % keys, filename="f")
    assert raised.value.message == line
