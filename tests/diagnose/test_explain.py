"""What a round's counts mean: the story of 2021 and its relatives, in tables."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from seatrial.diagnose.explain import diagnose, explain
from seatrial.model.fleet import Fleet
from seatrial.model.observation import FlowCount

OUTER = "203.0.113.9"
ADDRESSES = {"outside": "198.51.100.9", "dns": "198.51.100.53", "vm-public": "203.0.113.20"}
SENDERS = {**ADDRESSES, "vm-private": "192.0.2.2"}

FLOWS: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "private-tcp": ("vm-private", "outside", "tcp", {"source": OUTER}),
    "private-udp": ("vm-private", "outside", "udp", {"source": OUTER}),
    "private-ping": ("vm-private", "outside", "icmp", {"source": OUTER}),
    "private-dns": ("vm-private", "dns", "udp", {"source": OUTER}),
    "private-large": ("vm-private", "outside", "udp", {"source": OUTER, "size": 1500, "df": True}),
    "public-tcp": ("vm-public", "outside", "tcp", {}),
    "public-dns": ("vm-public", "dns", "udp", {}),
    "public-large": ("vm-public", "outside", "udp", {"size": 1500, "df": True}),
    "inbound-tcp": ("outside", "vm-public", "tcp", {}),
    "inbound-ping": ("outside", "vm-public", "icmp", {}),
}


def fleet() -> Fleet:
    flows = {}
    for number, (name, (start, end, protocol, more)) in enumerate(FLOWS.items()):
        flows[name] = {
            "stage": "staging", "from": start, "to": end, "by": "gateways", "protocol": protocol,
            "address": ADDRESSES[end], **more,
        }  # fmt: skip
        if protocol != "icmp":
            flows[name]["port"] = 7000 + number
    host = {"stage": "staging", "roles": ["gateway"], "reach": {"simulated": True}}
    declared = {
        "version": 1,
        "name": "cloud",
        "stages": [{"name": "staging"}],
        "hosts": {"gw-s1": host, "gw-s2": host},
        "groups": {"gateways": {"hosts": ["gw-s1", "gw-s2"], "mover": {"address": "192.0.2.1"}}},
        "vantages": {name: {"simulated": True} for name in SENDERS},
        "flows": flows,
    }
    return Fleet.model_validate_json(json.dumps(declared))


def counts(**spoiled: dict[str, Any]) -> list[FlowCount]:
    """All is well, but for the flows that are named, with `_` for `-`."""
    made = []
    for name, (start, _, _, more) in FLOWS.items():
        source = more.get("source", SENDERS[start])
        usual: dict[str, Any] = {
            "sent": 32, "asked": 32, "arrived": 32, "answered": 32, "sources": {source: 32},
            "carried": {"gw-s1": 32, "gw-s2": 0}, "sender": SENDERS[start],
        }  # fmt: skip
        made.append(FlowCount(flow=name, **{**usual, **spoiled.get(name.replace("-", "_"), {})}))
    return made


def spoil(names: Iterable[str], how: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name.replace("-", "_"): how for name in names}


NO_ANSWER = {"answered": 0}
NEVER = {"arrived": 0, "answered": 0, "sources": {}, "carried": {"gw-s1": 0, "gw-s2": 0}}
BEHIND = {"arrived": 0, "answered": 0, "sources": {}}
PRIVATE = ("private_tcp", "private_udp", "private_ping", "private_dns", "private_large")


def test_nothing_is_named_when_all_is_well() -> None:
    diagnosis, sentence = diagnose(fleet(), counts(), "gw-s1")
    assert diagnosis.suspects == ()
    assert sentence == ""


def test_the_outage_of_2021_is_named_in_one_sentence() -> None:
    explained = explain(fleet(), counts(**spoil(PRIVATE, NO_ANSWER)), carrier="gw-s1")
    first = explained.diagnosis.suspects[0]
    assert first.components == ("gw-s1:reply-translation",)
    assert first.probability > 0.95
    assert first.same_evidence == (("gw-s1>vm-private",),)
    assert explained.sentence == (
        "Replies of translated flows are lost at gw-s1 (99 %). "
        "Flows that are not translated are fine: public-tcp, public-dns, public-large and 2 more. "
        "Cannot be told apart from: gw-s1>vm-private. A probe from vm-private to gw-s1 itself would."
    )


@pytest.mark.parametrize(
    ("spoiled", "component", "words"),
    [
        (spoil(PRIVATE, NEVER), "gw-s1:snat", "Translated flows are lost on their way out at gw-s1"),
        (
            spoil(FLOWS, NO_ANSWER),
            "gw-s1:replies",
            "Replies are lost at gw-s1",
        ),
        (spoil(FLOWS, NEVER), "gw-s1:forward", "Traffic is lost in forwarding at gw-s1"),
        (
            spoil(("private_large", "public_large"), NEVER),
            "gw-s1:large packets",
            "Large packets are lost on their way out at gw-s1",
        ),
        (
            spoil(("private_dns", "public_dns"), BEHIND),
            "gw-s1>dns",
            "What goes from gw-s1 to dns is lost",
        ),
        (
            spoil(PRIVATE, {"sources": {"203.0.113.77": 32}}),
            "gw-s1:snat",
            "gw-s1 translates to a wrong source address",
        ),
        (
            spoil(("inbound_tcp", "inbound_ping"), {"sent": 0, "errors": {"ENETUNREACH": 32}, **NEVER}),
            "outside:sending",
            "Nothing leaves outside",
        ),
        (
            spoil(FLOWS, {"answered": 24}),
            "gw-s1:replies",
            "Replies are lost at gw-s1, about 25 % of them",
        ),
    ],
)  # fmt: skip
def test_each_loss_is_named_for_what_it_is(spoiled: dict[str, Any], component: str, words: str) -> None:
    explained = explain(fleet(), counts(**spoiled), carrier="gw-s1")
    assert explained.diagnosis.suspects[0].components == (component,), explained
    assert explained.sentence.startswith(words), explained.sentence


def test_two_faults_at_once_are_both_named() -> None:
    spoiled = {**spoil(PRIVATE, NO_ANSWER), **spoil(("inbound_tcp", "inbound_ping"), NEVER)}
    first = diagnose(fleet(), counts(**spoiled), "gw-s1")[0].suspects[0]
    assert set(first.components) == {"gw-s1:reply-translation", "gw-s1:outside to vm-public"}, first


def test_one_lost_packet_of_a_thousand_is_not_a_fault() -> None:
    spoiled = {"private_tcp": {"answered": 31}, "public_dns": {"arrived": 31, "answered": 31}}
    assert diagnose(fleet(), counts(**spoiled), "gw-s1")[0].suspects == ()


def test_a_far_end_that_was_not_asked_is_no_evidence() -> None:
    unasked = {"arrived": None, "answered": 0, "problem": "outside did not answer"}
    assert diagnose(fleet(), counts(**spoil(PRIVATE, unasked)), "gw-s1")[0].suspects == ()


def test_without_a_host_on_trial_the_group_is_named() -> None:
    diagnosis, sentence = diagnose(fleet(), counts(**spoil(PRIVATE, NO_ANSWER)), None)
    assert diagnosis.suspects[0].components == ("gateways:reply-translation",)
    assert "lost at gateways" in sentence
