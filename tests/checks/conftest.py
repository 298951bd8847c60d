"""Three network namespaces in a row, near - router - far, that end with the test, also when it is killed.

Everything lives in a process namespace of its own whose first process reads from a pipe that only the test holds:
when the test is gone the pipe ends, the process ends, and the kernel ends all others with it.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from seatrial.checks import flow as flows
from seatrial.model.command import Bundle, Command, Output, Trouble
from seatrial.model.fleet import Fleet
from seatrial.model.observation import FlowCount

HOLD = """
mine=$(readlink /proc/$$/ns/net)
for place in near router far; do
    unshare -n sleep infinity &
    while [ "$(readlink /proc/$!/ns/net)" = "$mine" ]; do sleep 0.01; done
    echo $!
done
exec cat
"""

BUILD = """
ip link add near type veth peer name router netns {router}
ip link set near netns {near}
ip link add far type veth peer name router2 netns {router}
ip link set far netns {far}
"""

PLACES = {
    "near": """
        echo 0 | tee /proc/sys/net/ipv6/conf/*/accept_dad >/dev/null
        ip link set lo up; ip link set near up
        ip addr add 192.0.2.2/24 dev near; ip -6 addr add 2001:db8:1::2/64 dev near nodad
        ip route add default via 192.0.2.1; ip -6 route add default via 2001:db8:1::1
        """,
    "far": """
        echo 0 | tee /proc/sys/net/ipv6/conf/*/accept_dad >/dev/null
        ip link set lo up; ip link set far up
        ip addr add 198.51.100.9/24 dev far; ip -6 addr add 2001:db8:2::9/64 dev far nodad
        ip route add default via 198.51.100.1; ip -6 route add default via 2001:db8:2::1
        """,
    "router": """
        echo 0 | tee /proc/sys/net/ipv6/conf/*/accept_dad >/dev/null
        ip link set lo up; ip link set router up; ip link set router2 up
        ip addr add 192.0.2.1/24 dev router; ip -6 addr add 2001:db8:1::1/64 dev router nodad
        ip addr add 198.51.100.1/24 dev router2; ip -6 addr add 2001:db8:2::1/64 dev router2 nodad
        echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
        """,
}

# A stateful rule is what makes the kernel keep a table of connections at all.
TRACKING = "table inet track { chain forward { type filter hook forward priority -10; ct state invalid counter; }\n}\n"


class World:
    """The three places, and how to run something in one of them."""

    def __init__(self) -> None:
        self.holder = subprocess.Popen(
            ["unshare", "-Urnmpf", "--mount-proc", "--kill-child", "sh", "-c", HOLD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.holder.stdout is not None
        self.inner = {place: int(self.holder.stdout.readline()) for place in ("near", "router", "far")}
        children = Path(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children").read_text().split()
        self.enter = ["nsenter", "--preserve-credentials", "-t", children[0], "-U", "-m", "-n", "-p", "--"]

    def build(self) -> None:
        """Links, addresses, routes, and a router that keeps a table of connections."""
        self.shell(None, BUILD.format(**self.inner))
        for place, lines in PLACES.items():
            self.shell(place, lines)
        self.nft(TRACKING)

    def argv(self, place: str | None, argv: Sequence[str]) -> list[str]:
        inside = [] if place is None else ["nsenter", "-t", str(self.inner[place]), "-n", "--"]
        return [*self.enter, *inside, *argv]

    def shell(self, place: str | None, lines: str) -> str:
        argv = self.argv(place, ["sh", "-ec", lines])
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def nft(self, rules: str) -> None:
        """Rules of the router, and of nothing else."""
        done = subprocess.run(
            self.argv("router", ["nft", "-f", "-"]),
            input=rules,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def run(self, place: str, command: Command) -> Output:
        try:
            done = subprocess.run(
                self.argv(place, command.argv),
                input=command.stdin,
                capture_output=True,
                timeout=120,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Output(command=command, status=None, trouble=Trouble.TIMEOUT, problem="too slow")
        return Output(
            command=command,
            status=done.returncode,
            stdout=done.stdout.decode(errors="replace"),
            stderr=done.stderr.decode(errors="replace"),
        )

    def bundles(self, wanted: Sequence[Bundle]) -> dict[tuple[str, str], Output]:
        return {
            (command.name, bundle.vantage): self.run(bundle.vantage, command)
            for bundle in wanted
            for command in bundle.commands
        }

    def probe(
        self, fleet: Fleet, run: str, probes: int = 32, rate: int = 400
    ) -> tuple[dict[str, FlowCount], dict[tuple[str, str], Output]]:
        """One whole round, as the engine does it."""
        asked = flows.ask(fleet, fleet.flows, run=run, probes=probes, rate=rate)
        outputs: dict[tuple[str, str], Output] = {}
        for step in (asked.listen, asked.send, asked.collect, asked.carried):
            outputs.update(self.bundles(step))
        return {one.flow: one for one in flows.count(asked, outputs)}, outputs

    def end(self) -> None:
        assert self.holder.stdin is not None and self.holder.stdout is not None
        self.holder.stdin.close()
        self.holder.wait(timeout=30)
        self.holder.stdout.close()


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    try:
        made.build()
        yield made
    finally:
        made.end()


def fleet_of(*wanted: dict[str, Any]) -> Fleet:
    """A fleet of the three places; each flow is named after its protocol unless it says otherwise."""
    declared = {}
    for number, flow in enumerate(wanted):
        flow = {
            "stage": "staging",
            "from": "near",
            "to": "far",
            "by": "router",
            "address": "198.51.100.9",
            **flow,
        }
        if flow["protocol"] != "icmp":
            flow.setdefault("port", 7000 + number)
        declared[flow.pop("name", flow["protocol"])] = flow
    return Fleet.model_validate_json(
        json.dumps(
            {
                "version": 1,
                "name": "three",
                "stages": [{"name": "staging"}],
                "hosts": {"router": {"stage": "staging", "roles": ["gateway"], "reach": {"simulated": True}}},
                "vantages": {"near": {"simulated": True}, "far": {"simulated": True}},
                "flows": declared,
            }
        )
    )
