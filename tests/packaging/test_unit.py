"""The unit of the page: what systemd says of it, and that the program can live with what it forbids."""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "packaging" / "seatrial.service"
MOST_EXPOSED = 1.5


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that is there, since what is not installed cannot be verified."""
    made = tmp_path / "seatrial.service"
    made.write_text(UNIT.read_text().replace("/usr/bin/seatrial", "/bin/true"))
    return made


def analyze(*words: str) -> str:
    ended = subprocess.run(
        ["systemd-analyze", *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    return ended.stdout


def test_systemd_finds_no_mistake_in_it(unit: Path) -> None:
    analyze("verify", "--man=no", "--recursive-errors=no", str(unit))


def test_it_is_hardly_exposed_and_the_docs_say_how_much(unit: Path) -> None:
    said = analyze("security", "--no-pager", "--offline=true", str(unit))
    found = re.search(r"exposure level for seatrial\.service: ([\d.]+)", said)
    assert found and float(found[1]) <= MOST_EXPOSED
    assert f"exposure level {found[1]}" in (ROOT / "docs" / "install.md").read_text()


def test_the_settings_name_options_that_there_are() -> None:
    from seatrial.cli.main import app

    for line in (ROOT / "packaging" / "serve.env").read_text().splitlines():
        if "SERVE_OPTIONS=" in line:
            words = line.partition("=")[2].split()
            command, *_ = app.parse_args(["serve", *words], exit_on_error=False, print_error=False)
            assert command.__module__ == "seatrial.cli.serve"


def deny_writing_and_executing() -> None:
    # PR_SET_MDWE is what MemoryDenyWriteExecute= asks of newer kernels.
    if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) != 0:
        os.write(2, b"this kernel has no PR_SET_MDWE\n")


def test_the_page_needs_no_memory_that_is_written_and_executed() -> None:
    words = "import seatrial.web.app, seatrial.journal.store, seatrial.cli.serve, seatrial.picture.png"
    subprocess.run(
        [sys.executable, "-c", words],
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        preexec_fn=deny_writing_and_executing,
    )
