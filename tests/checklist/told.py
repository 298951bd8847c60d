"""What the two programs print for a file, without what differs each time; run as a program, it writes the golden files."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"
FILES = sorted(GOLDEN.glob("*.yaml"))
# Seconds: short where commands hang, which costs as much, and long where a busy machine must not decide.
TIMEOUTS = {path.stem: 1.0 if path.stem == "hostile-time" else 30.0 for path in FILES}

_TIME = re.compile(r"^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\]", re.MULTILINE)


def environment() -> dict[str, str]:
    """A small one, so that what is there does not decide."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "src"),
        "HOME": "/nonexistent",
        "LC_ALL": "C.UTF-8",
    }


def ended(
    *words: str | Path, cwd: Path, more: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """`python -m ...` to its end."""
    return subprocess.run(
        [sys.executable, "-m", *map(str, words)],
        cwd=cwd,
        env={**environment(), **(more or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def check(
    path: str | Path, *words: str, cwd: Path, more: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return ended("seatrial", "check", "--checklist", path, *words, cwd=cwd, more=more)


def old(
    path: str | Path, *words: str, cwd: Path, more: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return ended("seatrial.cli.checklist", "--config-file", path, *words, cwd=cwd, more=more)


def plain(text: str) -> str:
    """Without the time of day, how long it took, and the machine."""
    text = _TIME.sub("[TIME]", text)
    text = re.sub(r"^\[TIME\] INFO: --- took .*\n", "", text, flags=re.MULTILINE)
    return re.sub(r"\A((?:\[TIME\] WARNING: .*\n)*\[TIME\] INFO: ---) (?!passed).*", r"\1 MACHINE", text)


def told(path: Path) -> str:
    """Both programs on one file, as its golden file has it."""
    parts = []
    with tempfile.TemporaryDirectory() as name:
        room = Path(name)
        (room / path.name).write_bytes(path.read_bytes())
        for title, program in (("check", check), ("drop-in", old)):
            done = program(path.name, "--timeout", str(TIMEOUTS[path.stem]), cwd=room)
            parts.append(f"== {title}: exit {done.returncode}\n{plain(done.stdout)}")
            if done.stderr:
                parts.append(f"-- stderr\n{done.stderr}")
            left = sorted(entry.name for entry in room.iterdir() if entry.name != path.name)
            assert left == [], left
    return "".join(parts)


if __name__ == "__main__":
    for file in FILES:
        file.with_suffix(".txt").write_text(told(file))
