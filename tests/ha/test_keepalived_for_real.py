"""Two real keepalived with real conntrackd in namespaces of their own, both address families, moved by the real engine."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seatrial.clock import SystemClock
from seatrial.engine import failover
from seatrial.ha.keepalived import KeepalivedStanding
from seatrial.journal.store import Journal
from seatrial.model.failover import Ending, FailoverState
from seatrial.model.fleet import Fleet
from seatrial.perform.look import standing_of
from seatrial.perform.world import World
from seatrial.vantage.local import LocalVantage
from seatrial.vantage.pool import Pool

LONG = 120.0
V4, V6 = "192.0.2.10", "2001:db8::10"
OWN = ("unshare", "-Urnmpf", "--mount-proc", "--kill-child")
# One user namespace owns all places, so that an ordinary user may make links between them.
HOLD = """
for config in "$@"; do
    unshare -n -m sh -c '
        set -e
        mount -t tmpfs none /run
        mkdir -p /run/seatrial /run/conntrackd
        [ "$1" = - ] || mount --bind "$1" /etc/conntrackd
        echo 0 | tee /proc/sys/net/ipv6/conf/*/accept_dad >/dev/null
        ip link set lo up
        echo $$
        exec sleep infinity' sh "$config" &
done
exec cat
"""
KEEPALIVED = """
global_defs {
    router_id %(name)s
}
track_file yield {
    file /run/seatrial/yield
    weight -50
    init_file 0
}
vrrp_sync_group both {
    group {
        v4
        v6
    }
    track_file {
        yield
    }
}
"""
INSTANCE = """
vrrp_instance %(name)s {
    state BACKUP
    interface lan0
    virtual_router_id %(number)d
    priority 100
    advert_int 0.2
    virtual_ipaddress {
        %(address)s dev lan0
    }
}
"""
CONNTRACKD = """
Sync {
    Mode FTFW {
    }
    UDP {
        IPv4_address 192.0.2.%(own)d
        IPv4_Destination_Address 192.0.2.%(peer)d
        Port 3780
        Interface lan0
    }
}
General {
    HashSize 4096
    HashLimit 16384
    LockFile /run/conntrackd/lock
    UNIX {
        Path /run/conntrackd/ctl
    }
}
"""
# Whoever connects is kept, so that a connection has to survive.
LISTEN = """
import socket, sys, time
sock = socket.create_server(("::", 7000), family=socket.AF_INET6, dualstack_ipv6=True)
print("ready", flush=True)
kept = []
while True:
    kept.append(sock.accept())
"""
CONNECT = """
import socket, sys
kept = [socket.create_connection((address, 7000), timeout=60) for address in sys.argv[1:]]
print(" ".join(str(one.getsockname()[1]) for one in kept), flush=True)
sys.stdin.read()
"""


class Place(LocalVantage):
    """A machine: a network and a mount namespace, and the way into it."""

    def __init__(self, name: str, outer: list[str], pid: str) -> None:
        super().__init__(name, places=Pool().places)
        self.pid = pid
        self.enter = [*outer, "nsenter", "-t", pid, "-n", "-m", "--"]
        self.is_dead = False

    @property
    def argv(self) -> tuple[str, ...]:
        return ("false",) if self.is_dead else (*self.enter, "sh")

    def sh(self, script: str) -> str:
        argv = [*self.enter, "sh", "-ec", script]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, *argv: str, **options: Any) -> subprocess.Popen[str]:
        options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **options}
        return subprocess.Popen([*self.enter, *argv], stdin=subprocess.PIPE, text=True, **options)


class Pair:
    """Two gateways on one segment with somebody who talks to them."""

    def __init__(self, folder: Path, **mover: Any) -> None:
        self.folder = folder
        for number, name in enumerate(("gw-1", "gw-2"), start=1):
            config = folder / name
            config.mkdir()
            (config / "conntrackd.conf").write_text(CONNTRACKD % {"own": number, "peer": 3 - number})
            both = [("v4", 51, f"{V4}/24"), ("v6", 52, f"{V6}/64")]
            text = KEEPALIVED % {"name": name}
            text += "".join(INSTANCE % {"name": n, "number": i, "address": a} for n, i, a in both)
            (config / "keepalived.conf").write_text(text)
        self.holder = subprocess.Popen(
            [*OWN, "sh", "-c", HOLD, "sh", str(folder / "gw-1"), str(folder / "gw-2"), "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.holder.stdout is not None
        pids = sorted((self.holder.stdout.readline().strip() for _ in range(3)), key=int)
        (inner,) = Path(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children").read_text().split()
        self.outer = ["nsenter", "--preserve-credentials", "-t", inner, "-U", "-m", "-n", "-p", "--"]
        first, second, self.client = (
            Place(name, self.outer, pid) for name, pid in zip(("gw-1", "gw-2", "client"), pids, strict=True)
        )
        self.places = {"gw-1": first, "gw-2": second}
        self.started: list[subprocess.Popen[str]] = []
        self.journal = Journal(f"sqlite:///{folder / 'journal.db'}")
        host = {"stage": "s", "roles": ["gateway"], "reach": {"simulated": True}}
        declared = {
            "version": 1,
            "name": "f",
            "stages": [{"name": "s"}],
            "hosts": {"gw-1": host, "gw-2": host},
            "groups": {
                "gw": {
                    "hosts": ["gw-1", "gw-2"],
                    "mover": {"address": V4, "further": [V6], "conntrackd": True, **mover},
                }
            },
        }
        fleet = Fleet.model_validate_json(json.dumps(declared))
        self.world = World(fleet=fleet, places=self.places, clock=SystemClock())

    def up(self) -> None:
        self.client.sh("ip link add lan type bridge; ip link set lan up")
        self.client.sh("ip addr add 192.0.2.100/24 dev lan; ip addr add 2001:db8::100/64 dev lan nodad")
        for number, (name, place) in enumerate(self.places.items(), start=1):
            link = ["ip", "link", "add", f"to{number}", "netns", self.client.pid, "type", "veth"]
            self.outside([*link, "peer", "name", "lan0", "netns", place.pid])
            self.client.sh(f"ip link set to{number} master lan; ip link set to{number} up")
            place.sh(
                f"ip addr add 192.0.2.{number}/24 dev lan0; ip addr add 2001:db8::{number}/64 dev lan0 nodad;"
                " ip link set lan0 up;"
                " nft 'table inet t { chain i { type filter hook input priority 0; ct state invalid counter; }; }'"
            )
            self.started.append(place.start("conntrackd"))
            conf = self.folder / name / "keepalived.conf"
            self.started.append(place.start("keepalived", "-n", "-l", f"--use-file={conf}"))

    def outside(self, argv: list[str]) -> None:
        """What the owner of all places does."""
        subprocess.run([*self.outer, *argv], check=True, capture_output=True, timeout=60)

    def down(self) -> None:
        # First what everything else lives in: who reads from a process waits for all that hold its pipe.
        self.holder.kill()
        self.holder.communicate()
        for process in self.started:
            process.kill()
            process.communicate()

    async def standing(self) -> KeepalivedStanding:
        seen = await standing_of(self.world, self.world.fleet.groups["gw"])
        assert isinstance(seen, KeepalivedStanding)
        return seen

    async def owner(self) -> str:
        """Who has both addresses, as soon as one has them and both conntrackd answer."""
        async with asyncio.timeout(LONG):
            while True:
                seen = await self.standing()
                ready = all(one.connections is not None for one in seen.members.values())
                if seen.carriers and ready:
                    return min(seen.carriers)
                await SystemClock().sleep(0.2)

    async def move(self, **goal: str) -> FailoverState:
        name = await failover.begin(self.journal, self.world, "gw", by="ada", **goal)
        return await failover.run(self.journal, self.world, name)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    made = Pair(tmp_path)
    try:
        made.up()
        yield made
    finally:
        made.down()


def other(name: str) -> str:
    return "gw-2" if name == "gw-1" else "gw-1"


async def test_both_addresses_move_with_the_connections_and_stay_where_they_were_moved_to(pair: Pair) -> None:
    first = await pair.owner()
    second = other(first)
    server = pair.places[first].start("python3", "-c", LISTEN, stdout=subprocess.PIPE)
    pair.started.append(server)
    assert server.stdout is not None and server.stdout.readline() == "ready\n"
    client = pair.client.start("python3", "-c", CONNECT, V4, V6, stdout=subprocess.PIPE)
    pair.started.append(client)
    assert client.stdout is not None
    ports = client.stdout.readline().split()
    assert len(ports) == 2

    def known(host: str) -> list[str]:
        table = pair.places[host].sh("conntrack -L -f ipv4 2>/dev/null; conntrack -L -f ipv6 2>/dev/null")
        return [port for port in ports if f"sport={port} " in table]

    assert known(first) == ports
    assert known(second) == [], "the peer is told of them, and its kernel is not, before it takes over"
    state = await pair.move(to=second)
    assert (state.outcome, state.because) == (Ending.MOVED, f"{second} has {V4} and {V6}")
    assert await pair.owner() == second
    assert known(second) == ports
    seen = await pair.standing()
    assert seen.members[second].taken and not seen.members[first].yields
    # And back again, where the mark of an earlier time counts for nothing.
    state = await pair.move(away=second)
    assert (state.outcome, await pair.owner()) == (Ending.MOVED, first)
    assert (await pair.standing()).members[first].taken


async def test_a_peer_that_is_dead_is_no_place_to_move_to_and_nothing_is_changed(pair: Pair) -> None:
    first = await pair.owner()
    pair.places[other(first)].sh("ip link set lan0 down")
    pair.places[other(first)].is_dead = True
    state = await pair.move(to=other(first))
    assert state.outcome == Ending.REFUSED
    shown = pair.places[first].sh("ip -o addr show dev lan0; cat /run/seatrial/yield")
    assert V4 in shown and V6 in shown and shown.endswith("\n0\n"), "it has both and was told nothing"


async def test_a_peer_whose_conntrackd_is_dead_gets_nothing_by_plan(pair: Pair) -> None:
    first = await pair.owner()
    pair.places[other(first)].sh("conntrackd -k")
    async with asyncio.timeout(LONG):
        while (await pair.standing()).members[other(first)].connections is not None:
            await SystemClock().sleep(0.2)
    state = await pair.move(to=other(first))
    assert state.outcome == Ending.REFUSED
    assert state.because == f"conntrackd on {other(first)} does not answer"
