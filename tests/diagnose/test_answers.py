"""What checks say beside the flows: a fault on the way is not blamed on the service, and a service not on the way."""

from __future__ import annotations

from typing import Any

import pytest

from seatrial.diagnose.explain import Explanation, explain
from seatrial.model.result import Outcome, Result

from .platform import FLOWS, NO_ANSWER, PRIVATE, answer, counts, fleet, spoil

FAIL, UNKNOWN = Outcome.FAIL, Outcome.UNKNOWN
DNS = {"kind": "dns", "from": "vm-private", "server": "198.51.100.53", "name": "www.example.org"}
LDAP = {"kind": "ldap", "from": "vm-private", "url": "ldap://192.0.2.40", "base": "dc=example,dc=org"}
CHECKS: dict[str, dict[str, Any]] = {
    "names": {**DNS, "along": "private-dns"},
    "names-public": {**DNS, "from": "vm-public", "along": "public-dns"},
    "people": LDAP,
    "ldap-port": {"kind": "tcp", "from": "vm-private", "address": "192.0.2.40", "port": 389},
    "web": {"kind": "http", "from": "vm-private", "url": "http://198.51.100.80/"},
}
LATE = "198.51.100.53 does not answer within 3 s"


def explained(
    *results: Result, checks: dict[str, dict[str, Any]] | None = None, **spoiled: Any
) -> Explanation:
    """What is said of a round in which all passes but these."""
    asked = CHECKS if checks is None else checks
    given = {one.check: one for one in results}
    everything = [given.get(name, answer(name)) for name in asked]
    return explain(fleet(asked), counts(**spoiled), results=everything, carrier="gw-s1")


def first(one: Explanation) -> set[str]:
    """What is named, or cannot be told apart from it."""
    suspect = one.diagnosis.suspects[0]
    return {*suspect.components, *(name for names in suspect.same_evidence for name in names)}


def test_a_healthy_round_names_nothing() -> None:
    assert explained().diagnosis.suspects == ()
    assert explained().sentence == ""


def test_a_check_along_a_broken_flow_is_explained_by_the_flow_and_not_blamed() -> None:
    said = explained(answer("names", FAIL, LATE), **spoil(PRIVATE, NO_ANSWER))
    assert said.diagnosis.suspects[0].components == ("gw-s1:reply-translation",)
    assert said.diagnosis.suspects[0].probability > 0.9
    assert said.sentence.startswith(
        "Replies of translated flows are lost at gw-s1 (99 %); "
        "flows that are not translated, HTTP, LDAP and TCP are fine."
    ), said.sentence


def test_a_server_that_is_down_while_flows_pass_is_named_with_what_the_check_said() -> None:
    said = explained(answer("names", FAIL, LATE), answer("names-public", FAIL, LATE))
    assert said.diagnosis.suspects[0].components == ("dns at 198.51.100.53",)
    assert said.sentence == (
        f"DNS at 198.51.100.53 fails (99 %): {LATE}; "
        "translated flows, flows that are not translated, HTTP, LDAP and TCP are fine. "
        "Cannot be told apart from: 198.51.100.53."
    )


def test_a_service_is_named_alone_where_its_machine_answers_otherwise() -> None:
    said = explained(answer("people", FAIL, "192.0.2.40 refuses the search: busy"))
    assert said.diagnosis.suspects[0].components == ("ldap at 192.0.2.40",)
    assert first(said) == {"ldap at 192.0.2.40"}
    assert said.sentence.startswith("LDAP at 192.0.2.40 fails (9"), said.sentence


def test_a_machine_is_named_where_all_its_services_fail() -> None:
    said = explained(answer("people", FAIL, "no answer"), answer("ldap-port", FAIL, "no answer"))
    assert said.diagnosis.suspects[0].components == ("192.0.2.40",)


def test_what_two_checks_share_is_named_when_both_fail() -> None:
    checks = {
        "web": {**CHECKS["web"], "over": ["vrf-gw"]},
        "people": {**LDAP, "over": ["vrf-gw"]},
        "names": CHECKS["names"],
    }
    said = explained(answer("web", FAIL, "no answer"), answer("people", FAIL, "no answer"), checks=checks)
    assert said.diagnosis.suspects[0].components == ("vrf-gw",)
    assert said.sentence.startswith("vrf-gw fails ("), said.sentence


def test_no_answer_to_the_question_says_nothing() -> None:
    said = explained(answer("people", UNKNOWN, "no ldapsearch here"), answer("names", UNKNOWN))
    assert said.diagnosis.suspects == ()
    assert not any(one.id in ("people:check", "names:check") for one in said.observations)


def test_a_check_that_comes_and_goes_counts_as_often_as_it_failed() -> None:
    flaky = answer("people", FAIL, "flaky", asked=4, failed=1, unknown=1, flaky=True)
    said = explained(flaky)
    (seen,) = [one for one in said.observations if one.id == "people:check"]
    assert (seen.sent, seen.lost) == (24, 8)
    assert said.diagnosis.suspects[0].components == ("ldap at 192.0.2.40",)


