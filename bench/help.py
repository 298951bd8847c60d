"""How long `--help` takes, of the program and of each verb, beside Python itself and a peer. Prints a table; see help.md."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from cyclopts import App

from seatrial.cli.main import app
from seatrial.clock import monotonic

ROUNDS = 5


def verbs(here: App, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every verb, with those above it."""
    for name in list(here):
        if not name.startswith("-"):
            yield (*above, name)
            yield from verbs(here[name], (*above, name))


def took(argv: Sequence[str]) -> float:
    """The median of some runs, in milliseconds; the first, which fills the caches, does not count."""
    seconds = []
    for _ in range(ROUNDS + 1):
        began = monotonic()
        subprocess.run(
            argv, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        seconds.append(monotonic() - began)
    return statistics.median(seconds[1:]) * 1000


def main() -> None:
    """Print the table, the slowest verb first."""
    print(f"median of {ROUNDS} runs, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}")
    python = sys.executable
    print(f"{took([python, '-c', 'pass']):7.0f} ms  python -c pass")
    peers = Path(os.environ.get("PEERS", python)).parent
    if ansible := shutil.which("ansible", path=f"{peers}:{os.environ['PATH']}"):
        print(f"{took([ansible, '--version']):7.0f} ms  ansible --version")
    print(f"{took([python, '-m', 'seatrial', '--help']):7.0f} ms  seatrial --help")
    rows = [(took([python, "-m", "seatrial", *verb, "--help"]), " ".join(verb)) for verb in verbs(app)]
    for milliseconds, verb in sorted(rows, reverse=True):
        print(f"{milliseconds:7.0f} ms  seatrial {verb} --help")


if __name__ == "__main__":
    main()
