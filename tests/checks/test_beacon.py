"""The beacon and the prober against real kernels: what is lost, where, and what each end and the router say of it."""

from __future__ import annotations

import json
import subprocess
import time
from typing import Any

import pytest

from seatrial.checks import flow as flows
from seatrial.diagnose.explain import explain
from seatrial.model.command import Output
from seatrial.model.fleet import Fleet
from seatrial.model.observation import FlowCount
from seatrial.model.result import Outcome, Result

from .conftest import World, fleet_of

THREE: list[dict[str, Any]] = [{"protocol": "udp"}, {"protocol": "tcp"}, {"protocol": "icmp"}]
OUTER = "203.0.113.9"
SNAT = "table ip nat {{ chain post {{ type nat hook postrouting priority srcnat; oifname router2 snat to {}; }}\n}}\n"
DROP = "table inet bad {{ chain forward {{ type filter hook forward priority 0; {} drop; }}\n}}\n"


def judged(fleet: Fleet, counts: dict[str, FlowCount], **how: Any) -> dict[str, Result]:
    return {one.check: one for one in flows.judge(fleet, list(counts.values()), carrier="router", **how)}


def test_healthy_flows_pass_and_the_router_shows_that_it_carried_every_probe(world: World) -> None:
    fleet = fleet_of(*THREE)
    counts, outputs = world.probe(fleet, "healthy")
    for name, one in counts.items():
        assert (one.asked, one.sent, one.arrived, one.answered) == (32, 32, 32, 32), (name, one, outputs)
        assert one.sources == {"192.0.2.2": 32}
        assert one.carried == {"router": 32}
        assert one.sender == "192.0.2.2"
        assert len(one.rtt_ms) == 32
    assert {one.outcome for one in judged(fleet, counts).values()} == {Outcome.PASS}


def test_translated_flows_arrive_as_the_outer_address(world: World) -> None:
    world.nft(SNAT.format(OUTER))
    fleet = fleet_of(*({**flow, "source": OUTER} for flow in THREE))
    counts, _ = world.probe(fleet, "snat")
    assert all(one.sources == {OUTER: 32} and one.carried == {"router": 32} for one in counts.values()), (
        counts
    )
    assert {one.outcome for one in judged(fleet, counts).values()} == {Outcome.PASS}


def test_a_wrong_source_is_its_own_failure(world: World) -> None:
    world.nft(SNAT.format("203.0.113.77"))
    fleet = fleet_of(*({**flow, "source": OUTER} for flow in THREE))
    counts, _ = world.probe(fleet, "wrong")
    for result in judged(fleet, counts).values():
        assert result.outcome is Outcome.FAIL
        assert result.because == "passed, but arrived as 203.0.113.77 instead of 203.0.113.9"


def test_what_is_dropped_on_the_way_out_never_arrives(world: World) -> None:
    world.nft(DROP.format("iifname router"))
    fleet = fleet_of(*THREE)
    counts, _ = world.probe(fleet, "out")
    for one in counts.values():
        assert (one.sent, one.arrived, one.answered, one.carried) == (32, 0, 0, {"router": 0}), one
    for result in judged(fleet, counts).values():
        assert result.outcome is Outcome.FAIL
        assert result.because == "went out, never arrived (router carried 0 of 32)"


def test_lost_answers_of_translated_flows_are_told_from_lost_probes(world: World) -> None:
    world.nft(SNAT.format(OUTER))
    world.nft(DROP.format("ct direction reply ct status snat"))
    fleet = fleet_of(*({**flow, "source": OUTER} for flow in THREE))
    counts, outputs = world.probe(fleet, "replies")
    for one in counts.values():
        assert (one.sent, one.arrived, one.answered) == (32, 32, 0), (one, outputs)
        assert one.sources == {OUTER: 32}
        assert one.carried == {"router": 32}
    for result in judged(fleet, counts).values():
        assert result.because == "went out, arrived as 203.0.113.9, answer lost"
        assert result.evidence["lost"] == 100.0


def test_the_lost_answers_of_translated_flows_are_named_from_what_real_kernels_say(world: World) -> None:
    world.nft(SNAT.format(OUTER).replace("snat to", "meta l4proto { tcp, udp } th dport != 7009 snat to"))
    world.nft(DROP.format("ct direction reply ct status snat"))
    fleet = fleet_of(
        {"protocol": "udp", "source": OUTER},
        {"protocol": "tcp", "source": OUTER},
        {"protocol": "udp", "name": "public-udp", "port": 7009},
        {"protocol": "tcp", "name": "public-tcp", "port": 7009},
    )
    counts, _ = world.probe(fleet, "named")
    explained = explain(fleet, list(counts.values()), carrier="router")
    diagnosis, sentence = explained.diagnosis, explained.sentence
    assert diagnosis.suspects[0].components == ("router:reply-translation",), counts
    assert sentence.startswith(
        "Replies of translated flows are lost at router (99 %). Flows that are not translated"
    )


