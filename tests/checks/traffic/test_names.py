"""Names as real servers know them: two nsd that answer for a zone, and an unbound that asks them for its clients."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from seatrial.model.check import Check
from seatrial.model.result import Outcome

from ...vantage.grounds import free_port
from .servers import ask, serving

PASS, FAIL = Outcome.PASS, Outcome.FAIL

NSD = """
server:
    ip-address: 127.0.0.1@{port}
    ip-address: 127.0.0.2@{port}
    ip-address: ::1@{port}
    username: ""
    chroot: ""
    zonesdir: "{room}"
    pidfile: "{room}/nsd.pid"
    database: ""
    xfrdfile: "{room}/xfrd"
    xfrdir: "{room}"
    zonelistfile: "{room}/zones"
    logfile: "{room}/nsd.log"
    server-count: 1
remote-control:
    control-enable: no
zone:
    name: example.org
    zonefile: zone
"""

ZONE = """
$ORIGIN example.org.
$TTL 60
@ SOA ns hostmaster {serial} 1200 180 1209600 600
@ NS ns
ns A 192.0.2.53
www A 192.0.2.80
www A 192.0.2.81
www AAAA 2001:db8::80
web CNAME www
"""

UNBOUND = """
server:
    interface: 127.0.0.1
    interface: ::1
    port: {port}
    username: ""
    chroot: ""
    directory: "{room}"
    pidfile: "{room}/unbound.pid"
    use-syslog: no
    do-daemonize: no
    num-threads: 1
    module-config: "iterator"
    do-not-query-localhost: no
    root-hints: "/dev/null"
    access-control: 127.0.0.0/8 {access}
    access-control: ::1/128 allow_snoop
remote-control:
    control-enable: no
stub-zone:
    name: example.org
    stub-addr: 127.0.0.1@{zone}
"""


def zone_server(room: Path, serial: int, port: int) -> list[str]:
    """The command line of an nsd with the zone of that serial."""
    room.mkdir()
    (room / "zone").write_text(ZONE.format(serial=serial))
    (room / "nsd.conf").write_text(NSD.format(room=room, port=port))
    return ["nsd", "-d", "-c", str(room / "nsd.conf")]


@pytest.fixture
def named(tmp_path: Path) -> Iterator[dict[str, int]]:
    """Ports: of the zone's servers, of one that asks them, and of one that refuses to."""
    zone, asks, refuses = free_port(), free_port(), free_port()
    with ExitStack() as all_of_them:
        all_of_them.enter_context(serving(zone_server(tmp_path / "zone", 7, zone), tmp_path / "log", zone))
        for port, access in ((asks, "allow"), (refuses, "refuse")):
            room = tmp_path / access
            room.mkdir()
            (room / "conf").write_text(UNBOUND.format(room=room, port=port, zone=zone, access=access))
            argv = ["unbound", "-d", "-c", str(room / "conf")]
            all_of_them.enter_context(serving(argv, tmp_path / "log", port))
        yield {"zone": zone, "asks": asks, "refuses": refuses}


def test_servers_are_asked_in_the_role_that_they_have(named: dict[str, int]) -> None:
    zone = {"kind": "dns", "server": "127.0.0.1", "name": "www.example.org", "port": named["zone"]}
    asks = {**zone, "port": named["asks"]}
    both = "192.0.2.80, 192.0.2.81"
    results = ask(
        zone={**zone, "authoritative": True, "expect": "192.0.2.81"},
        zone_over_tcp={**zone, "authoritative": True, "transport": "tcp"},
        zone_over_six={**zone, "authoritative": True, "server": "::1", "type": "AAAA"},
        zone_as_recursive={**zone, "recursive": True},
        asks={**asks, "recursive": True},
        asks_over_tcp={**asks, "recursive": True, "transport": "tcp", "server": "::1"},
        alias={**zone, "name": "web.example.org", "type": "CNAME"},
        nobody={**zone, "name": "mail.example.org"},
        refused={**asks, "port": named["refuses"], "recursive": True},
        elsewhere={**zone, "name": "www.example.net"},
    )
    said = {name: (result.outcome, result.because.partition(": ")[2]) for name, result in results.items()}
    # A server may turn the order of records round with each answer.
    said = {
        name: (outcome, text.replace("192.0.2.81, 192.0.2.80", both))
        for name, (outcome, text) in said.items()
    }
    assert said == {
        "zone": (PASS, both),
        "zone_over_tcp": (PASS, both),
        "zone_over_six": (PASS, "2001:db8::80"),
        "zone_as_recursive": (FAIL, f"{both}, but the server does not ask others"),
        "asks": (PASS, both),
        "asks_over_tcp": (PASS, both),
        "alias": (PASS, "www.example.org."),
        "nobody": (FAIL, "NXDOMAIN with 0 records"),
        "refused": (FAIL, "REFUSED with 0 records"),
        "elsewhere": (FAIL, "REFUSED with 0 records"),
    }
    # What it was asked before it tells to those who may look into its memory, and that is not the zone's own word.
    remembered = ask(zone={**asks, "server": "::1", "type": "CNAME", "name": "web.example.org"})["zone"]
    kept = ask(
        zone={**asks, "server": "::1", "type": "CNAME", "name": "web.example.org", "authoritative": True}
    )
    assert (remembered.outcome, kept["zone"].outcome) == (PASS, FAIL)
    assert kept["zone"].because.endswith(
        "www.example.org., but the server does not answer for the zone itself"
    )
    assert results["asks"].evidence["recursive"] is True
    assert results["zone"].evidence["authoritative"] is True


