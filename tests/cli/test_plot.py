"""`--plot` as a person and as a script starts it: recorded samples, and the soak of a rollout from its journal."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from seatrial.model.event import Kind
from seatrial.picture.terminal import NARROWEST
from tests.docs.pages import fences
from tests.engine.rehearsed import controlled, events

ROOT = Path(__file__).parents[2]
STORY = ROOT / "examples" / "labstore-2017"
TEXT = "{http://www.w3.org/2000/svg}text"


def run(*words: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src"), "LC_ALL": "C.UTF-8", **more}
    return subprocess.run(
        [sys.executable, "-m", "seatrial", *words],
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def judged(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return run("soak", "judge", str(STORY / "load.csv"), *words, folder=folder, **more)


@pytest.fixture(scope="module")
def rollout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A rehearsed rollout whose candidate was slow under load."""
    folder = tmp_path_factory.mktemp("rollout")
    assert controlled(folder, "load", measured=True) == 0
    yield folder


def told(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    database = f"sqlite:///{folder / 'journal.db'}"
    return run(*words, folder=folder, SEATRIAL_DATABASE=database, XDG_STATE_HOME=str(folder), **more)


def test_the_story_of_2017_is_what_its_program_makes() -> None:
    made = subprocess.run([sys.executable, STORY / "make.py"], capture_output=True, text=True, check=True)
    assert made.stdout == (STORY / "load.csv").read_text()


def test_the_story_of_2017_fails_and_is_drawn_with_its_events(tmp_path: Path) -> None:
    ended = judged(tmp_path, "--events", str(STORY / "events.csv"), "--plot", "story.svg")
    assert (ended.returncode, ended.stderr) == (1, "")
    assert ended.stdout.splitlines()[-1] == "picture   story.svg: 2 of 2 series, the worst first"
    said = [at.text or "" for at in ElementTree.parse(tmp_path / "story.svg").iter(TEXT)]
    assert {"load.5", "waiting.nfsd", "FAIL", "since", "fail", "A", "G"} <= set(said)
    for event in ("failover to labstore1004", "I/O scheduler changed", "failback to labstore1004"):
        assert any(event in line for line in said)
    assert [path.name for path in tmp_path.iterdir()] == ["story.svg"]


def test_a_png_has_the_width_that_was_asked_for(tmp_path: Path) -> None:
    ended = judged(
        tmp_path, "--plot", "story.PNG", "--width", "390", "--theme", "dark", "--panels", "1", "--json"
    )
    assert ended.returncode == 1
    assert [json.loads(line)["outcome"] for line in ended.stdout.splitlines()] == ["fail", "fail"]
    image = Image.open(io.BytesIO((tmp_path / "story.PNG").read_bytes()))
    assert image.format == "PNG" and image.size[0] == 780


def test_the_same_samples_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        judged(tmp_path, "--plot", name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


@pytest.mark.parametrize("columns", [80, 120])
def test_the_terminal_is_filled_and_not_more_and_has_no_colour_where_there_is_none(
    tmp_path: Path, columns: int
) -> None:
    ended = judged(tmp_path, "--events", str(STORY / "events.csv"), "--plot", "-", COLUMNS=str(columns))
    assert ended.returncode == 1
    assert "\x1b" not in ended.stdout
    lines = ended.stdout.splitlines()
    drawn = lines[lines.index("2 fail of 2 series") + 1 :]
    assert columns - 3 <= max(len(line) for line in drawn) <= columns
    assert any("┤" in line for line in drawn)
    assert any(re.match(r" A  Jun 29 15:36:00  failover to labstore1004", line) for line in drawn)


def test_the_page_shows_what_the_terminal_shows(tmp_path: Path) -> None:
    ended = judged(tmp_path, "--events", str(STORY / "events.csv"), "--plot", "-", COLUMNS="100")
    (shown,) = [text for _, text in fences(ROOT / "docs" / "soak.md") if text.startswith("load.5  fail")]
    assert ended.stdout.endswith(shown)
    assert "shown at 2017-06-29 17:20:00 UTC after 21 pairs" in told_in_svg(tmp_path)


def told_in_svg(folder: Path) -> str:
    judged(folder, "--plot", "s.svg")
    return " ".join(at.text or "" for at in ElementTree.parse(folder / "s.svg").iter(TEXT))


def test_a_terminal_of_plain_letters_gets_plain_letters(tmp_path: Path) -> None:
    ended = judged(tmp_path, "--plot", "-", LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert ended.returncode == 1, ended.stderr
    assert ended.stdout.isascii()
    assert "xx candidate   .. good" in ended.stdout
    assert NARROWEST <= 80


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--plot", "story.gif"), 2, "its name says neither SVG nor PNG"),
        (("--plot", "-", "--json"), 2, "--plot - and --json both want the standard output"),
        (("--plot", "s.svg", "--panels", "0"), 2, "--panels 0 is not within 1 and 50"),
        (("--plot", "s.svg", "--width", "20"), 2, "--width 20 is not within 320 and 4000 pixels"),
        (("--events", "e.csv"), 2, "--events are drawn, and there is no --plot"),
        (("--plot", "s.svg", "--events", "e.csv"), 2, "e.csv: there is no such file"),
        (("--plot", "no/such/s.svg"), 4, "cannot write no/such/s.svg: No such file or directory"),
    ],
)
def test_what_cannot_be_drawn_is_said_and_leaves_nothing(
    tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    ended = judged(tmp_path, *words)
    assert ended.returncode == code
    assert said in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_rollout_s_soak_is_drawn_from_its_journal(rollout: Path, tmp_path: Path) -> None:
    path = tmp_path / "a (b) & c.svg"
    ended = told(rollout, "report", "--plot", str(path))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "## What was measured on gw-s1" in ended.stdout
    row = r"\| disk\.vda\.latency \| fail \| [\d.]+ \([\d.]+ to [\d.]+\) \|"
    assert re.search(row, ended.stdout.replace("\\", ""))
    assert "](" + str(tmp_path) + "/a%20%28b%29%20%26%20c.svg)" in ended.stdout
    root = ElementTree.parse(path)
    said = [at.text or "" for at in root.iter(TEXT)]
    assert {"disk.vda.latency", "load.1", "FAIL", "UNKNOWN", "ms", "since", "fail"} <= set(said)
    assert "gw-s1: 6.1.0-56-cloud-amd64 against 6.1.0-47-cloud-amd64" in said
    for state in ("armed: back to", "rebooting: ", "on trial: ", "soaking: ", "reverting: ", "reverted: "):
        assert any(state in line for line in said), state
    assert any(re.match(r"3 of \d+ stretches do not count", line) for line in said)


def test_since_and_the_verdict_stand_at_the_time_of_day(rollout: Path, tmp_path: Path) -> None:
    told(rollout, "report", "--plot", str(tmp_path / "s.svg"))
    verdict = next(
        one for one in events(rollout) if one.kind == Kind.VERDICT and one.data["outcome"] == "fail"
    )
    first = min(
        row[0]
        for one in events(rollout)
        if one.kind == Kind.SAMPLES and one.data["arm"] == "candidate" and one.data["loaded"]
        for row in one.data["series"]["disk.vda.latency"]
    )
    said = " ".join(at.text or "" for at in ElementTree.parse(tmp_path / "s.svg").iter(TEXT))
    assert f"shown at {verdict.at:%Y-%m-%d %H:%M:%S} UTC" in said
    began = re.search(r"worse since 2026-01-01 00:(\d\d):(\d\d) UTC", said)
    assert began is not None
    assert abs(60 * int(began[1]) + int(began[2]) - (first - 1767225600)) <= 1


def test_status_and_report_draw_on_the_terminal(rollout: Path) -> None:
    for words in (("rollout", "status"), ("report",)):
        ended = told(rollout, *words, "--plot", "-")
        assert ended.returncode == (1 if words[0] == "rollout" else 0), ended.stderr
        title = r"^disk\.vda\.latency  fail  [\d.]+x good \([\d.]+x to [\d.]+x\)$"
        assert re.search(title, ended.stdout, re.MULTILINE)
        assert re.search(
            r" C  00:0\d:\d\d  on trial: 6\.1\.0-56-cloud-amd64 is up, its boot id", ended.stdout
        )


def test_a_host_that_was_not_measured_is_named(rollout: Path, tmp_path: Path) -> None:
    ended = told(rollout, "report", "--plot", str(tmp_path / "s.svg"), "--host", "gw-p1")
    assert ended.returncode == 2
    assert "nothing was measured on gw-p1 in r1" in ended.stderr
    assert "there are: gw-s1" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_nothing_of_the_drawing_is_loaded_for_who_does_not_draw() -> None:
    program = (
        "import sys; import seatrial.cli.main, seatrial.cli.soak, seatrial.cli.report, seatrial.cli.rollout;"
        "print([name for name in sys.modules if name.startswith(('PIL', 'seatrial.picture', 'seatrial.soak.pict'))])"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src")}
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == "[]"
