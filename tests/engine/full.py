"""A rollout whose disk is full in the middle, in a namespace whose only small file system is this process's own.

Run under `unshare --user --map-root-user --mount`: it mounts a small tmpfs at ROOM, has the journal there, and
fills the rest up behind the N-th Event. Prints what the controller and a person's verbs said then, makes room, and goes on.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path

from seatrial.errors import SeatrialError
from seatrial.model.event import Event
from seatrial.vantage.simulation import ControllerFault
from tests.engine import rehearsed

ROOT = Path(__file__).parents[2]


def fill(room: Path) -> None:
    """Leave not one byte."""
    with (room / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(bytes(4096))
    with (room / "filler").open("ab", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(b"0")


def verb(room: Path, *words: str) -> tuple[int, str]:
    """What a person is told by a verb meanwhile."""
    argv = [
        sys.executable,
        "-m",
        "seatrial",
        "rollout",
        *words,
        "--database",
        f"sqlite:///{room / 'journal.db'}",
    ]
    said = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=ROOT)
    return said.returncode, said.stderr


def main() -> None:
    room, home, behind, scenario = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(room)], check=True)
    seen = 0

    def full(_: Event) -> None:
        nonlocal seen
        seen += 1
        if seen == behind:
            fill(room)

    told: dict[str, object] = {}
    try:
        rehearsed.control(home, scenario, ControllerFault(), room=room, after=full)
        told["exit"] = 0
    except SeatrialError as error:
        told |= {"exit": error.exit_code, "message": error.message, "hint": error.hint}
    told["kept"] = len(rehearsed.journal(room).read("r1"))
    told["pause"] = verb(room, "pause", "r1", "--why", "the disk is full")
    told["status"] = verb(room, "status", "r1")
    (room / "filler").unlink()
    rehearsed.control(home, scenario, ControllerFault(), room=room)
    # What is left of it has to be looked at from outside of this namespace.
    with rehearsed.journal(room)._engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    (home / "journal.db").write_bytes((room / "journal.db").read_bytes())
    print(json.dumps(told))


if __name__ == "__main__":
    main()
