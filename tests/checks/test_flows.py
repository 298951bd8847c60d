"""The judge of flows and the reading of answers, without any host: tables of counts, and hostile answers."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.checks import flow as flows
from seatrial.checks.onhost import script
from seatrial.model.command import Output, Trouble
from seatrial.model.observation import FlowCount
from seatrial.model.result import Outcome, Result

from .conftest import fleet_of

PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN
OUTER = "203.0.113.9"
USUAL: dict[str, Any] = {
    "flow": "udp", "asked": 32, "sent": 32, "arrived": 32, "answered": 32, "sources": {OUTER: 32},
    "carried": {"router": 32}, "sender": "192.0.2.2",
}  # fmt: skip

TABLE = [
    ({}, PASS, "pass"),
    ({"answered": 0}, FAIL, "went out, arrived as 203.0.113.9, answer lost"),
    ({"answered": 25}, FAIL, "went out, arrived as 203.0.113.9, answer lost for 7 of 32"),
    ({"arrived": 25, "answered": 25}, FAIL, "went out, never arrived for 7 of 32"),
    (
        {"answered": 0, "sources": {"192.0.2.2": 32}},
        FAIL,
        "went out, arrived as 192.0.2.2 instead of 203.0.113.9, answer lost",
    ),
    (
        {"arrived": 0, "answered": 0, "sources": {}},
        FAIL,
        "went out, never arrived (router carried 32 of 32)",
    ),
    (
        {"arrived": 0, "answered": 0, "sources": {}, "carried": {"router": None}},
        FAIL,
        "went out, never arrived",
    ),
    ({"sources": {"192.0.2.2": 32}}, FAIL, "passed, but arrived as 192.0.2.2 instead of 203.0.113.9"),
    (
        {"sources": {OUTER: 31, "192.0.2.2": 1}},
        FAIL,
        "passed, but arrived as 192.0.2.2 instead of 203.0.113.9",
    ),
    ({"sources": {}}, UNKNOWN, "passed, but nothing shows which source arrived"),
    ({"carried": {"router": 0}}, UNKNOWN, "passed, but nothing shows that router carried it"),
    (
        {"carried": {"router": 20}},
        UNKNOWN,
        "passed, but only 20 of 32 are shown that router carried them",
    ),
    (
        {"carried": {"router": None}, "problem": "router has no conntrack"},
        UNKNOWN,
        "passed, but nothing shows that router carried it: router has no conntrack",
    ),
    (
        {"carried": {"router": 32, "other": 32}},
        UNKNOWN,
        "passed, but its peers know the same connections, so nothing shows that router carried it",
    ),
    (
        {"arrived": None, "problem": "far has no python3"},
        UNKNOWN,
        "32 of 32 answered, but far has no python3",
    ),
    (
        {"arrived": None, "answered": 0, "problem": "far did not answer: lost"},
        UNKNOWN,
        "0 of 32 answered, but far did not answer: lost",
    ),
    ({"asked": 0, "sent": 0, "problem": "near has no python3"}, UNKNOWN, "near has no python3"),
    (
        {"sent": 0, "arrived": 0, "answered": 0, "errors": {"ENETUNREACH": 32}},
        FAIL,
        "never left near: the sender has no route",
    ),
    (
        {"sent": 0, "arrived": 0, "answered": 0, "errors": {"EMSGSIZE": 32}},
        FAIL,
        "too big: 64 bytes do not leave near",
    ),
    (
        {"sent": 20, "arrived": 20, "answered": 20, "errors": {"EMFILE": 12}},
        UNKNOWN,
        "near ran short: EMFILE",
    ),
]


@pytest.mark.parametrize(("change", "outcome", "because"), TABLE)
def test_each_count_has_its_sentence(change: dict[str, Any], outcome: Outcome, because: str) -> None:
    fleet = fleet_of({"protocol": "udp", "source": OUTER})
    (result,) = flows.judge(fleet, [FlowCount(**{**USUAL, **change})], carrier="router")
    assert (result.outcome, result.because) == (outcome, because)
    json.dumps(dict(result.evidence))


def test_loss_that_the_policy_allows_passes_and_is_said() -> None:
    fleet = fleet_of({"protocol": "udp", "source": OUTER})
    lossy = FlowCount(**{**USUAL, "answered": 31, "carried": {"router": 32}})
    (result,) = flows.judge(fleet, [lossy], carrier="router", max_loss=4.0)
    assert (result.outcome, result.because) == (PASS, "pass, 1 of 32 lost")


@pytest.mark.parametrize(
    ("rtt_ms", "outcome", "because"),
    [
        ((1.0, 2.0, 90.0), PASS, "pass"),
        ((1.0, 20.0, 90.0), FAIL, "passed, but only after 20 ms (median), more than 5 ms"),
        ((), PASS, "pass"),
    ],
)
def test_a_flow_that_takes_too_long_fails_by_the_median_of_its_probes(
    rtt_ms: tuple[float, ...], outcome: Outcome, because: str
) -> None:
    fleet = fleet_of({"protocol": "udp", "source": OUTER, "max_ms": 5.0})
    (result,) = flows.judge(fleet, [FlowCount(**{**USUAL, "rtt_ms": rtt_ms})], carrier="router")
    assert (result.outcome, result.because) == (outcome, because)


def test_what_failed_before_as_well_is_said_to_be_so() -> None:
    fleet = fleet_of({"protocol": "udp", "source": OUTER})
    before = {"udp": Result(check="udp", outcome=FAIL, because="went out, never arrived")}
    (result,) = flows.judge(fleet, [FlowCount(**{**USUAL, "answered": 0})], carrier="router", before=before)
    assert result.because == "went out, arrived as 203.0.113.9, answer lost; it failed before as well"
    assert result.evidence["before"] == "fail"


ASKED = flows.ask(
    fleet_of({"protocol": "udp"}, {"protocol": "tcp"}, {"protocol": "icmp"}),
    ("udp", "tcp", "icmp"),
    run="r1",
    probes=8,
    rate=100,
)
COMMANDS = {
    (command.name, bundle.vantage): command
    for bundle in (*ASKED.listen, *ASKED.send, *ASKED.collect, *ASKED.carried)
    for command in bundle.commands
}


@given(trouble=st.sampled_from(list(Trouble)), answered=st.sets(st.sampled_from(sorted(COMMANDS))))
def test_silence_is_never_a_pass_and_never_a_failure(
    trouble: Trouble, answered: set[tuple[str, str]]
) -> None:
    outputs = {
        key: Output(command=command, status=None, trouble=trouble, problem="\x1b[31m")
        for key, command in COMMANDS.items()
        if key in answered
    }
    fleet = fleet_of({"protocol": "udp"}, {"protocol": "tcp"}, {"protocol": "icmp"})
    for result in flows.judge(fleet, flows.count(ASKED, outputs), carrier="router"):
        assert result.outcome is UNKNOWN
        assert result.because.isprintable()


@settings(deadline=None)
@given(data=st.data())
def test_hostile_answers_never_pass_and_never_raise(data: st.DataObject) -> None:
    values = st.recursive(
        st.none() | st.booleans() | st.integers(-5, 2**40) | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["run", "flows", "udp", "tcp", "probes", "sources", "ports", "arrived", "orphans"]
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=12,
    )
    outputs = {
        key: Output(
            command=command, status=0, stdout=json.dumps(data.draw(values)) + data.draw(st.text(max_size=5))
        )
        for key, command in COMMANDS.items()
    }
    fleet = fleet_of({"protocol": "udp"}, {"protocol": "tcp"}, {"protocol": "icmp"})
    for result in flows.judge(fleet, flows.count(ASKED, outputs), carrier="router"):
        assert result.outcome is not PASS
        assert result.because.isprintable()


def test_a_vantage_without_python_is_unknown_with_the_package_to_install() -> None:
    fleet = fleet_of({"protocol": "udp"})
    outputs = {
        ("flow.send", "near"): Output(command=COMMANDS["flow.send", "near"], status=127, stderr="not found")
    }
    asked = flows.ask(fleet, fleet.flows, run="r1", probes=8, rate=100)
    (result,) = flows.judge(fleet, flows.count(asked, outputs), carrier="router")
    assert (result.outcome, result.because, result.hint) == (
        UNKNOWN,
        "near has no python3",
        "apt install python3",
    )


def test_a_round_is_never_longer_than_a_carrier_remembers() -> None:
    fleet = fleet_of(*({"protocol": "udp", "name": f"f{n}"} for n in range(20)))
    asked = flows.ask(fleet, fleet.flows, run="r1", probes=1000, rate=200)
    assert asked.probes == 200
    assert asked.seconds <= 25


def test_all_senders_take_equally_long() -> None:
    many = [{"protocol": "udp", "name": f"f{n}"} for n in range(3)]
    fleet = fleet_of(*many, {"protocol": "udp", "name": "lone", "from": "far", "to": "near"})
    asked = flows.ask(fleet, fleet.flows, run="r1", probes=30, rate=90)
    specs = [json.loads(bundle.commands[0].argv[3]) for bundle in asked.send]
    assert {len(spec["flows"]) * 30 / spec["rate"] for spec in specs} == {1.0}


@pytest.mark.parametrize("name", ["beacon", "prober", "question"])
def test_scripts_are_whole_and_old_pythons_read_them(name: str) -> None:
    tree = ast.parse(script(name), feature_version=(3, 7))
    imported = {
        alias.name if isinstance(node, ast.Import) else node.module or ""
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert all(module.split(".")[0] in sys.stdlib_module_names for module in imported)


def test_nothing_remains_of_the_namespaces_when_the_test_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from tests.checks.conftest import World\n"
        "world = World(); print(*world.inner.values(), world.enter[3], flush=True); time.sleep(600)"
    )
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": f"{root}:{root / 'src'}"}
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout is not None
    first = Path("/proc") / process.stdout.readline().split()[3]
    assert first.exists()
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    deadline = time.monotonic() + 60
    while first.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