def test_lost_answers_of_tcp_are_seen_when_the_translation_changes_ports(world: World) -> None:
    world.nft(SNAT.format(f"{OUTER} random"))
    world.nft(DROP.format("ct direction reply ct status snat"))
    fleet = fleet_of({"protocol": "tcp", "source": OUTER})
    counts, _ = world.probe(fleet, "ports")
    assert (counts["tcp"].arrived, counts["tcp"].sources) == (32, {OUTER: 32})


def test_lost_answers_of_tcp_are_seen_without_the_right_to_a_raw_socket(world: World) -> None:
    world.nft(DROP.format("ct direction reply"))
    fleet = fleet_of({"protocol": "tcp"})
    asked = flows.ask(fleet, fleet.flows, run="modest", probes=32, rate=400)
    outputs = {}
    (listen,) = asked.listen[0].commands
    bare = ["setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw", *listen.argv]
    done = subprocess.run(
        world.argv("far", bare), input=listen.stdin, capture_output=True, timeout=60, check=True
    )
    outputs["flow.listen", "far"] = Output(command=listen, status=0, stdout=done.stdout.decode())
    for step in (asked.send, asked.collect, asked.carried):
        outputs.update(world.bundles(step))
    assert json.loads(outputs["flow.collect", "far"].stdout)["ports"][0]["saw"] == "table"
    (one,) = flows.count(asked, outputs)
    assert (one.sent, one.arrived, one.answered) == (32, 32, 0), outputs


def test_an_mtu_hole_loses_only_what_is_large(world: World) -> None:
    world.nft(DROP.format("meta length > 1400"))
    large = [{**flow, "name": f"{flow['protocol']}-large", "size": 1500, "df": True} for flow in THREE]
    fleet = fleet_of(*THREE, *large)
    counts, outputs = world.probe(fleet, "hole")
    results = judged(fleet, counts)
    for name in ("udp", "tcp", "icmp"):
        assert results[name].outcome is Outcome.PASS, (results[name], outputs)
        result = results[f"{name}-large"]
        assert result.outcome is Outcome.FAIL
        assert result.because.startswith("too big: went out, never arrived at 1500 bytes"), (result, counts)


def test_large_packets_pass_where_the_path_takes_them(world: World) -> None:
    fleet = fleet_of(*({**flow, "size": 1500, "df": True} for flow in THREE))
    counts, _ = world.probe(fleet, "large")
    assert all(one.answered == 32 and one.size == 1500 for one in counts.values()), counts
    assert {one.outcome for one in judged(fleet, counts).values()} == {Outcome.PASS}


def test_a_packet_larger_than_the_own_link_is_too_big_here(world: World) -> None:
    fleet = fleet_of(
        {"protocol": "udp", "size": 3000, "df": True}, {"protocol": "icmp", "size": 3000, "df": True}
    )
    counts, _ = world.probe(fleet, "here")
    for name, result in judged(fleet, counts).items():
        assert counts[name].errors == {"EMSGSIZE": 32}
        assert result.because == "too big: 3000 bytes do not leave near"


def test_a_link_of_the_far_end_that_takes_less_is_not_passed_over(world: World) -> None:
    world.shell("far", "ip link set far mtu 1400")
    fleet = fleet_of({"protocol": "tcp", "size": 1500, "df": True})
    counts, _ = world.probe(fleet, "less")
    result = judged(fleet, counts)["tcp"]
    assert result.outcome is Outcome.UNKNOWN
    assert result.because == "passed, but in packets of 1400 bytes: one end takes no 1500"


def test_ipv6_flows_pass_and_are_shown_to_be_carried(world: World) -> None:
    fleet = fleet_of(*({**flow, "address": "2001:db8:2::9"} for flow in THREE))
    counts, outputs = world.probe(fleet, "six")
    for one in counts.values():
        assert (one.sent, one.arrived, one.answered) == (32, 32, 32), (one, outputs)
        assert one.sources == {"2001:db8:1::2": 32}
        assert one.carried == {"router": 32}, outputs
    assert {one.outcome for one in judged(fleet, counts).values()} == {Outcome.PASS}


def test_partial_loss_is_measured_and_judged_by_what_is_allowed(world: World) -> None:
    world.nft(DROP.format("iifname router meta l4proto { udp, icmp } numgen random mod 5 == 0"))
    fleet = fleet_of({"protocol": "udp"}, {"protocol": "icmp"})
    counts, _ = world.probe(fleet, "fifth", probes=400, rate=1000)
    for one in counts.values():
        assert one.arrived == one.answered
        assert 30 <= one.sent - one.answered <= 150, one
        assert one.carried == {"router": one.answered}
    strict = judged(fleet, counts)
    assert all(one.outcome is Outcome.FAIL and "never arrived for" in one.because for one in strict.values())
    lenient = judged(fleet, counts, max_loss=50.0)
    assert all(one.outcome is Outcome.PASS and "lost" in one.because for one in lenient.values())


