"""`seatrial drift` as it is typed: this machine without a fleet file, snapshots, and what is wrong with the words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from seatrial.drift.facts import script
from seatrial.drift.window import script as window_script
from seatrial.journal.store import Journal
from seatrial.model.event import Kind

SOURCE = Path(__file__).parents[2] / "src"


def told(*argv: str, folder: Path) -> tuple[int, str, str]:
    """What it exits with and says."""
    ended = subprocess.run(
        [sys.executable, "-m", "seatrial", "drift", *argv],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    return ended.returncode, ended.stdout, ended.stderr


def test_this_machine_is_read_without_a_fleet_file(tmp_path: Path) -> None:
    code, said, wrong = told("--local", "--json", folder=tmp_path)
    assert wrong == ""
    document = json.loads(said)
    (host,) = document["hosts"].values()
    assert host["kernel"] == os.uname().release
    assert host["asked"] >= 50
    assert code == {"pass": 0, "fail": 1, "unknown": 3}[document["outcome"]]
    assert all(one["fix"] for one in document["findings"])


def test_what_was_found_is_kept_for_the_page(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'journal.db'}"
    _, said, _ = told("--local", "--json", "--keep", "--database", url, folder=tmp_path)
    document = json.loads(said)
    (event,) = Journal(url).latest(Kind.DRIFT_AUDITED)
    assert (event.rollout, event.host) == ("", next(iter(document["hosts"])))
    assert event.data["findings"] == document["findings"]
    assert [one["name"] for one in event.data["unread"]] == [one["name"] for one in document["unknown"]]


def test_two_snapshots_are_kept_and_compared(tmp_path: Path) -> None:
    code, first, _ = told("snapshot", "--local", folder=tmp_path)
    assert code == 0
    (tmp_path / "first.json").write_text(first)
    assert told("diff", "first.json", "first.json", folder=tmp_path)[0] == 0
    changed = json.loads(first)
    changed["topics"]["packages"]["nginx-of-this-test"] = "1.0"
    (tmp_path / "second.json").write_text(json.dumps(changed))
    code, said, _ = told("diff", "first.json", "second.json", "--json", folder=tmp_path)
    assert code == 1
    ((one,),) = json.loads(said)["hosts"].values()
    assert one["sentence"] == "packages: nginx-of-this-test is new (1.0)"


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("--local", "--host", "gw"), "--local is this machine alone"),
        (("diff", "none.json", "none.json"), "there is no such file"),
        ((), "fleet.yaml"),
    ],
)
def test_what_is_wrong_with_the_words_is_said_with_a_hint(
    argv: tuple[str, ...], says: str, tmp_path: Path
) -> None:
    code, _, wrong = told(*argv, folder=tmp_path)
    assert code == 2
    assert says in wrong and "hint: " in wrong


@pytest.mark.parametrize("shell", [("dash",), ("bash",), ("busybox", "sh")])
def test_the_script_runs_to_its_end_in_each_shell(shell: tuple[str, ...]) -> None:
    ended = subprocess.run([*shell, "-s"], input=script(), capture_output=True, timeout=900, check=False)
    assert ended.returncode == 0
    assert ended.stdout.endswith(b"\n@done\n")


@pytest.mark.parametrize("whole", [script(), window_script()], ids=["audit", "window"])
def test_the_script_passes_a_linter(tmp_path: Path, whole: bytes) -> None:
    (tmp_path / "drift.sh").write_bytes(whole)
    ended = subprocess.run(
        ["shellcheck", "--shell=sh", "--severity=warning", tmp_path / "drift.sh"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stdout == ""


def test_what_a_command_line_has_of_secrets_does_not_leave_the_host() -> None:
    words = (
        "--a=https://jane:12345@secret.example.test:2379",
        "--b=https://jane:hunter2@secret.example.test",
        "--c=https://known.example.test:2379/path?token=hunter2",
        "--password=hunter2",
        "--cert=/etc/hunter/two.pem",
    )
    running = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()", *words],
        stdin=subprocess.PIPE,
        env={**os.environ, "SECRET_OF_THIS_TEST": "hunter2", "CA": "/etc/hunter/ca.crt"},
    )
    try:
        ended = subprocess.run(["dash", "-s"], input=script(), capture_output=True, timeout=900, check=True)
    finally:
        running.communicate(b"")
    said = ended.stdout.decode(errors="replace")
    assert f"|{running.pid} /etc/hunter/two.pem" in said
    assert f"|{running.pid} /etc/hunter/ca.crt" in said
    assert f"|{running.pid} https://known.example.test:2379\n" in said
    assert "hunter2" not in said and "secret.example.test" not in said and "jane" not in said