def test_servers_of_one_zone_have_one_serial(named: dict[str, int], tmp_path: Path) -> None:
    soa = {"kind": "dns", "server": "127.0.0.1", "name": "example.org", "port": named["zone"], "type": "SOA"}
    # The same daemon answers at its second address; the one that is behind is at an address of its own.
    same = ask(soa={**soa, "authoritative": True, "same_as": ("127.0.0.2", "::1")})["soa"]
    assert same.outcome is PASS
    assert same.because.endswith(" 7 1200 180 1209600 600, as at 127.0.0.2, ::1")
    behind = tmp_path / "behind"
    argv = zone_server(behind, 6, named["zone"])
    config = behind / "nsd.conf"
    lines = [line for line in config.read_text().splitlines() if "ip-address" not in line]
    lines.insert(lines.index("server:") + 1, f"    ip-address: 127.0.0.3@{named['zone']}")
    config.write_text("\n".join(lines) + "\n")
    with serving(argv, tmp_path / "log", named["zone"], address="127.0.0.3"):
        results = ask(
            soa={**soa, "authoritative": True, "same_as": ("127.0.0.2", "127.0.0.3")},
            names={**soa, "name": "www.example.org", "type": "A", "same_as": ("127.0.0.3",)},
        )
    silent = ask(soa={**soa, "same_as": ("127.0.0.3",)})["soa"]
    asked = "example.org SOA at 127.0.0.1: serial 7"
    assert (results["soa"].outcome, results["soa"].because) == (FAIL, f"{asked}, but 127.0.0.3 has serial 6")
    assert results["names"].outcome is PASS
    assert (silent.outcome, silent.because) == (
        FAIL,
        f"{asked}, but 127.0.0.3 has no answer: Connection refused",
    )


def test_an_answer_that_comes_too_late_fails_with_its_median(named: dict[str, int]) -> None:
    dns = {"kind": "dns", "server": "127.0.0.1", "name": "ns.example.org", "port": named["zone"]}
    tcp = {"kind": "tcp", "address": "127.0.0.1", "port": named["zone"]}
    results = ask(
        soon={**dns, "max_ms": 60000.0},
        late={**dns, "max_ms": 0.0},
        soon_tcp={**tcp, "max_ms": 60000.0},
        late_tcp={**tcp, "max_ms": 0.0},
    )
    assert [result.outcome for result in results.values()] == [PASS, FAIL, PASS, FAIL]
    assert results["late"].because.startswith("ns.example.org A at 127.0.0.1: 192.0.2.53, but only after ")
    assert results["late_tcp"].because.endswith(" ms (median), more than 0 ms")


@pytest.mark.parametrize(
    ("change", "key"),
    [({"authoritative": True, "recursive": True}, "recursive"), ({"same_as": ("192.0.2.53",)}, "same_as")],
)
def test_a_declaration_that_cannot_be_asked_names_its_key(change: dict[str, Any], key: str) -> None:
    check = {"kind": "dns", "from": "vm", "server": "192.0.2.53", "name": "www.example.org", **change}
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Check).validate_python(check)
    (error,) = caught.value.errors()
    assert error["ctx"]["key"] == key