def test_a_port_that_is_in_use_is_unknown_and_says_what_to_do(world: World) -> None:
    fleet = fleet_of({"protocol": "udp", "port": 7000}, {"protocol": "tcp", "port": 7001})
    first = flows.ask(fleet, fleet.flows, run="first", probes=8, rate=400)
    world.bundles(first.listen)
    counts, _ = world.probe(fleet, "second", probes=8)
    for name, result in judged(fleet, counts).items():
        assert result.outcome is Outcome.UNKNOWN
        assert f"{name} port {fleet.flows[name].port} is in use" in result.because
        assert result.hint
    world.bundles(first.collect)


def test_listening_again_for_the_same_run_takes_the_place_of_the_older_listener(world: World) -> None:
    fleet = fleet_of(*THREE)
    first = flows.ask(fleet, fleet.flows, run="again", probes=32, rate=400)
    world.bundles(first.listen)
    counts, _ = world.probe(fleet, "again")
    assert all(one.answered == 32 for one in counts.values()), counts


def test_a_listener_ends_by_itself_and_leaves_nothing(world: World) -> None:
    fleet = fleet_of(*THREE)
    asked = flows.ask(fleet, fleet.flows, run="short", probes=8, rate=400)
    (listen,) = asked.listen[0].commands
    spec = json.dumps({**json.loads(listen.argv[3]), "lifetime": 1})
    argv = world.argv("far", [*listen.argv[:3], spec])
    subprocess.run(argv, input=listen.stdin, capture_output=True, timeout=60, check=True)
    assert "7000" in world.shell("far", "ss -Hlnu")
    deadline = time.monotonic() + 60
    while world.shell("far", "ss -Hlnut; ss -Hlnw"):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    asked_late = world.bundles(asked.collect)["flow.collect", "far"]
    assert "no listener of this run" in json.loads(asked_late.stdout)["problem"]


def test_strangers_are_neither_answered_nor_counted(world: World) -> None:
    fleet = fleet_of({"protocol": "udp"}, {"protocol": "tcp"})
    asked = flows.ask(fleet, fleet.flows, run="alone", probes=8, rate=400)
    outputs = world.bundles(asked.listen)
    stranger = """
import socket
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.settimeout(0.5)
u.sendto(b"x" * 40, ("198.51.100.9", 7000))
try: print(u.recv(100))
except OSError: print("silence")
t = socket.create_connection(("198.51.100.9", 7001)); t.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
try: print(t.recv(100))
except OSError: print(b"")
"""
    argv = world.argv("near", ["python3", "-c", stranger])
    said = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True).stdout
    assert said == "silence\nb''\n"
    for step in (asked.send, asked.collect, asked.carried):
        outputs.update(world.bundles(step))
    assert all((one.arrived, one.answered) == (8, 8) for one in flows.count(asked, outputs))


def test_nobody_listening_is_refused_and_nothing_is_called_a_pass(world: World) -> None:
    fleet = fleet_of({"protocol": "udp"}, {"protocol": "tcp"})
    asked = flows.ask(fleet, fleet.flows, run="nobody", probes=8, rate=400)
    outputs = world.bundles(asked.send)
    counts = {one.flow: one for one in flows.count(asked, outputs)}
    assert all(set(one.errors) == {"ECONNREFUSED"} for one in counts.values()), counts
    assert all(one.outcome is Outcome.UNKNOWN for one in judged(fleet, counts).values())


@pytest.mark.parametrize("tool", ["proc", "conntrack"])
def test_the_table_of_connections_is_read_with_either_tool(world: World, tool: str) -> None:
    both = [{**flow, "name": f"{flow['protocol']}-6", "address": "2001:db8:2::9"} for flow in THREE]
    fleet = fleet_of(*THREE, *both)
    asked = flows.ask(fleet, fleet.flows, run=tool, probes=16, rate=400)
    outputs = {**world.bundles(asked.listen), **world.bundles(asked.send), **world.bundles(asked.collect)}
    (bundle,) = asked.carried
    (command,) = bundle.commands
    shell = (
        command.argv[2].replace("command -v conntrack", "command -v no-such-program")
        if tool == "proc"
        else command.argv[2]
    )
    argv = world.argv("router", [*command.argv[:2], shell, *command.argv[3:]])
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)
    outputs["flow.carried", "router"] = Output(command=command, status=0, stdout=done.stdout)
    assert all(one.carried == {"router": 16} for one in flows.count(asked, outputs)), done.stdout


def test_a_host_that_tracks_nothing_cannot_show_that_it_carried(world: World) -> None:
    world.nft("delete table inet track")
    fleet = fleet_of({"protocol": "udp"})
    counts, _ = world.probe(fleet, "stateless")
    result = judged(fleet, counts)["udp"]
    assert result.outcome is Outcome.UNKNOWN
    assert result.because == "passed, but nothing shows that router carried it"
