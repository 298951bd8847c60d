"""`seatrial kernels` as people and teams use it: mark, override, export, import, with the real ssh-keygen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.perform.test_signatures import allow, key

ROOT = Path(__file__).parents[2]
BAD = "6.1.0-56-cloud-amd64"


def run(folder: Path, *words: str, by: str = "ann") -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "src"),
        "HOME": str(folder),
        "SEATRIAL_DATABASE": f"sqlite:///{folder / 'journal.db'}",
        "SEATRIAL_BY": by,
        "LC_ALL": "C.UTF-8",
    }
    argv = [sys.executable, "-m", "seatrial", "kernels", *words]
    return subprocess.run(
        argv, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


def said(folder: Path, *words: str) -> str:
    ended = run(folder, *words)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_a_mark_is_shown_overridden_and_refused_again(tmp_path: Path) -> None:
    assert "no trial has ended yet" in said(tmp_path)
    said(tmp_path, "mark", BAD, "--role", "gateway", "--why", "drops answers")
    assert f"BAD  {BAD} for role gateway   marked by ann" in said(tmp_path)
    said(tmp_path, "override", BAD, "--why", "fixed by a setting", "--until", "7d")
    assert "overridden by ann, until" in said(tmp_path)
    (row,) = json.loads(said(tmp_path, "--json"))["kernels"]
    assert (row["kernel"], row["good"], row["refuses"], row["override"]["why"]) == (
        BAD,
        False,
        False,
        "fixed by a setting",
    )
    said(tmp_path, "override", BAD, "--why", "it was not", "--end")
    (row,) = json.loads(said(tmp_path, "--json"))["kernels"]
    assert row["refuses"]
    assert "ended" in said(tmp_path)


def test_verdicts_are_shared_as_a_signed_file_and_refuse_elsewhere(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    said(here, "mark", BAD, "--role", "gateway", "--why", "drops answers")
    signing, file = key(tmp_path, "ours"), str(tmp_path / "kernels.json")
    assert "1 verdict," in said(here, "export", file, "--key", str(signing))
    allowed = str(allow(tmp_path, signing))
    assert "signed by net-team" in said(there, "import", file, "--signers", allowed)
    assert f"BAD  {BAD} for role gateway   imported from net-team" in said(there)
    (row,) = json.loads(said(there, "--json"))["kernels"]
    assert row["refuses"]
    again = run(there, "import", file, "--signers", allowed)
    assert again.returncode == 4
    assert "was imported already, by ann" in again.stderr
    # What others found is theirs to export.
    assert "0 verdicts," in said(there, "export", str(tmp_path / "more.json"), "--key", str(signing))


def test_a_file_that_was_changed_or_is_of_nobody_known_is_refused_and_leaves_no_event(tmp_path: Path) -> None:
    said(tmp_path, "mark", BAD, "--role", "gateway", "--why", "drops answers")
    signing, file = key(tmp_path, "ours"), tmp_path / "kernels.json"
    said(tmp_path, "export", str(file), "--key", str(signing))
    there = tmp_path / "there"
    there.mkdir()
    changed = tmp_path / "changed.json"
    changed.write_text(file.read_text().replace("drops answers", "drops nothing"))
    stranger = allow(tmp_path, key(tmp_path, "other")).rename(tmp_path / "strangers")
    allowed = allow(tmp_path, signing)
    for what, signers, says in (
        (changed, allowed, "is not what net-team signed"),
        (file, stranger, "is signed by nobody in"),
        (ROOT / "LICENSE", allowed, "is no file of exported verdicts"),
        (tmp_path / "none", allowed, "there is no such file"),
    ):
        ended = run(there, "import", str(what), "--signers", str(signers))
        assert ended.returncode == 2
        assert says in ended.stderr
        assert "hint: " in ended.stderr
        assert len(ended.stderr.splitlines()) == 2
    assert "no trial has ended yet" in said(there)


def test_what_is_not_said_whole_is_asked_for(tmp_path: Path) -> None:
    for words, says in (
        (("mark", BAD, "--why", "w"), "a role is wanted"),
        (("mark", BAD, "--role", "gateway"), "a reason is wanted"),
        (("override", BAD, "--why", "w"), "one of --until and --end"),
        (("override", BAD, "--why", "w", "--until", "soon"), "is no time"),
        (("override", BAD, "--why", "w", "--until", "7d"), "is not remembered as bad"),
        (("export", "f.json", "--key", "none"), "there is no such key"),
    ):
        ended = run(tmp_path, *words)
        assert (ended.returncode, says in ended.stderr) == (2, True), ended.stderr
