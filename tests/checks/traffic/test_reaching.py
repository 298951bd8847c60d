"""Echo requests through real routers, and web services as a real nginx offers them, one machine of many included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from seatrial.checks import registry
from seatrial.model.check import Check
from seatrial.model.result import Outcome, Result

from ...vantage.grounds import free_port
from ..conftest import World
from .servers import Authority, ask, nginx, serving

PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN
NAME = "service.example.org"


def asked(world: World, **declared: Any) -> Result:
    check: Check = TypeAdapter(Check).validate_python({"kind": "ping", "from": "near", **declared})
    return registry.judge("it", check, [world.run(place, one) for place, one in registry.ask(check)])


def narrow_down(world: World) -> None:
    """Less fits between the router and the far side, in both directions."""
    world.shell("router", "ip link set router2 mtu 1400")
    world.shell("far", "ip link set far mtu 1400")


@pytest.mark.parametrize("address", ["198.51.100.9", "2001:db8:2::9"])
def test_a_path_that_takes_small_packets_only_is_told_with_its_mtu(world: World, address: str) -> None:
    large = {"address": address, "size": 1500, "df": True, "timeout": 60.0}
    whole = asked(world, **large)
    narrow_down(world)
    narrow = asked(world, **large)
    assert (whole.outcome, whole.because) == (
        PASS,
        f"{address} answered 3 of 3, and 3 of 3 of 1500 bytes with DF",
    )
    assert (narrow.outcome, narrow.because) == (
        FAIL,
        f"{address} answered 3 of 3, but only 0 of 3 of 1500 bytes with DF (mtu 1400)",
    )
    assert narrow.evidence["large"]["mtu"] == 1400


def test_large_packets_without_df_go_through_a_narrow_path_in_pieces(world: World) -> None:
    narrow_down(world)
    result = asked(world, address="198.51.100.9", size=1500, timeout=60.0)
    assert (result.outcome, result.because) == (
        PASS,
        "198.51.100.9 answered 3 of 3, and 3 of 3 of 1500 bytes",
    )


def test_echoes_that_come_back_too_late_fail_with_their_median(world: World) -> None:
    soon = asked(world, address="198.51.100.9", max_ms=60000.0)
    late = asked(world, address="198.51.100.9", max_ms=0.0)
    assert (soon.outcome, late.outcome) == (PASS, FAIL)
    assert late.because.startswith("198.51.100.9 answered 3 of 3, but only after ")


def test_one_machine_behind_a_name_is_asked_by_its_address(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    pem = authority.issue(tmp_path / "web.pem", names=f"DNS:{NAME}")
    secure, plain = free_port(), free_port()
    body = (
        f"server {{ listen 127.0.0.1:{plain} default_server; listen [::1]:{plain} default_server; return 404; }}\n"
        f"server {{ listen 127.0.0.1:{plain}; listen [::1]:{plain}; server_name {NAME}; return 200 sea; }}\n"
        f"server {{ listen 127.0.0.1:{secure} ssl; ssl_certificate {pem}; "
        f"ssl_certificate_key {pem.with_suffix('.key')}; return 200 sea; }}"
    )
    with serving(nginx(tmp_path, body), tmp_path / "log", secure, plain):
        https = {
            "kind": "http",
            "url": f"https://{NAME}:{secure}/",
            "address": "127.0.0.1",
            "contains": "sea",
        }
        http = {"kind": "http", "url": f"http://{NAME}:{plain}/", "contains": "sea"}
        results = ask(
            trusted={**https, "ca": str(authority.file)},
            stranger=https,
            anybody={**https, "insecure": True},
            other={**https, "url": f"https://other.example.org:{secure}/", "ca": str(authority.file)},
            no_file={**https, "ca": "/nonexistent/ca.pem"},
            named={**http, "address": "127.0.0.1"},
            six={**http, "address": "::1"},
            nameless={"kind": "http", "url": f"http://[::1]:{plain}/", "status": 404},
            late={**http, "address": "127.0.0.1", "max_ms": 0.0},
        )
    web = f"https://{NAME}:{secure}/ on 127.0.0.1"
    late = results.pop("late")
    assert {name: (result.outcome, result.because) for name, result in results.items()} == {
        "trusted": (PASS, f"{web} answers 200"),
        "stranger": (FAIL, f"{web} does not answer: TLS: unable to get local issuer certificate"),
        "anybody": (PASS, f"{web} answers 200"),
        "other": (
            FAIL,
            f"https://other.example.org:{secure}/ on 127.0.0.1 does not answer: TLS: Hostname mismatch, "
            "certificate is not valid for 'other.example.org'.",
        ),
        "no_file": (UNKNOWN, "vm cannot read /nonexistent/ca.pem: No such file or directory"),
        "named": (PASS, f"http://{NAME}:{plain}/ on 127.0.0.1 answers 200"),
        "six": (PASS, f"http://{NAME}:{plain}/ on ::1 answers 200"),
        "nameless": (PASS, f"http://[::1]:{plain}/ answers 404"),
    }
    assert (late.outcome, late.because[-len("more than 0 ms") :]) == (FAIL, "more than 0 ms")


@pytest.mark.parametrize(
    ("declared", "key"),
    [
        ({"kind": "ping", "address": "192.0.2.1", "df": True}, "df"),
        ({"kind": "http", "url": "http://web/", "insecure": True}, "insecure"),
        ({"kind": "http", "url": "https://web/", "insecure": True, "ca": "/etc/ca.pem"}, "insecure"),
        ({"kind": "http", "url": "http://web/", "ca": "/etc/ca.pem"}, "ca"),
    ],
)
def test_a_declaration_that_cannot_be_asked_names_its_key(declared: dict[str, Any], key: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Check).validate_python({"from": "vm", **declared})
    (error,) = caught.value.errors()
    assert error["ctx"]["key"] == key
