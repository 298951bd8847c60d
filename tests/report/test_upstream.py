"""The bug report has both sides, a header that the tracker reads, and nothing that names the platform."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from seatrial.fleetfile import parse
from seatrial.model.event import Event, Kind
from seatrial.model.fleet import Fleet
from seatrial.model.fold import fold
from seatrial.report.upstream import bug_report

GOOD, BAD = "6.1.0-47-cloud-amd64", "6.1.0-56-cloud-amd64"
FLEET = """
version: 1
name: acme-cloud
stages: [{name: staging}]
hosts:
  acme-gw-7: {stage: staging, roles: [gateway], reach: {ssh: acme-gw-7}}
vantages:
  acme-vm: {ssh: acme-vm}
  acme-out: {ssh: acme-out}
flows:
  acme-web:
    {stage: staging, from: acme-vm, to: acme-out, address: 10.9.8.7, protocol: tcp, port: 80, by: acme-gw-7, source: 10.1.1.1}
  acme-mail:
    {stage: staging, from: acme-vm, to: acme-out, address: 10.9.8.7, protocol: udp, port: 25, by: acme-gw-7, size: 1500}
"""
DESCRIBED = {
    "running": GOOD,
    "machine": "x86_64",
    "product": "Acme\x1b[31m server",
    "packages": {GOOD: "6.1.170-3", BAD: "6.1.192-2"},
    "nics": {"acme0": "virtio_net"},
    "modules": ["vrf"],
}
SUSPECT = {
    "subject": "vrf: reset it",
    "version": "6.1.180-1",
    "reverted_in": "6.1.192-2",
    "link": "https://example.com/1",
}


def result(check: str, outcome: str, because: str, answered: int) -> dict[str, Any]:
    evidence = {"sent": 32, "arrived": 32, "answered": answered}
    return {"check": check, "outcome": outcome, "because": because, "evidence": evidence}


def events(*, diagnosis: str = "Replies of translated flows are lost at acme-gw-7 (99 %).") -> list[Event]:
    fine = [result("acme-web", "pass", "pass", 32), result("acme-mail", "pass", "pass", 32)]
    lost = "went out, arrived as 10.1.1.1, answer to 2a00:1450::7 lost"
    bad = [result("acme-web", "fail", lost, 0), result("acme-mail", "pass", "pass", 32)]
    story: list[tuple[str, Mapping[str, Any]]] = [
        (Kind.HOST_DESCRIBED, DESCRIBED),
        (Kind.RESULTS, {"purpose": "baseline", "results": fine}),
        (Kind.TRIAL_MOVED, {"to": "preflight", "facts": {"good": GOOD}}),
        *((Kind.TRIAL_MOVED, {"to": to}) for to in ("drained", "armed", "rebooting", "on-trial")),
        (Kind.DIAGNOSIS, {"purpose": "exercise", "because": diagnosis, "notes": ["acme-mail is fine"]}),
        (Kind.RESULTS, {"purpose": "exercise", "results": bad}),
        (Kind.TRIAL_MOVED, {"to": "reverting", "because": diagnosis, "facts": {"cause": "failed"}}),
        (Kind.RESULTS, {"purpose": "proof", "results": fine}),
        (Kind.SUSPECTS, {"examined": 1904, "suspects": [SUSPECT]}),
    ]
    at = datetime(2026, 1, 1, tzinfo=UTC)
    begun = {"candidate": BAD, "hosts": ["acme-gw-7"], "roles": {"acme-gw-7": ["gateway"]}, "fleet": FLEET}
    first = Event(seq=1, at=at, kind=Kind.ROLLOUT_STARTED, rollout="r1", data=begun)
    return [
        first,
        *(
            Event(seq=seq, at=at, kind=kind, rollout="r1", host="acme-gw-7", data=data)
            for seq, (kind, data) in enumerate(story, 2)
        ),
    ]


def fleet() -> Fleet:
    return parse(FLEET, filename="fleet")


def text(some: list[Event]) -> str:
    return bug_report(some, rollout="r1", fleet=fleet(), trial=fold(some, rollout="r1").trials["acme-gw-7"])


def test_the_header_is_that_of_the_tracker() -> None:
    head, body = text(events()).split("\n\nSeverity", 1)[0].split("\n\n")[0:2]
    assert head.splitlines()[0] == "To: submit@bugs.debian.org"
    assert head.splitlines()[1].startswith(
        f"Subject: linux-image-{BAD}: Replies of translated flows are lost"
    )
    assert body.splitlines()[:2] == [f"Package: linux-image-{BAD}", "Version: 6.1.192-2"]


def test_what_failed_is_shown_on_the_good_kernel_too_before_and_after() -> None:
    lines = text(events()).splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("  flow-1: tcp, translated"))
    assert lines[at + 1] == "    good, before:  pass: pass (sent 32, arrived 32, answered 32)"
    assert lines[at + 2].startswith("    bad:           fail: went out, arrived as 192.0.2.")
    assert lines[at + 2].endswith("(sent 32, arrived 32, answered 0)")
    assert lines[at + 3] == "    good, after:   pass: pass (sent 32, arrived 32, answered 32)"
    assert "  fine on both: 1 others (udp, 1500 bytes)" in lines


def test_no_name_no_address_and_no_escape_of_the_platform_is_in_it() -> None:
    whole = text(events())
    for secret in ("acme-", "10.1.1.1", "10.9.8.7", "2a00:", "\x1b"):
        assert secret not in whole
    assert "gateway-1" in whole
    assert "2001:db8::" in whole


def test_it_names_the_suspects_and_how_to_see_it_oneself() -> None:
    whole = text(events())
    assert "Patches that fit, of 1,904 between the two" in whole
    assert "  vrf: reset it (6.1.180-1) [taken back in 6.1.192-2]" in whole
    assert "  seatrial lab up reproduce --topology gateway-staging" in whole
    assert f"  seatrial rollout start {BAD} --host gw-s1" in whole


def test_a_candidate_that_died_before_it_was_asked_says_so() -> None:
    some = [event for event in events() if event.kind not in (Kind.DIAGNOSIS, Kind.RESULTS)]
    assert "The candidate did not come as far as being asked anything" in text(some)
