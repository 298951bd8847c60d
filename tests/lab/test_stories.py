"""The stories of `seatrial demo` as a person starts them, each in a lab of its own that is gone afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

pytestmark = pytest.mark.lab

SOURCE = Path(__file__).parents[2] / "src"
LONG = 3600


@pytest.fixture
def home() -> Iterator[Path]:
    """A state directory whose path is short enough for the sockets in it."""
    with TemporaryDirectory(prefix="st-", dir="/tmp") as folder:
        yield Path(folder)


@pytest.mark.parametrize(
    ("options", "outcome", "not_touched"),
    [
        (("--scenario", "good"), "blessed", []),
        (("--scenario", "gateway-2021", "--real-bug"), "reverted", ["gw-p1", "gw-p2"]),
    ],
)
def test_a_story_ends_as_it_should(
    home: Path, options: tuple[str, ...], outcome: str, not_touched: list[str]
) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "seatrial", "demo", *options, "--json"],
        env={**os.environ, "PYTHONPATH": str(SOURCE), "XDG_STATE_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )
    last = json.loads(told.stdout.splitlines()[-1])
    assert told.returncode == 0, (last, told.stderr)
    assert (last["outcome"], last["not_touched"]) == (outcome, not_touched)
    assert not (home / "seatrial" / "labs").exists(), "a lab that is down leaves no file"
