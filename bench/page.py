"""Prints what the page of a fleet of ten thousand hosts and a journal of a million Events costs, also with 200 viewers.

    python bench/page.py [--hosts 10000] [--events 1000000] [--viewers 200]

The server is `seatrial serve` in a process of its own. `ms` is its time for a page that nobody has asked for since the last
Event, of several asked one after another; its CPU and memory are read from /proc. Viewers are connections that listen on
the live line; when Events come, each of them asks for the first page anew, as a browser does.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.engine.postgres import Postgres  # noqa: E402
from tests.web.large import copied, large  # noqa: E402

from seatrial.journal.store import Journal  # noqa: E402 - the checkout has to be on the path first
from seatrial.model.event import Kind  # noqa: E402

TIMES = 7
BURSTS = 5
PAUSE = 1.2  # longer than a page is kept


@dataclass(frozen=True, kw_only=True)
class Server:
    port: int
    pid: int
    started: float

    def cpu(self) -> float:
        words = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> tuple[int, int]:
        said = Path(f"/proc/{self.pid}/status").read_text()
        now, most = (int(re.search(rf"{word}:\s+(\d+)", said)[1]) // 1024 for word in ("VmRSS", "VmHWM"))  # type: ignore[index]
        return now, most


@contextmanager
def serving(database: str) -> Iterator[Server]:
    argv = [sys.executable, "-m", "seatrial", "serve", "--listen", "127.0.0.1:0", "--database", database]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "200"}
    began = time.monotonic()
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    try:
        found = None
        while found is None:
            line = process.stdout.readline()
            assert line, "the server ended"
            found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
        yield Server(port=int(found[1]), pid=process.pid, started=time.monotonic() - began)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


async def ask(port: int, path: str) -> tuple[float, int]:
    """Milliseconds from the request to the last byte, and bytes of the page."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = time.monotonic()
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
    said = await reader.read(-1)
    took = (time.monotonic() - began) * 1000
    writer.close()
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), (path, head[:200])
    return took, len(body)


def pages(server: Server) -> None:
    latest = max(Journal(DATABASE).rollouts(), key=lambda name: int(name[1:]))
    journal = f"/rollouts/{latest}/journal"
    print("| page | ms | worst ms | CPU ms | kB |")
    print("|---|---|---|---|---|")
    for path in ("/", "/board.json", f"/rollouts/{latest}", journal, f"{journal}?before=900000", f"/rollouts/{latest}/hosts/h00042",
                 "/journal", "/kernels", "/metrics", "/rollouts/r1", "/rollouts/r1"):  # fmt: skip
        took, sizes, cpu = [], [], server.cpu()
        first = path == "/rollouts/r1" and not SEEN
        for _ in range(1 if first else TIMES):
            one, size = asyncio.run(ask(server.port, path))
            took.append(one)
            sizes.append(size)
            time.sleep(PAUSE)
        spent = (server.cpu() - cpu) * 1000 / len(took)
        word = " (over, and not looked at before)" if first else ""
        SEEN.update({path} if path == "/rollouts/r1" else ())
        print(f"| `{path}`{word} | {statistics.median(took):.0f} | {max(took):.0f} | {spent:.0f} | {max(sizes) / 1000:.0f} |", flush=True)  # fmt: skip


async def viewers(server: Server, number: int) -> None:
    heard: list[float] = []
    shown: list[float] = []
    wanted = asyncio.Queue[float]()

    async def view() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1 << 20)
        writer.write(b"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        seen = False
        while line := await reader.readline():
            if not line.startswith(b"data:"):
                continue
            if seen:
                heard.append(time.monotonic())
                await ask(server.port, "/")
                shown.append(time.monotonic())
                await wanted.put(shown[-1])
            seen = True
        writer.close()

    tasks = [asyncio.create_task(view()) for _ in range(number)]
    await asyncio.sleep(5)
    store = Journal(DATABASE)
    latest = max(store.rollouts(), key=lambda name: int(name[1:]))
    first, last, cpu = [], [], server.cpu()
    for burst in range(BURSTS):
        heard.clear()
        shown.clear()
        store.append(Kind.NOTE, rollout=latest, by="bench", data={"text": f"line {burst}"})
        began = time.monotonic()
        for _ in range(number):
            await asyncio.wait_for(wanted.get(), 120)
        first.append(max(heard) - began)
        last.append(max(shown) - began)
    spent = (server.cpu() - cpu) / BURSTS
    print("| viewers | all have heard after s | all have the new page after s | server CPU s an Event |")
    print("|---|---|---|---|")
    print(f"| {number} | {statistics.median(first):.2f} | {statistics.median(last):.2f} | {spent:.2f} |")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def measured(database: str, name: str, events: int, given: argparse.Namespace) -> None:
    global DATABASE
    DATABASE = database
    SEEN.clear()
    with serving(database) as server:
        now, most = server.memory()
        print(f"\n{name}: {given.hosts} hosts, {events} events; load {os.getloadavg()[0]:.1f}")
        print(
            f"start: {server.started:.1f} s until it serves, {server.cpu():.1f} s of CPU, {now} MiB ({most} at most)\n"
        )
        pages(server)
        print()
        asyncio.run(viewers(server, given.viewers))
        now, most = server.memory()
        print(f"\nmemory at the end: {now} MiB ({most} at most)", flush=True)


DATABASE = ""
SEEN: set[str] = set()


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--hosts", type=int, default=10_000)
    words.add_argument("--events", type=int, default=1_000_000)
    words.add_argument("--viewers", type=int, default=200)
    words.add_argument("--postgres", action="store_true", help="the same on PostgreSQL as well")
    words.add_argument("--journal", type=Path, help="where the journal is made, or is from last time")
    given = words.parse_args()
    print(f"{os.cpu_count()} cores")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = given.journal or Path(folder) / "journal.db"
        if path.exists():
            events = Journal(f"sqlite:///{path}").read(limit=1, newest=True)[-1].seq
        else:
            events = large(path, hosts=given.hosts, events=given.events)
        measured(f"sqlite:///{path}", "SQLite", events, given)
        if given.postgres:
            server = Postgres(Path(folder))
            try:
                copied(path, server.url)
                measured(server.url, "PostgreSQL", events, given)
            finally:
                server.stop()


if __name__ == "__main__":
    main()