@pytest.mark.parametrize("failed", [["nginx.service"], "all", -3, True, 10**30, {}])
def test_evidence_of_a_checks_own_is_not_taken_for_counts(failed: object) -> None:
    said = explained(answer("people", FAIL, "wrong", failed=failed, asked=failed))
    (seen,) = [one for one in said.observations if one.id == "people:check"]
    assert (seen.sent, seen.lost) == (8, 8)


def on_hosts(places: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    checks: dict[str, dict[str, Any]] = {}
    for place in places:
        checks[f"kernel-{place}"] = {"kind": "kernel", "from": place}
        checks[f"dmesg-{place}"] = {"kind": "dmesg", "from": place}
        checks[f"units-{place}"] = {"kind": "unit", "from": place, "unit": "ssh.service"}
    return checks


PLACES = ("gw-s1", "gw-s2", "dns", "outside")


def test_a_kernel_is_named_where_the_same_check_fails_on_all_hosts_that_run_it() -> None:
    kernels = [
        answer(f"kernel-{place}", running="6.1.0-47-amd64" if place == "outside" else "6.1.0-56-amd64")
        for place in PLACES
    ]
    failing = [answer(f"dmesg-{place}", FAIL, "an oops in nf_nat") for place in PLACES[:3]]
    said = explained(*kernels, *failing, checks=on_hosts(PLACES))
    assert said.diagnosis.suspects[0].components == ("dmesg on kernel 6.1.0-56-amd64",), said.diagnosis
    assert "fails wherever it is" in said.sentence
    assert "dmesg-gw-s1, dmesg-gw-s2, dmesg-dns: an oops in nf_nat" in said.sentence


def test_no_kernel_is_named_where_another_host_with_it_is_fine() -> None:
    kernels = [answer(f"kernel-{place}", running="6.1.0-56-amd64") for place in PLACES]
    said = explained(*kernels, answer("dmesg-gw-s1", FAIL, "an oops"), checks=on_hosts(PLACES))
    assert "dmesg on kernel 6.1.0-56-amd64" not in first(said)


def test_a_certificate_that_several_services_serve_is_named_when_it_is_bad() -> None:
    tls = {"kind": "tls", "from": "vm-private"}
    checks = {f"tls-{n}": {**tls, "address": f"198.51.100.{n}"} for n in (80, 81, 82)}
    served = [{"way": "name", "sha256": "ab" * 32}]
    bad = [answer(f"tls-{n}", FAIL, "expired yesterday", served=served) for n in (80, 81, 82)]
    said = explained(*bad, checks=checks)
    assert said.diagnosis.suspects[0].components == ("certificate abababababababab",)
    assert said.sentence.startswith("Certificate abababababababab fails wherever it is ("), said.sentence


@pytest.mark.parametrize("served", [None, 3, "x", [3], [{"sha256": 4}], [{}], {"sha256": "a"}])
def test_evidence_that_is_no_certificate_does_no_harm(served: object) -> None:
    checks = {"tls": {"kind": "tls", "from": "vm-private", "address": "198.51.100.80"}}
    assert explained(answer("tls", FAIL, "expired", served=served), checks=checks).diagnosis.suspects


OWNER = {"owner": {"kind": "vrrp", "hosts": ["gw-s1", "gw-s2"], "address": "192.0.2.1"}}


@pytest.mark.parametrize(
    "half",
    [
        {"arrived": 17, "answered": 17, "sources": {}, "carried": {}},
        {"answered": 15},
    ],
    ids=["lost on the way out", "lost on the way back"],
)
def test_two_owners_of_an_address_explain_flows_that_are_lost_by_half(half: dict[str, Any]) -> None:
    said = explained(
        answer("owner", FAIL, "gw-s1 and gw-s2 both have 192.0.2.1"),
        checks={**CHECKS, **OWNER},
        **spoil(FLOWS, half),
    )
    assert said.diagnosis.suspects[0].components == ("owner of 192.0.2.1",), said.diagnosis
    assert said.sentence.startswith("Owner of 192.0.2.1 fails ("), said.sentence


def test_one_owner_that_is_known_is_not_blamed_for_lost_flows() -> None:
    said = explained(checks={**CHECKS, **OWNER}, **spoil(PRIVATE, NO_ANSWER))
    assert said.diagnosis.suspects[0].components == ("gw-s1:reply-translation",), said.diagnosis
    assert "VRRP" in said.sentence


@pytest.mark.parametrize("lost", [0, 1, 3, 10, 32])
def test_two_owners_alone_explain_however_much_goes_astray(lost: int) -> None:
    said = explained(
        answer("owner", FAIL, "gw-s1 and gw-s2 both have 192.0.2.1"),
        checks={**CHECKS, **OWNER},
        private_tcp={"answered": 32 - lost},
        inbound_tcp={"answered": 32 - lost},
        inbound_ping={"answered": 32 - min(lost, 2)},
    )
    suspect = said.diagnosis.suspects[0]
    assert ("owner of 192.0.2.1",) in (suspect.components, *suspect.same_evidence), said.sentence
