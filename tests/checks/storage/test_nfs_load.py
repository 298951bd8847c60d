"""A load of kind `nfs`: a client of our own against a real server through a router, without NFS in any kernel."""

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

import pytest
import yaml

from ..conftest import World
from .test_nfs_server import FAR, Ganesha, ganesha

__all__ = ["ganesha"]
ROOT = Path(__file__).parents[3]
LONG = 120.0
LIST = f"""
import nfs_rs
with nfs_rs.Client.connect("nfs://{FAR}/srv", versions=("4.1",), nfs_port=2049, uid=0, gid=0, operation_timeout=30) as client:
    print(len(client.listdir("/tools")))
"""


@pytest.fixture
def path(world: World, tmp_path: Path) -> str:
    child = Path(f"/proc/{world.holder.pid}/task/{world.holder.pid}/children").read_text().split()[0]
    near = Path(f"/proc/{child}/task/{child}/children").read_text().split()[0]
    reach = {"netns": f"/proc/{near}/ns/net", "userns": f"/proc/{near}/ns/user"}
    files = {"kind": "nfs", "from": "near", "address": FAR, "path": "/srv/tools", "rate": 20, "threads": 2}
    fleet = {
        "version": 1,
        "name": "f",
        "stages": [{"name": "staging"}],
        "hosts": {"h": {"stage": "staging", "roles": ["nfs"], "reach": {"local": True}}},
        "vantages": {"near": reach},
        "loads": {"files": files, "elsewhere": {**files, "path": "/srv/none"}},
    }
    made = tmp_path / "fleet.yaml"
    made.write_text(yaml.safe_dump(fleet))
    return str(made)


def argv(path: str, *words: str) -> list[str]:
    return [sys.executable, "-m", "seatrial", "soak", "load", *words, "-f", path, "--json"]


def environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src"), "LC_ALL": "C.UTF-8"}


def run(path: str, *words: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        argv(path, *words), env=environment(), capture_output=True, text=True, timeout=LONG, check=False
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout.splitlines()[0])


def there(world: World) -> int:
    """How much is in the export."""
    argv = world.argv("near", [sys.executable, "-c", LIST])
    done = subprocess.run(argv, capture_output=True, text=True, timeout=LONG, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def until(wanted: Callable[[], bool]) -> None:
    ends = time.monotonic() + LONG
    while not wanted():
        assert time.monotonic() < ends
        time.sleep(0.1)


def test_files_are_worked_on_no_faster_than_said_and_nothing_is_left(
    world: World, ganesha: Ganesha, path: str
) -> None:
    status, said = run(path, "files", "--for", "2s")
    assert (status, said["failed"], said["problem"]) == (0, 0, None)
    operations = said["operations"]
    assert set(operations) == {"connect", "create", "write", "read", "rename", "remove"}
    assert all(0 < operations[name]["a_second"] <= 24 for name in operations)
    assert there(world) == 0


def test_an_export_that_is_not_there_is_said(world: World, ganesha: Ganesha, path: str) -> None:
    status, said = run(path, "elsewhere", "--for", "1s")
    assert (status, said["operations"]) == (3, {})
    assert "no such file or directory" in said["problem"]


def test_a_server_that_hangs_is_failures_and_no_quick_operations_until_it_goes_on(
    world: World, ganesha: Ganesha, path: str
) -> None:
    with started(path) as running:
        try:
            until(lambda: there(world) > 0)
            ganesha.stop()
            assert running.stdout is not None
            lines = (json.loads(line) for line in running.stdout)
            hung = next(one for one in lines if one["failed"])
            assert hung["problem"]
            ganesha.go_on()
            # It goes on by itself, with new connections.
            next(one for one in lines if not one["failed"] and one["operations"])
        finally:
            ganesha.go_on()
            running.send_signal(signal.SIGKILL)


def test_it_ends_with_its_controller_and_takes_away_what_it_made(
    world: World, ganesha: Ganesha, path: str
) -> None:
    with started(path) as running:
        try:
            until(lambda: there(world) > 0)
        finally:
            running.send_signal(signal.SIGKILL)
    until(lambda: there(world) == 0)


def started(path: str) -> subprocess.Popen[str]:
    words = argv(path, "files", "--for", "5m")
    return subprocess.Popen(words, env=environment(), stdout=subprocess.PIPE, text=True)
