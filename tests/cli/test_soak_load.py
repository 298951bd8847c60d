"""`seatrial soak load`: work on purpose, from where the fleet says, no faster than it says, and gone with its controller."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
LONG = 120.0


def argv(*words: str) -> list[str]:
    return [sys.executable, "-m", "seatrial", "soak", "load", *words]


def environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src"), "LC_ALL": "C.UTF-8"}


def fleet(folder: Path) -> str:
    (folder / "volume").mkdir()
    path = folder / "fleet.yaml"
    path.write_text(
        "version: 1\nname: f\nstages: [{name: staging}]\n"
        "hosts: {h: {stage: staging, roles: [nfs], reach: {local: true}}}\n"
        "loads:\n"
        f"  files: {{kind: share, from: h, path: {folder}/volume, rate: 20, size: 2048, threads: 2}}\n"
        f"  nowhere: {{kind: share, from: h, path: {folder}/none}}\n"
        "  commands: {kind: command, from: h, argv: ['false'], rate: 5}\n"
    )
    return str(path)


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv(*words), env=environment(), capture_output=True, text=True, timeout=LONG)


def test_what_was_done_is_said_and_nothing_is_left(tmp_path: Path) -> None:
    done = run("files", "-f", fleet(tmp_path), "--for", "2s", "--json")
    assert done.returncode == 0, done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines()]
    operations = said[0]["operations"]
    assert set(operations) == {"create", "write", "sync", "read", "rename", "remove"}
    # The bound is the rate, with room for the first turns of both threads; a slow machine does fewer.
    assert all(0 < one["a_second"] <= 24 for one in operations.values())
    assert said[0]["problem"] is None
    assert list((tmp_path / "volume").iterdir()) == []


def test_what_cannot_be_done_is_said(tmp_path: Path) -> None:
    path = fleet(tmp_path)
    done = run("nowhere", "-f", path, "--for", "1s")
    assert done.returncode == 3
    assert "No such file or directory" in done.stdout
    done = run("commands", "-f", path, "--for", "1s")
    assert done.returncode == 3
    assert "false ended with status 1" in done.stdout


def test_only_what_the_fleet_names_is_worked_on(tmp_path: Path) -> None:
    path = fleet(tmp_path)
    for words, said in (
        (("other",), "there is no load 'other'"),
        (("files", "--for", "2h"), "is not within an hour"),
        (("files", "--for", "soon"), "--for soon"),
    ):
        done = run(*words, "-f", path)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr and "hint:" in done.stderr


def test_a_load_ends_with_its_controller(tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    running = subprocess.Popen(
        argv("files", "-f", fleet(tmp_path), "--for", "10m"),
        env=environment(),
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_until(lambda: any(volume.iterdir()))
    finally:
        running.send_signal(signal.SIGKILL)
        running.wait()
    wait_until(lambda: not any(volume.iterdir()))


def wait_until(true) -> None:  # type: ignore[no-untyped-def]
    ends = time.monotonic() + LONG
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.1)
