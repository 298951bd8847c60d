"""How long `--help` takes, of the program and of each verb, beside Python itself and a peer. Prints a table; see help.md.

The second figure is the processor's time, which hardly depends on what else the machine does.
"""

from __future__ import annotations

import os
import resource
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


def took(argv: Sequence[str]) -> tuple[float, float]:
    """Medians of some runs, by the clock and of the processor, in ms; the first, which fills the caches, does not count."""
    rows = []
    for _ in range(ROUNDS + 1):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), monotonic()
        subprocess.run(
            argv, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        clock, after = monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        rows.append((clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
    clocks, processors = zip(*rows[1:], strict=True)
    return statistics.median(clocks) * 1000, statistics.median(processors) * 1000


def main() -> None:
    """Print the table, the slowest verb first."""
    print(f"median of {ROUNDS} runs, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}")
    python = sys.executable
    told(took([python, "-c", "pass"]), "python -c pass")
    peers = Path(os.environ.get("PEERS", python)).parent
    if ansible := shutil.which("ansible", path=f"{peers}:{os.environ['PATH']}"):
        told(took([ansible, "--version"]), "ansible --version")
    told(took([python, "-m", "seatrial", "--help"]), "seatrial --help")
    rows = [(took([python, "-m", "seatrial", *verb, "--help"]), " ".join(verb)) for verb in verbs(app)]
    for taken, verb in sorted(rows, reverse=True):
        told(taken, f"seatrial {verb} --help")
    # A burst of somebody else's work makes single verbs of the table slow, and then it shows here.
    print(f"load {os.getloadavg()[0]:.1f} at the end")


def told(taken: tuple[float, float], of: str) -> None:
    clock, processor = taken
    print(f"{clock:7.0f} ms {processor:7.0f} ms of the processor   {of}", flush=True)


if __name__ == "__main__":
    main()
