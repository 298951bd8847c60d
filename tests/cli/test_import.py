"""`seatrial import` at the command line, and what it made, asked of this machine for real."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .test_bad_input import ROOT, seatrial

FILES = ROOT / "tests" / "fleetfile" / "imported"
FLEET = """\
version: 1
name: imported
stages: [{name: staging}]
hosts: {gw: {stage: staging, roles: [gateway], reach: {ssh: gw}}}
vantages: {here: {local: true}, there: {ssh: there}}
flows: {f: {stage: staging, from: here, to: there, address: 192.0.2.1, protocol: udp, port: 7001, by: gw}}
"""


def test_checks_are_on_standard_output_and_what_is_missing_on_standard_error(tmp_path: Path) -> None:
    told = seatrial(tmp_path, "import", "goss", str(FILES / "goss.yaml"), "--from", "gw")
    assert told.returncode == 0
    assert told.stdout.startswith("checks:\n")
    assert "    from: gw\n" in told.stdout
    lines = told.stderr.splitlines()
    assert sum(line.startswith(f"left out: {FILES / 'goss.yaml'}:") for line in lines) == 9
    assert lines[-2].startswith("import: 35 checks, ")
    assert lines[-1] == "  hint: gw must be a vantage or a host of the fleet file"


def test_json_is_one_document(tmp_path: Path) -> None:
    told = seatrial(
        tmp_path, "import", "blackbox", str(FILES / "blackbox.yml"),
        "--prometheus", str(FILES / "prometheus.yml"), "--stage", "staging", "--json",
    )  # fmt: skip
    assert (told.returncode, told.stderr) == (0, "")
    document = json.loads(told.stdout)
    assert set(document) == {"checks", "left_out", "changed"}
    assert {check["stage"] for check in document["checks"].values()} == {"staging"}
    assert {remark["file"] for remark in document["left_out"]} == {
        str(FILES / "blackbox.yml"),
        str(FILES / "prometheus.yml"),
    }


def test_when_nothing_can_be_carried_over_the_exit_code_says_so(tmp_path: Path) -> None:
    told = seatrial(tmp_path, "import", "blackbox", str(FILES / "blackbox.yml"))
    assert (told.returncode, told.stdout) == (1, "checks: {}\n")
    assert "--prometheus" in told.stderr


@pytest.mark.parametrize(
    "argv",
    [
        ("goss", "no-such.yaml"),
        ("goss", "."),
        ("goss", "bad.yaml"),
        ("goss", "binary.yaml"),
        ("goss", "bomb.yaml"),
        ("cmd-checklist", "bomb.yaml"),
        ("cmd-checklist", "bad.yaml"),
        ("blackbox", "bomb.yaml"),
        ("blackbox", "goss.yaml"),
        ("blackbox", "blackbox.yml", "--prometheus", "bad.yaml"),
        ("goss", "goss.yaml", "--prometheus", "goss.yaml"),
        ("goss", "goss.yaml", "--from", "no name"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_read_is_one_error_with_a_hint(tmp_path: Path, argv: tuple[str, ...]) -> None:
    (tmp_path / "bad.yaml").write_text("a: [\n")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00" * 100)
    bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
    bomb += "".join(
        f"{c}: &{c} [{','.join([f'*{b}'] * 10)}]\n" for b, c in zip("abcdefgh", "bcdefghi", strict=True)
    )
    (tmp_path / "bomb.yaml").write_text(bomb)
    for name in ("goss.yaml", "blackbox.yml"):
        (tmp_path / name).write_bytes((FILES / name).read_bytes())
    words = [str(tmp_path / word) if word.endswith((".yaml", ".yml", ".")) else word for word in argv]
    told = seatrial(tmp_path, "import", *words)
    assert (told.returncode, told.stdout) == (2, ""), told.stderr
    assert "hint:" in told.stderr
    assert "Traceback" not in told.stderr


@pytest.fixture
def listening() -> Iterator[int]:
    """A TCP port of loopback that listens meanwhile."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock.getsockname()[1]


