"""`seatrial report` and `seatrial log` as people use them: a person's line, a spell of time, a failover, each format."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from seatrial.journal.store import Journal
from seatrial.model.event import Kind
from tests.checklist.told import environment
from tests.docs.pages import ROOT
from tests.engine.rehearsed import controlled


def told(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "seatrial", *words],
        env={
            **environment(),
            "SEATRIAL_DATABASE": f"sqlite:///{folder / 'journal.db'}",
            "SEATRIAL_BY": "you",
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report") / "story"
    assert controlled(folder, "gateway-2021") == 0
    return folder


@pytest.mark.parametrize(
    ("as_", "begins"),
    [("markdown", "# Rollout r1"), ("wikitext", "= <nowiki>Rollout r1"), ("html", "<!doctype html>")],
)
def test_a_rollout_in_each_format(story: Path, as_: str, begins: str) -> None:
    ended = told(story, "report", "r1", "--format", as_)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith(begins)
    assert "Replies of translated flows are lost at gw-s1" in ended.stdout


def test_a_person_s_line_without_a_rollout_is_told_with_everything_of_that_time(tmp_path: Path) -> None:
    added = told(tmp_path, "log", "phones ring,\x1b[2J routers\nlook fine")
    assert (added.returncode, added.stderr) == (0, "")
    assert "in no rollout: phones ring,\\x1b[2J routers look fine" in added.stdout
    ended = told(tmp_path, "report", "--since", "1h")
    assert "note: phones ring,\\\\x1b\\[2J routers look fine (you)" in ended.stdout
    document = json.loads(told(tmp_path, "report", "--since", "1h", "--json").stdout)
    assert [line["step"] for line in document["lines"]] == ["note"]
    assert "nothing of that time" in told(tmp_path, "report", "--since", "2099-01-01").stdout


def test_a_person_s_line_belongs_to_the_rollout_that_runs(tmp_path: Path) -> None:
    store = Journal(f"sqlite:///{tmp_path / 'journal.db'}")
    name = store.new_rollout()
    data = {"candidate": "6.1", "hosts": ["gw"], "roles": {"gw": ["gateway"]}, "fleet": "", "why": "x"}
    store.append(Kind.ROLLOUT_STARTED, rollout=name, by="you", data=data)
    assert ", r1: watch the load" in told(tmp_path, "log", "watch the load").stdout
    assert "note: watch the load (you)" in told(tmp_path, "report", "r1").stdout


def test_a_failover_has_a_report_of_its_own(tmp_path: Path) -> None:
    store = Journal(f"sqlite:///{tmp_path / 'journal.db'}")
    name = store.new_failover()
    begun = {"group": "nfs", "driver": "drbd-nfs", "to": "nfs-2", "origin": "nfs-1", "why": "a disk"}
    store.append(Kind.FAILOVER_STARTED, rollout=name, by="you", data=begun)
    store.append(
        Kind.FAILOVER_ENDED, rollout=name, by="seatrial", data={"outcome": "moved", "because": "nfs-2 serves"}
    )
    ended = told(tmp_path, "report", name)
    assert ended.stdout.startswith("# Failover f1 of nfs: moved\n")
    assert "from nfs-1 to nfs-2" in ended.stdout and "Reason: a disk." in ended.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("log", " "), "empty or too long"),
        (("log", "x" * 1001), "empty or too long"),
        (("log", "x", "--rollout", "r9"), "there is no rollout 'r9'"),
        (("report", "--since", "soon"), "neither a duration nor a time"),
    ],
)
def test_wrong_input_is_exit_code_two_with_a_hint(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    ended = told(tmp_path, *words)
    assert ended.returncode == 2
    assert said in ended.stderr and "hint:" in ended.stderr
