"""Load along declared flows, through a real router between namespaces: paced, measured, told when it fails, and bounded."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from .conftest import World, fleet_of

ROOT = Path(__file__).parents[2]
LONG = 120.0
PORT = 20199


def written(folder: Path, world: World, **load: Any) -> str:
    """The fleet file of the three places, each reached by its namespaces, with one load along both flows."""
    flows = fleet_of(
        {"protocol": "tcp"},
        {"protocol": "udp"},
    ).model_dump(by_alias=True, mode="json", exclude_none=True)["flows"]
    child = Path(f"/proc/{world.holder.pid}/task/{world.holder.pid}/children").read_text().split()[0]
    pids = Path(f"/proc/{child}/task/{child}/children").read_text().split()
    reach = {
        name: {"netns": f"/proc/{pid}/ns/net", "userns": f"/proc/{pid}/ns/user"}
        for name, pid in zip(("near", "router", "far"), pids, strict=False)
    }
    fleet = {
        "version": 1,
        "name": "f",
        "stages": [{"name": "staging"}],
        "hosts": {"router": {"stage": "staging", "roles": ["gateway"], "reach": reach["router"]}},
        "vantages": {"near": reach["near"], "far": reach["far"]},
        "flows": flows,
        "loads": {
            "churn": {"kind": "flows", "from": "near", "along": list(flows), "port": PORT, "rate": 40, **load}
        },
    }
    path = folder / "fleet.yaml"
    path.write_text(yaml.safe_dump(fleet))
    return str(path)


def argv(path: str, *words: str) -> list[str]:
    return [sys.executable, "-m", "seatrial", "soak", "load", "churn", "-f", path, *words]


def environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src"), "LC_ALL": "C.UTF-8"}


def run(path: str, *words: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        argv(path, "--json", *words), env=environment(), capture_output=True, text=True, timeout=LONG
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout.splitlines()[0])


def opened(world: World) -> int:
    """How many connections the near place has begun, ever."""
    lines = world.shell("near", "cat /proc/net/snmp").splitlines()
    names, numbers = (line.split() for line in lines if line.startswith("Tcp:"))
    return int(numbers[names.index("ActiveOpens")])


def until(wanted: Callable[[], bool]) -> None:
    ends = time.monotonic() + LONG
    while not wanted():
        assert time.monotonic() < ends
        time.sleep(0.1)


def test_connections_and_datagrams_go_through_the_router_no_faster_than_said(
    world: World, tmp_path: Path
) -> None:
    status, said = run(written(tmp_path, world, size=5000), "--for", "3s")
    assert (status, said["problem"], said["failed"]) == (0, None, 0)
    assert set(said["operations"]) == {"connect", "answer", "datagram"}
    for one in said["operations"].values():
        # Half of the turns are the connections', half the datagrams'; a slow machine does fewer.
        assert 0 < one["a_second"] <= 24
        assert one["ms"] > 0
    assert opened(world) >= 10
    # Each was a connection of its own for the router.
    table = world.shell("router", "conntrack -L 2>/dev/null || cat /proc/net/nf_conntrack")
    assert table.count(f"dport={PORT}") >= 10


def test_what_the_router_drops_is_counted_as_failed_and_does_not_look_quick(
    world: World, tmp_path: Path
) -> None:
    world.nft(
        "table inet lossy { chain forward {\n"
        "type filter hook forward priority 0; policy accept;\n"
        f"tcp dport {PORT} drop\n}}\n}}\n"
    )
    status, said = run(written(tmp_path, world), "--for", "3s")
    assert status == 3
    assert "connect: no answer within 2 s" in said["problem"]
    assert said["failed"] > 0
    assert set(said["operations"]) == {"datagram"}


def test_a_port_that_is_taken_is_said_and_nothing_is_sent(world: World, tmp_path: Path) -> None:
    taken = f"import socket; s = socket.create_server(('', {PORT})); print(1, flush=True); s.accept()"
    with subprocess.Popen(world.argv("far", ["python3", "-c", taken]), stdout=subprocess.PIPE) as other:
        try:
            assert other.stdout is not None and other.stdout.readline()
            status, said = run(written(tmp_path, world), "--for", "1s")
        finally:
            other.kill()
    assert status == 3
    assert f"far: tcp port {PORT} is in use" in said["problem"]
    assert opened(world) == 0


def test_it_ends_with_its_controller_at_both_ends(world: World, tmp_path: Path) -> None:
    path = written(tmp_path, world, hold="1s")
    running = subprocess.Popen(argv(path, "--for", "10m"), env=environment(), stdout=subprocess.DEVNULL)
    try:
        until(lambda: opened(world) > 20)
    finally:
        running.send_signal(signal.SIGKILL)
        running.wait()

    def still() -> bool:
        before = opened(world)
        time.sleep(2.0)  # long enough for eighty more at that rate
        return opened(world) == before

    until(still)
    # The far end listens on for a while, for nobody, and then is gone as well.
    until(lambda: f"{PORT:04X} " not in world.shell("far", "cat /proc/net/tcp"))
