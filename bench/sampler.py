"""What it costs a host to be sampled once a second: Seatrial's sampler, sadc of sysstat, and node_exporter when scraped.

What is in: all three at the same time for a minute (`--seconds`), on a host that does a little: it writes to its disk and
has TCP clients that carry data. CPU is user and system time as a share of one core. The sampler is what a rollout runs:
a new one for each stretch of 15 s, from stdin, with all its sources, so the start of Python is in it each time. What is
not: what logins cost. This machine is no NFS server: what one says, and what one of its clients says of its mounts, is
read from files that were captured in the lab, so that every source has something to read. Everything else is the
kernel's own.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from seatrial.checks.onhost import script
from seatrial.clock import monotonic, sleep_blocking
from seatrial.perform.measuring import STRETCH

SADC = "/usr/lib/sysstat/sadc"
EXPORTER = "prometheus-node-exporter"
CLIENTS = 8
GOLDEN = Path(__file__).parents[1] / "tests/soak/golden"
CAPTURED = ("nfs-server/1/proc/net/rpc", "nfs-server/1/proc/fs", "nfs-client/1/proc/self/mountstats")
TICK = os.sysconf("SC_CLK_TCK")


def spent(*argv: str, text: bytes = b"") -> tuple[float, bytes]:
    """Run it to its end: the CPU seconds of it and of all that it waited for, and what it said."""
    child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert child.stdin is not None and child.stdout is not None
    child.stdin.write(text)
    child.stdin.close()
    said = child.stdout.read()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, f"{argv[0]} ended with status {child.returncode}"
    return used.ru_utime + used.ru_stime, said


def every_source(folder: Path) -> Path:
    """A /proc with what was captured in it, and for the rest this machine's own."""
    proc = folder / "proc"
    (proc / "net").mkdir(parents=True)
    for mine, theirs in ((proc / "net", Path("/proc/net")), (proc, Path("/proc"))):
        for one in theirs.iterdir():
            if one.name not in ("net", "fs", "self", "rpc"):
                (mine / one.name).symlink_to(one)
    for captured in CAPTURED:
        at = folder / captured.split("/", 2)[2]
        at.parent.mkdir(exist_ok=True)
        at.symlink_to(GOLDEN / captured)
    return folder


def sampled(seconds: float, port: int, root: Path) -> tuple[float, int, int]:
    """Seatrial's sampler, stretch after stretch: CPU seconds, samples, and numbers in each."""
    spec = json.dumps({"seconds": STRETCH, "every": 1.0, "ports": [port], "root": str(root)})
    used, samples, numbers = 0.0, 0, 0
    for _ in range(round(seconds / STRETCH)):
        cpu, said = spent(sys.executable, "-", spec, text=script("sampler"))
        used += cpu
        rows = [json.loads(line)["v"] for line in said.splitlines() if b'"v"' in line]
        samples, numbers = samples + len(rows), max(numbers, *(len(row) for row in rows))
    return used, samples, numbers


def recorded(seconds: float, folder: Path) -> tuple[float, int, int]:
    """sadc with all its activities into a file."""
    used, _ = spent(SADC, "-S", "ALL", "1", str(round(seconds) + 1), str(folder / "sa"))
    return used, round(seconds) + 1, 0


def scraped(seconds: float, port: int) -> tuple[float, int, int]:
    """node_exporter with its default collectors, asked once a second; who asks is not counted."""
    argv = [EXPORTER, f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as exporter:
        try:
            answer = b""
            while not answer:
                with contextlib.suppress(OSError):
                    answer = _get(port)
            began, before = monotonic(), _cpu(exporter.pid)
            for number in range(1, round(seconds) + 1):
                answer = _get(port)
                sleep_blocking(max(began + number - monotonic(), 0.0))
            used = _cpu(exporter.pid) - before
        finally:
            exporter.terminate()
    return used, round(seconds), sum(1 for line in answer.splitlines() if not line.startswith(b"#"))


def _get(port: int) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        said: bytes = answer.read()
    return said


def _cpu(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / TICK


@contextlib.contextmanager
def at_work(folder: Path) -> Iterator[int]:
    """A host that does something: 20 synced writes a second, and TCP clients; the port that they are at."""
    over = threading.Event()

    def write() -> None:
        with (folder / "written").open("wb", buffering=0) as held:
            while not over.wait(0.05):
                held.seek(0)
                held.write(bytes(4096))
                os.fsync(held.fileno())

    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        pairs = []
        for _ in range(CLIENTS):
            near = stack.enter_context(socket.create_connection(server.getsockname()))
            pairs.append((near, stack.enter_context(server.accept()[0])))

        def carry() -> None:
            while not over.wait(0.05):
                for near, far in pairs:
                    near.sendall(bytes(1000))
                    far.recv(65536)

        threads = [threading.Thread(target=one, daemon=True) for one in (write, carry)]
        for thread in threads:
            thread.start()
        yield server.getsockname()[1]
        over.set()
        for thread in threads:
            thread.join()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    wanted = parser.parse_args()
    found: dict[str, tuple[float, int, int]] = {}
    with tempfile.TemporaryDirectory() as name, at_work(Path(name)) as port:
        runs: dict[str, Callable[[], tuple[float, int, int]]] = {
            "seatrial": lambda: sampled(wanted.seconds, port, every_source(Path(name) / "root")),
            "sadc -S ALL": lambda: recorded(wanted.seconds, Path(name)),
            "node_exporter": lambda: scraped(wanted.seconds, 29100),
        }
        threads = [
            threading.Thread(target=lambda key=key, run=run: found.update({key: run()}))
            for key, run in runs.items()
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    print(
        f"{wanted.seconds:.0f} s, load {os.getloadavg()[0]:.1f}, Linux {platform.release()}, {os.cpu_count()} cores"
    )
    print("\n| | CPU s | % of one core | samples | numbers in each |\n|---|---|---|---|---|")
    for key in runs:
        used, samples, numbers = found[key]
        print(f"| {key} | {used:.2f} | {100 * used / wanted.seconds:.2f} | {samples} | {numbers or '-'} |")
    return 0 if found["seatrial"][0] <= 0.01 * wanted.seconds else 1


if __name__ == "__main__":
    sys.exit(main())
