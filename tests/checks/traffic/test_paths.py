"""Routes, owners of addresses and tables of connections of real kernels, in namespaces. VRFs are real in the lab."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from seatrial.checks import registry
from seatrial.model.check import Check
from seatrial.model.command import Output, Trouble
from seatrial.model.result import Outcome, Result

from ..conftest import World

PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN


def check_of(**declared: Any) -> Check:
    check: Check = TypeAdapter(Check).validate_python(declared)
    return check


def asked(world: World, dead: str = "", **declared: Any) -> Result:
    """A check as it is asked in the namespaces; nobody reaches `dead`."""
    check = check_of(**declared)
    outputs = [
        Output(command=command, status=None, trouble=Trouble.TIMEOUT, problem="timed out")
        if place == dead
        else world.run(place, command)
        for place, command in registry.ask(check)
    ]
    return registry.judge("it", check, outputs)


@pytest.mark.parametrize("address", ["203.0.113.137", "2001:db8:3::137"])
def test_a_virtual_address_has_one_owner_and_not_none_and_not_two(world: World, address: str) -> None:
    check: dict[str, Any] = {"kind": "vrrp", "hosts": ("near", "far"), "address": address}
    length = 128 if ":" in address else 32
    nobody = asked(world, **check)
    world.shell("near", f"ip address add {address}/{length} dev near")
    one, hidden = asked(world, **check), asked(world, dead="far", **check)
    elsewhere = asked(world, **check, interface="lo")
    world.shell("far", f"ip address add {address}/{length} dev far")
    two = asked(world, **check)
    world.shell("near", f"ip address del {address}/{length} dev near")
    moved = asked(world, **check)
    assert [(result.outcome, result.because) for result in (nobody, one, hidden, two, moved)] == [
        (FAIL, f"nobody has {address}: not near and not far"),
        (PASS, f"near has {address}, and nobody else"),
        (UNKNOWN, f"near has {address}, but far did not answer: timed out"),
        (FAIL, f"near and far both have {address}"),
        (PASS, f"far has {address}, and nobody else"),
    ]
    assert elsewhere.because == f"nobody has {address} on lo: not near and not far"


def test_two_owners_are_known_although_a_third_host_is_silent(world: World) -> None:
    for place in ("near", "far"):
        world.shell(place, f"ip address add 203.0.113.137/32 dev {place}")
    result = asked(
        world, dead="router", kind="vrrp", hosts=("near", "router", "far"), address="203.0.113.137"
    )
    assert (result.outcome, result.because) == (FAIL, "near and far both have 203.0.113.137")


@pytest.mark.parametrize(
    ("change", "outcome", "said"),
    [
        ({"via": ("192.0.2.1",), "interface": "near"}, PASS, "by 192.0.2.1 on near from 192.0.2.2"),
        ({"via": ("192.0.2.7", "192.0.2.1")}, PASS, "by 192.0.2.1 on near from 192.0.2.2"),
        ({"via": ("192.0.2.7",)}, FAIL, "by 192.0.2.1 on near from 192.0.2.2, not by 192.0.2.7"),
        ({"interface": "wan0"}, FAIL, "by 192.0.2.1 on near from 192.0.2.2, not on wan0"),
        ({"own": "192.0.2.9"}, FAIL, "by 192.0.2.1 on near from 192.0.2.2, not from 192.0.2.9"),
        ({"source": "192.0.2.2", "own": "192.0.2.2"}, PASS, "by 192.0.2.1 on near from 192.0.2.2"),
    ],
)
def test_the_way_that_the_kernel_would_take_is_compared(
    world: World, change: dict[str, Any], outcome: Outcome, said: str
) -> None:
    result = asked(world, kind="route", **{"from": "near"}, address="198.51.100.9", **change)
    assert (result.outcome, result.because) == (outcome, f"near to 198.51.100.9: {said}")


def test_ways_of_ipv6_and_ways_that_lead_nowhere_are_told(world: World) -> None:
    world.shell("near", "ip route add blackhole 203.0.113.0/25; ip route add prohibit 203.0.113.128/25")
    world.shell("near", "ip -6 route add unreachable 2001:db8:3::/48")
    six: dict[str, Any] = {"kind": "route", "from": "near", "via": ("2001:db8:1::1",)}
    four: dict[str, Any] = {"kind": "route", "from": "near"}
    results = [
        asked(world, **six, address="2001:db8:2::9", own="2001:db8:1::2"),
        asked(world, **six, address="2001:db8:1::7"),
        asked(world, **six, address="2001:db8:3::7"),
        asked(world, **four, address="192.0.2.7"),
        asked(world, **four, address="203.0.113.7"),
        asked(world, **four, address="203.0.113.207"),
        asked(world, **four, address="203.0.113.207", vrf="vrf-gw"),
    ]
    assert [(result.outcome, result.because.removeprefix("near to ")) for result in results] == [
        (PASS, "2001:db8:2::9: by 2001:db8:1::1 on near from 2001:db8:1::2"),
        (FAIL, "2001:db8:1::7: directly on near from 2001:db8:1::2, not by 2001:db8:1::1"),
        (FAIL, "2001:db8:3::7: the route says unreachable"),
        (PASS, "192.0.2.7: directly on near from 192.0.2.2"),
        (FAIL, "203.0.113.7: the route is a black hole, or the source is not the host's"),
        (FAIL, "203.0.113.207: the route says prohibited"),
        (FAIL, "203.0.113.207 in vrf-gw: there is no VRF vrf-gw"),
    ]


def test_an_interface_that_is_in_no_vrf_is_told(world: World) -> None:
    check: dict[str, Any] = {
        "kind": "vrf",
        "from": "router",
        "vrf": "vrf-gw",
        "interfaces": ("router", "router9"),
    }
    nothing = asked(world, **check)
    world.shell("router", "ip link add vrf-gw type bridge; ip link set router master vrf-gw")
    bridge = asked(world, **check)
    assert [(result.outcome, result.because) for result in (nothing, bridge)] == [
        (FAIL, "router: there is no vrf-gw; router is in no VRF, not in vrf-gw; there is no router9"),
        (FAIL, "router: vrf-gw is no VRF; there is no router9"),
    ]


def test_the_table_of_connections_says_how_full_it_is_and_who_is_translated(world: World) -> None:
    world.nft(
        "table ip nat { chain post { type nat hook postrouting priority 100; "
        "ip daddr 198.51.100.9 snat to 198.51.100.1; }\n}\n"
    )
    entry = {"protocol": "icmp", "address": "198.51.100.9", "source": "192.0.2.2"}
    check: dict[str, Any] = {"kind": "conntrack", "from": "router"}
    before = asked(world, **check, entry=entry)
    world.shell("near", "ping -n -q -c 1 -W 60 198.51.100.9; ping -n -q -c 1 -W 60 2001:db8:2::9")
    use = asked(world, **check)
    translated = asked(world, **check, entry={**entry, "translated": "198.51.100.1"})
    other = asked(world, **check, entry={**entry, "translated": "198.51.100.7"})
    six = asked(world, **check, entry={"protocol": "icmpv6", "address": "2001:db8:2::9"})
    full = asked(world, **check, most=0.0)
    what = "icmp from 192.0.2.2 to 198.51.100.9"
    assert (before.outcome, before.because) == (FAIL, f"router knows no connection {what}")
    assert use.outcome is PASS
    assert use.because == (f"router knows {use.evidence['count']} of {use.evidence['max']} connections (0 %)")
    assert use.evidence["count"] >= 2
    assert use.evidence["insert_failed"] == 0
    assert (translated.outcome, translated.because) == (
        PASS,
        f"router knows 1 connection {what}, translated to 198.51.100.1",
    )
    assert (other.outcome, other.because) == (
        FAIL,
        f"router knows 1 connection {what}, but answers go to 198.51.100.1, not to 198.51.100.7",
    )
    assert (six.outcome, six.because) == (PASS, "router knows 1 connection icmpv6 to 2001:db8:2::9")
    assert (full.outcome, full.hint[:6]) == (FAIL, "sysctl")


@pytest.mark.parametrize(
    ("declared", "key"),
    [
        ({"kind": "route", "from": "vm", "address": "192.0.2.1", "via": ("2001:db8::1",)}, "via"),
        ({"kind": "vrrp", "hosts": ("a", "a"), "address": "192.0.2.1"}, "hosts"),
        (
            {
                "kind": "conntrack",
                "from": "vm",
                "entry": {"protocol": "icmp", "address": "192.0.2.1", "port": 7},
            },
            "port",
        ),
        (
            {
                "kind": "conntrack",
                "from": "vm",
                "entry": {"protocol": "tcp", "address": "192.0.2.1", "translated": "2001:db8::1"},
            },
            "translated",
        ),
    ],
)
def test_a_declaration_that_cannot_be_asked_names_its_key(declared: dict[str, Any], key: str) -> None:
    with pytest.raises(ValidationError) as caught:
        check_of(**declared)
    (error,) = caught.value.errors()
    assert error["ctx"]["key"] == key
