"""What the declared probes could tell, and the probes that are proposed: they do what is said of them."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.diagnose.explain import explain
from seatrial.diagnose.identify import Probe, coverage, probes_of, stage_of, together
from seatrial.diagnose.propose import Addition, propose
from seatrial.fleetfile import parse_bytes
from seatrial.model.fleet import Fleet
from seatrial.model.observation import FlowCount

from .platform import BEHIND, FLOATING, FLOWS, NEVER, NO_ANSWER, counts, fleet

CHECKS: dict[str, dict[str, Any]] = {
    "names": {"kind": "dns", "from": "vm-private", "server": "198.51.100.53", "name": "www.example.org"},
    "web": {"kind": "http", "from": "vm-private", "url": "http://198.51.100.80/"},
    "units": {"kind": "unit", "from": "gw-s1", "unit": "ssh.service"},
}
SENT_NOTHING = {"sent": 0, "errors": {"ENETUNREACH": 32}, **NEVER}


def class_of(probes: tuple[Probe, ...], component: str) -> tuple[str, ...]:
    return next(names for names in coverage(probes).classes if component in names)


def with_added(declared: Fleet, additions: tuple[Addition, ...]) -> Fleet:
    """The fleet with what was proposed, by way of plain JSON, as a person would paste it."""
    whole = declared.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    for one in additions:
        section = whole.setdefault("flows" if one.is_flow else "checks", {})
        assert one.name not in section
        section[one.name] = one.declared.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return parse_bytes(json.dumps(whole).encode(), filename="fleet.yaml")


@st.composite
def fleets(draw: st.DrawFn) -> Fleet:
    """The platform with some of its flows, translated in or not, and some of its checks."""
    whole = fleet(CHECKS, draw(st.sampled_from([{}, FLOATING, {name: {"over": ["wan"]} for name in FLOWS}])))
    flows = draw(st.sets(st.sampled_from(sorted(FLOWS)), min_size=1))
    checks = draw(st.sets(st.sampled_from(sorted(CHECKS))))
    return whole.model_copy(
        update={
            "flows": {name: one for name, one in whole.flows.items() if name in flows},
            "checks": {name: one for name, one in whole.checks.items() if name in checks},
        }
    )


def test_two_components_of_the_same_probes_are_one_class_and_others_are_not() -> None:
    probes = (
        Probe(name="p", stages=(("a", "b"), ("c",))),
        Probe(name="q", stages=(("c",),)),
    )
    found = coverage(probes)
    assert found.classes == (("a", "b"), ("c",))
    assert (found.components, found.least, found.identifiability) == (3, 1, 0)


def test_probes_of_one_component_each_tell_any_two_faults_apart() -> None:
    found = coverage([Probe(name=name, stages=((name,),)) for name in "abcd"])
    assert (found.identifiability, found.told, found.pairs) == (2, 6, 6)


def test_what_is_lost_on_the_way_out_hides_the_way_back() -> None:
    probes = (Probe(name="p", stages=(("out",), ("back",))), Probe(name="q", stages=(("back",),)))
    found = coverage(probes)
    assert found.alike == ()
    assert found.identifiability == 2
    assert together([((0, 1), (1, 0)), ((0, 0),)]) == ((0, 0), (1, 0))


def test_the_outage_of_2021_would_look_like_a_lost_way_and_an_echo_would_tell() -> None:
    declared = fleet()
    assert class_of(probes_of(declared), "gateways:reply-translation") == (
        "gateways:reply-translation",
        "gateways>vm-private",
    )
    wanted = propose(declared)
    telling = [
        one
        for one in wanted.additions
        if (("gateways:reply-translation",), ("gateways>vm-private",)) in one.splits
    ]
    assert [one.declared.model_dump(exclude_defaults=True, by_alias=True) for one in telling] == [
        {"kind": "ping", "stage": "staging", "from": "vm-private", "address": "203.0.113.9"}
    ]


def test_what_nothing_crosses_is_said() -> None:
    whole = fleet()
    small = whole.model_copy(update={"flows": {"public-tcp": whole.flows["public-tcp"]}})
    unnoticed = propose(small).unnoticed
    assert {"gw-s1", "gw-s2", "gateways:udp", "gateways:large packets"} <= set(unnoticed)
    assert "gateways:tcp" not in unnoticed


@settings(deadline=None, max_examples=30)
@given(declared=fleets())
def test_added_probes_split_what_they_are_proposed_for_and_leave_what_is_said(declared: Fleet) -> None:
    before, wanted = coverage(probes_of(declared)), propose(declared)
    after = {
        name: names
        for names in coverage(probes_of(with_added(declared, wanted.additions))).classes
        for name in names
    }
    for one in wanted.additions:
        for parts in one.splits:
            for left, right in itertools.combinations(parts, 2):
                assert all(after[name] != after[other] for name in left for other in right), one
        assert set(one.notices) <= set(after)
    known = {*wanted.unnoticed, *(name for names in before.classes for name in names)}
    alike = {tuple(name for name in names if name in known) for names in after.values()}
    assert {names for names in alike if len(names) > 1} == set(wanted.left)


@settings(deadline=None, max_examples=15)
@given(declared=fleets())
def test_every_added_probe_is_good_for_something(declared: Fleet) -> None:
    assert all(one.splits or one.notices for one in propose(declared).additions)


@pytest.mark.parametrize("more", [{}, FLOATING])
def test_what_the_plan_calls_alike_is_what_the_diagnosis_cannot_tell_apart(more: dict[str, Any]) -> None:
    declared = fleet(more=more)
    probes = probes_of(declared)
    stages = {probe.name: stage_of(probe) for probe in probes}
    shows = (SENT_NOTHING, NEVER, BEHIND, NO_ANSWER)
    for names in coverage(probes).classes:
        fault = names[0]
        spoiled = {
            flow.replace("-", "_"): shows[known[fault]] for flow, known in stages.items() if fault in known
        }
        seen: list[FlowCount] = counts(**spoiled)
        suspect = explain(declared, seen).diagnosis.suspects[0]
        assert {*suspect.components, *itertools.chain(*suspect.same_evidence)} >= set(names), (names, suspect)


def test_a_fleet_of_nothing_but_hosts_is_asked_for_their_units_and_who_owns_the_address() -> None:
    whole = fleet()
    bare = whole.model_copy(update={"flows": {}, "checks": {}})
    assert coverage(probes_of(bare)).identifiability == 0
    wanted = propose(bare)
    assert [one.name for one in wanted.additions] == ["gw-s1-units", "gw-s2-units", "gateways-owner"]
    assert wanted.unnoticed == ("gw-s1", "gw-s2", "owner of 192.0.2.1")
