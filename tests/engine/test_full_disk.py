"""A disk that is full in the middle of a rollout: one clear sentence, and nothing lost or done twice once there is room."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from seatrial.model.event import Kind
from tests.engine.rehearsed import controlled, ending, events

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("scenario", "behind"), [("good", 1), ("good", 14), ("gateway-2021", 25)])
def test_a_full_disk_stops_the_controller_and_loses_nothing(
    tmp_path: Path, scenario: str, behind: int
) -> None:
    room, home = tmp_path / "room", tmp_path / "home"
    room.mkdir()
    home.mkdir()
    inside = [
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "--",
        sys.executable,
        "-m",
        "tests.engine.full",
    ]
    done = subprocess.run(
        [*inside, str(room), str(home), str(behind), scenario],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["exit"], told["kept"]) == (4, behind)
    # Whether an Event or the renewal of its lease meets it first is a race.
    assert re.fullmatch(
        "the journal (took no event|does not answer): database or disk is full", told["message"]
    )
    assert "make room" in told["hint"]
    code, said = told["pause"]
    assert code == 4 and said.startswith(
        "seatrial: the journal took no event: database or disk is full\n  hint: "
    )
    assert len(said.splitlines()) == 2
    # Reading needs no room.
    assert told["status"] == [0, ""]
    assert controlled(tmp_path / "whole", scenario) == 0
    assert ending(home) == ending(tmp_path / "whole")
    # Only what was cut off is asked for again; what had been written is not.
    again = [event.kind for event in events(home)].count(Kind.CONTROLLER_TOOK)
    assert again == (1 if behind == 1 else 2)
