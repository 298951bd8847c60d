"""What a round's counts mean: the story of 2021 and its relatives, in tables."""

from __future__ import annotations

from typing import Any

import pytest

from seatrial.diagnose.explain import explain
from seatrial.model.fleet import Fleet
from seatrial.model.observation import Diagnosis, FlowCount

from .platform import BEHIND, FLOATING, FLOWS, NEVER, NO_ANSWER, PRIVATE, counts, fleet, spoil


def told(declared: Fleet, seen: list[FlowCount], carrier: str | None) -> tuple[Diagnosis, str]:
    explained = explain(declared, seen, carrier=carrier)
    return explained.diagnosis, explained.sentence


def test_nothing_is_named_when_all_is_well() -> None:
    diagnosis, sentence = told(fleet(), counts(), "gw-s1")
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


@pytest.mark.parametrize(
    ("how", "component", "words"),
    [
        (NEVER, "gw-s1:dnat", "Flows to floating addresses are not translated at gw-s1"),
        (NO_ANSWER, "gw-s1:dnat replies", "Answers from behind floating addresses are lost at gw-s1"),
    ],
)
def test_floating_addresses_that_are_not_translated_are_named(
    how: dict[str, Any], component: str, words: str
) -> None:
    spoiled = spoil(("inbound_tcp", "inbound_ping"), how)
    explained = explain(fleet(more=FLOATING), counts(**spoiled), carrier="gw-s1")
    assert explained.diagnosis.suspects[0].components == (component,), explained
    assert explained.sentence.startswith(words), explained.sentence


def test_a_carrier_that_sends_on_what_it_did_not_translate_is_still_suspected_of_that() -> None:
    spoiled = spoil(("inbound_tcp",), BEHIND)
    only = {"inbound-tcp": FLOATING["inbound-tcp"]}
    explained = explain(fleet(more=only), counts(**spoiled), carrier="gw-s1")
    assert explained.diagnosis.suspects[0].components == ("gw-s1:dnat",), explained


def test_what_tcp_sends_again_and_gets_too_late_is_no_fault_of_the_way_back() -> None:
    lost = spoil(
        ("private-udp", "private-ping", "private-large", "public-large"), {"arrived": 25, "answered": 25}
    )
    late = spoil(("private-tcp", "public-tcp"), {"answered": 29})
    back = {"inbound_ping": {"answered": 26}, "inbound_tcp": {"answered": 30}}
    explained = explain(fleet(), counts(**lost, **late, **back), carrier="gw-s1")
    assert explained.diagnosis.suspects[0].components == ("gw-s1>outside",), explained.sentence


def test_two_faults_at_once_are_both_named() -> None:
    spoiled = {**spoil(PRIVATE, NO_ANSWER), **spoil(("inbound_tcp", "inbound_ping"), NEVER)}
    first = told(fleet(), counts(**spoiled), "gw-s1")[0].suspects[0]
    assert set(first.components) == {"gw-s1:reply-translation", "gw-s1:outside to vm-public"}, first


def test_one_lost_packet_of_a_thousand_is_not_a_fault() -> None:
    spoiled = {"private_tcp": {"answered": 31}, "public_dns": {"arrived": 31, "answered": 31}}
    assert told(fleet(), counts(**spoiled), "gw-s1")[0].suspects == ()


def test_a_far_end_that_was_not_asked_is_no_evidence() -> None:
    unasked = {"arrived": None, "answered": 0, "problem": "outside did not answer"}
    assert told(fleet(), counts(**spoil(PRIVATE, unasked)), "gw-s1")[0].suspects == ()


def test_without_a_host_on_trial_the_group_is_named() -> None:
    diagnosis, sentence = told(fleet(), counts(**spoil(PRIVATE, NO_ANSWER)), None)
    assert diagnosis.suspects[0].components == ("gateways:reply-translation",)
    assert "lost at gateways" in sentence
