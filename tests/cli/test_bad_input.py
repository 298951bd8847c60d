"""Bad input at the command line: one clear error with a hint, the exit code of the contract, and nothing changed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLEET = """\
version: 1
name: bad
stages: [{{name: staging}}]
hosts: {{gw: {{stage: staging, roles: [gateway], reach: {{ssh: gw, ssh_config: {config}}}}}}}
vantages: {{a: {{ssh: a, ssh_config: {config}}}, b: {{ssh: b, ssh_config: {config}}}}}
flows: {{f: {{stage: staging, from: a, to: b, address: 192.0.2.1, protocol: udp, port: 7001, by: gw}}}}
"""


@pytest.fixture
def deaf(tmp_path: Path) -> Path:
    """A fleet whose places all lead to a port of this machine that nobody listens on."""
    config = tmp_path / "ssh_config"
    config.write_text("Host *\n  HostName 127.0.0.1\n  Port 9\n", encoding="utf-8")
    fleet = tmp_path / "fleet.yaml"
    fleet.write_text(FLEET.format(config=config), encoding="utf-8")
    return fleet


def seatrial(folder: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "seatrial", *argv],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "XDG_STATE_HOME": str(folder / "state")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_ten_mistakes_are_all_named_at_once(tmp_path: Path) -> None:
    told = seatrial(tmp_path, "check", "-f", str(ROOT / "tests" / "fleetfile" / "ten_mistakes.yaml"))
    assert told.returncode == 2
    assert told.stderr.count("ten_mistakes.yaml:") == 10
    assert "hint:" in told.stderr


def test_a_missing_fleet_file_is_one_sentence_and_json_when_asked(tmp_path: Path) -> None:
    told = seatrial(tmp_path, "check", "-f", str(tmp_path / "no.yaml"), "--json")
    assert told.returncode == 2
    document = json.loads(told.stdout)
    assert "there is no such file" in document["error"]
    assert document["hint"]


def test_a_vantage_that_cannot_be_reached_is_unknown_with_what_to_do(tmp_path: Path, deaf: Path) -> None:
    told = seatrial(tmp_path, "check", "-f", str(deaf), "--json")
    assert told.returncode == 3
    (result,) = json.loads(told.stdout)["results"]
    assert result["outcome"] == "unknown"
    assert "Connection refused" in result["because"]
    assert result["hint"]


def test_a_host_that_cannot_be_reached_is_refused(tmp_path: Path, deaf: Path) -> None:
    told = seatrial(tmp_path, "rollout", "start", "6.1.0-56", "-f", str(deaf))
    assert told.returncode == 4
    assert "refused" in told.stdout
    assert "hint:" in told.stdout


@pytest.mark.parametrize(
    "argv",
    [("rollout", "status"), ("rollout", "resume", "r9"), ("report", "r9"), ("check", "--flow", "no")],
)
def test_what_is_not_there_is_said_to_be_so(tmp_path: Path, deaf: Path, argv: tuple[str, ...]) -> None:
    more = ("-f", str(deaf)) if argv[0] == "check" else ()
    told = seatrial(tmp_path, *argv, *more)
    assert told.returncode == 2, told.stderr
    assert "hint:" in told.stderr
    assert "Traceback" not in told.stderr