def truths(folder: Path, port: int) -> dict[str, Any]:
    """A goss.yaml that is true of this machine."""
    (folder / "file").write_text("first\nsecond line\n")
    (folder / "file").chmod(0o640)
    (folder / "link").symlink_to("file")
    who = {"owner": "root", "group": "root"} if os.getuid() == 0 else {}
    return {
        "addr": {f"tcp://127.0.0.1:{port}": {"reachable": True, "timeout": 60000}},
        "command": {"echo one; exit 3": {"exit-status": 3, "stdout": ["one", "!two", "/^o.e$/"], "timeout": 60000}},
        "file": {
            str(folder / "file"): {"exists": True, "filetype": "file", "mode": "0640", "size": 18, **who,
                                   "contents": ["second", "!third"],
                                   "sha256": "9c81398f5b382a6f2d4d30fdaff79c5522035e2d9be3ac5915d7668abaf244cf"},
            str(folder / "link"): {"exists": True, "filetype": "symlink", "linked-to": "file"},
            str(folder): {"exists": True, "filetype": "directory"},
            str(folder / "nothing"): {"exists": False},
        },
        "group": {"root": {"exists": True, "gid": 0}, "nobody-has-it": {"exists": False}},
        "user": {"root": {"exists": True, "uid": 0, "gid": 0, "groups": ["root"]}, "nobody-is-it": {"exists": False}},
        "dns": {"localhost": {"resolvable": True, "timeout": 60000}},
        "interface": {"lo": {"exists": True, "addrs": ["127.0.0.1/8"]}, "nosuch0": {"exists": False}},
        "kernel-param": {"kernel.ostype": {"value": "Linux"}},
        "package": {"dpkg": {"installed": True}, "no-such-package": {"installed": False}},
        "port": {f"tcp:{port}": {"listening": True, "ip": ["127.0.0.1"]}, "tcp:9": {"listening": False}},
        "process": {"no-such-program": {"running": False}},
    }  # fmt: skip


def asked(folder: Path, resources: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What a goss.yaml becomes, asked of this machine: the results by the name of the check."""
    (folder / "goss.yaml").write_text(json.dumps(resources))
    made = seatrial(folder, "import", "goss", str(folder / "goss.yaml"))
    assert made.returncode == 0, made.stderr
    assert " 0 left out" in made.stderr
    (folder / "fleet.yaml").write_text(FLEET + made.stdout)
    told = subprocess.run(
        [sys.executable, "-c", ASK, str(folder / "fleet.yaml")],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    results: dict[str, dict[str, Any]] = json.loads(told.stdout)
    return results


ASK = """
import asyncio, json, sys
from pathlib import Path
from seatrial.fleetfile import load
from seatrial.perform.asking import ask_checks
from seatrial.perform.world import open_world

async def main():
    fleet = load(Path(sys.argv[1]))
    world = open_world(fleet)
    results = await ask_checks(world, fleet.checks)
    print(json.dumps({one.check: {"outcome": one.outcome, "because": one.because} for one in results}))
    await world.close()

asyncio.run(main())
"""


def test_what_is_true_of_a_machine_passes(tmp_path: Path, listening: int) -> None:
    results = asked(tmp_path, truths(tmp_path, listening))
    assert len(results) > 20
    assert {name: one for name, one in results.items() if one["outcome"] != "pass"} == {}


def test_what_is_not_true_of_it_fails(tmp_path: Path, listening: int) -> None:
    lies: dict[str, Any] = {
        "addr": {"tcp://127.0.0.1:9": {"reachable": True}},
        "command": {"echo one": {"exit-status": 0, "stdout": ["two"]}},
        "file": {
            "/etc/passwd": {"exists": True, "filetype": "directory"},
            "/etc/group": {"exists": False},
        },
        "group": {"root": {"exists": True, "gid": 4242}, "adm": {"exists": False}},
        "user": {"root": {"exists": True, "shell": "/bin/nothing"}},
        "dns": {"localhost": {"resolvable": True, "addrs": ["192.0.2.1"]}},
        "interface": {"lo": {"exists": True, "addrs": ["192.0.2.1/24"]}},
        "kernel-param": {"kernel.ostype": {"value": "Hurd"}},
        "package": {"dpkg": {"installed": False}, "no-such-package": {"installed": True}},
        "port": {f"tcp:{listening}": {"listening": False}, "tcp:9": {"listening": True}},
        "process": {"no-such-program": {"running": True}},
    }
    results = asked(tmp_path, lies)
    assert {name: one for name, one in results.items() if one["outcome"] != "fail"} == {}
