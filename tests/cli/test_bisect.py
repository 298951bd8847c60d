"""`seatrial bisect` from the command line, rehearsed: what it prints, its exit codes, and what it refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from seatrial.cli.main import app
from seatrial.errors import SeatrialError

ROOT = Path(__file__).parents[2]
RELEASES = tuple(f"6.1.0-{abi}-cloud-amd64" for abi in range(47, 57))
GOOD, BAD = RELEASES[0], RELEASES[-1]


@pytest.fixture
def debs(tmp_path: Path) -> Path:
    """A folder with ten packages, of which a rehearsal needs the names only."""
    folder = tmp_path / "debs"
    folder.mkdir()
    for number, release in enumerate(RELEASES):
        (folder / f"linux-image-{release}_6.1.{170 + number}-1_amd64.deb").touch()
    return folder


def bisect(folder: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "seatrial", "bisect", *argv],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT / "src"),
            "XDG_STATE_HOME": str(folder / "state"),
            "SEATRIAL_BY": "you",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_a_rehearsed_search_names_the_first_bad_kernel_and_writes_the_report(
    tmp_path: Path, debs: Path
) -> None:
    report = tmp_path / "report.txt"
    told = bisect(
        tmp_path, GOOD, BAD, "--debs", str(debs), "--rehearse", "--stand-in", RELEASES[5], "--report", str(report)
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert f"first bad: {RELEASES[5]} (6.1.175-1), last good: {RELEASES[4]} (6.1.174-1)   ok" in told.stdout
    assert f"seatrial suspects {RELEASES[4]} {RELEASES[5]}" in told.stdout
    assert "Version: 6.1.175-1\n" in report.read_text()
    again = bisect(tmp_path, "--resume", "b1")
    assert again.returncode == 0
    assert f"first bad: {RELEASES[5]}" in again.stdout
    assert "boot 1" not in again.stdout, "a search that is over boots nothing"


def test_for_programs_each_event_is_an_object_and_the_last_line_is_the_answer(
    tmp_path: Path, debs: Path
) -> None:
    told = bisect(
        tmp_path, GOOD, BAD, "--debs", str(debs), "--rehearse", "--stand-in", RELEASES[3],
        "--stand-in-flaky", "0.2", "--json",
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    *events, answer = [json.loads(line) for line in told.stdout.splitlines()]
    assert [one["kind"] for one in events[:3]] == ["bisect.started", "bisect.trying", "bisect.tried"]
    assert (answer["bisect"], answer["ending"]) == ("b1", "found")
    assert (answer["first"], answer["last"], answer["last_good"]) == (RELEASES[3], RELEASES[3], RELEASES[2])
    assert answer["confidence"] >= 0.99
    assert answer["boots"] == sum(one["kind"] == "bisect.trying" for one in events)


@pytest.mark.parametrize(
    ("first_bad", "more", "code", "says"),
    [
        (GOOD, (), 1, f"{GOOD} (6.1.170-1) fails as well"),
        (RELEASES[5], ("--will-not-boot", RELEASES[4]), 3, f"first bad: one of {RELEASES[4]}"),
        (RELEASES[5], ("--will-not-boot", BAD), 3, f"{BAD} (6.1.179-1) could not be tried"),
        (RELEASES[5], ("--stand-in-flaky", "0.3", "--most-boots", "6"), 3, "not decided after 6 boots"),
    ],
    ids=["good-fails", "range", "bad-will-not-boot", "undecided"],
)
def test_what_names_no_kernel_says_why_and_has_its_exit_code(
    tmp_path: Path, debs: Path, first_bad: str, more: tuple[str, ...], code: int, says: str
) -> None:
    told = bisect(tmp_path, GOOD, BAD, "--debs", str(debs), "--rehearse", "--stand-in", first_bad, *more)
    assert says in told.stdout
    assert told.returncode == code


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ((), "which kernels?"),
        ((GOOD,), "which kernels?"),
        ((BAD, GOOD), "is not older than"),
        ((GOOD, "6.1.0-99-cloud-amd64"), "has no kernel '6.1.0-99-cloud-amd64'"),
        ((GOOD, BAD, "--rehearse"), "a rehearsal needs a fault"),
        ((GOOD, BAD, "--rehearse", "--stand-in", "6.1.0-9"), "--stand-in 6.1.0-9 is none of the kernels"),
        ((GOOD, BAD, "--will-not-boot", BAD), "--will-not-boot is for a rehearsal"),
        ((GOOD, BAD, "--flaky", "0.5"), "--flaky 0.5 is not below a half"),
        ((GOOD, BAD, "--confidence", "1"), "--confidence 1.0 is not between a half and 1"),
        ((GOOD, BAD, "--most-boots", "1"), "GOOD and BAD are two"),
        ((GOOD, BAD, "--test", ""), "--test is empty"),
        ((GOOD, BAD, "--test", "true", "--flow", "x"), "--test takes the place of flows and checks"),
        ((GOOD, BAD, "--on-host"), "--on-host is about --test"),
        ((GOOD, BAD, "--flow", "no-such-flow"), "there is no flow 'no-such-flow'"),
        ((GOOD, BAD, "--rollout", "r1"), "there is no rollout 'r1'"),
        ((GOOD, BAD, "--lab", "nobody"), "no lab nobody is up here"),
        ((GOOD, BAD, "--host", "gw-x9"), "no topology of the lab has"),
        (("--resume", "b7"), "there is no bisect 'b7'"),
        ((GOOD, BAD, "--resume", "b1"), "knows its kernels"),
        (("--resume", "b1", "--flow", "x"), "knows its kernels"),
        (("--resume", "b1", "--flaky", "0"), "knows its kernels"),
    ],
    ids=lambda value: "" if isinstance(value, tuple) else str(value)[:40],
)  # fmt: skip
def test_wrong_input_is_one_sentence_with_a_hint_before_anything_boots(
    monkeypatch: pytest.MonkeyPatch, debs: Path, argv: tuple[str, ...], says: str
) -> None:
    # A lab's sockets want a short path.
    with TemporaryDirectory(prefix="st-", dir="/tmp") as state:
        monkeypatch.setenv("XDG_STATE_HOME", state)
        with pytest.raises(SeatrialError) as refused:
            app(
                ["bisect", *argv, *(() if "--resume" in argv else ("--debs", str(debs)))],
                result_action="return_value",
            )
    assert says in refused.value.message
    assert refused.value.hint
    assert refused.value.exit_code == (4 if "--lab" in argv else 2)


def test_a_folder_without_kernels_is_refused(tmp_path: Path) -> None:
    told = bisect(tmp_path, GOOD, BAD, "--debs", str(tmp_path))
    assert told.returncode == 2
    assert "has no kernel package" in told.stderr
