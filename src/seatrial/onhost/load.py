# ruff: noqa: D102, D103, PTH104, PTH108, PTH118, UP031, UP035
"""The load: work that is made on purpose for a soak, so much of it each second, for so long and no longer.

What is in: `python3 - SPEC` with SPEC as JSON. `kind` share: files are created, written, synced, read, renamed and
removed in a fresh directory below `path`, by `threads` at a time. `kind` nfs: the same by an NFS client of this program
(nfs-rs, which is not in the standard library), where a write is synced before it returns. `kind` command: `argv` is run
again and again. It
prints one JSON line a second: how often each operation was done, how many ms that took in all and at most, how often it
failed. It ends by itself after `seconds`, and as soon as nobody listens any more: a controller that is gone must not leave work behind.
It runs wherever Python is 3.7 or newer. What is not in: any judgement.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any, Callable, Iterator

LONGEST = 600.0
PATIENCE = 5.0
TRIES = 2
OPERATIONS = ("create", "write", "sync", "read", "rename", "remove")


class Meter:
    """What was done since it was last asked: for each operation how often, ms in all, the longest, failures."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.done: dict[str, list[float]] = {}
        self.problem = ""

    @contextlib.contextmanager
    def time(self, name: str) -> Any:
        began = time.monotonic()
        try:
            yield
        except (OSError, subprocess.SubprocessError) as error:
            self.add(name, began, failed=True)
            self.problem = str(error)[:200]
            raise
        self.add(name, began)

    def add(self, name: str, began: float, *, failed: bool = False) -> None:
        took = (time.monotonic() - began) * 1000
        with self.lock:
            row = self.done.setdefault(name, [0, 0.0, 0.0, 0])
            # What failed at once was not quick, so failures are counted and not timed.
            row[0] += not failed
            row[1] += 0.0 if failed else took
            row[2] = row[2] if failed else max(row[2], took)
            row[3] += failed

    def take(self) -> dict[str, list[float]]:
        with self.lock:
            done, self.done = self.done, {}
        return {name: [row[0], round(row[1], 3), round(row[2], 3), row[3]] for name, row in done.items()}


class Pace:
    """So many turns a second for all threads together; what could not be done in time is not made up for."""

    def __init__(self, rate: float, ends: float) -> None:
        self.lock = threading.Lock()
        self.gap, self.ends = 1.0 / rate, ends
        self.next = time.monotonic()

    def wait(self) -> bool:
        with self.lock:
            now = time.monotonic()
            at = max(self.next, now)
            self.next = at + self.gap
        if at >= self.ends:
            return False
        time.sleep(max(at - now, 0.0))
        return True


def filling(size: int) -> bytes:
    body = os.urandom(min(size, 1 << 20))
    return (body * (size // len(body) + 1))[:size]


def share(spec: dict[str, Any], room: str, number: int, meter: Meter) -> Callable[[], None]:
    body = filling(int(spec["size"]))
    turn = 0

    def once() -> None:
        nonlocal turn
        turn += 1
        name = os.path.join(room, "f%d-%d" % (number, turn))
        with meter.time("create"):
            held = os.open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        try:
            with meter.time("write"):
                os.write(held, body)
            with meter.time("sync"):
                os.fsync(held)
            with meter.time("read"):
                os.pread(held, len(body), 0)
        finally:
            os.close(held)
        with meter.time("rename"):
            os.rename(name, name + "r")
        with meter.time("remove"):
            os.unlink(name + "r")

    return once


@contextlib.contextmanager
def as_os_error() -> Iterator[None]:
    import nfs_rs

    try:
        yield
    except OSError:
        raise
    except nfs_rs.NfsError as error:
        # Most of its errors are the system's as well; to us all of them are.
        raise OSError(str(error)) from error


def connected(spec: dict[str, Any]) -> Any:
    import nfs_rs

    address = "[" + spec["address"] + "]" if ":" in spec["address"] else spec["address"]
    with as_os_error():
        return nfs_rs.Client.connect(
            "nfs://" + address + spec["path"],
            versions=(spec["version"],),
            nfs_port=int(spec["port"]),
            uid=int(spec["user"]),
            gid=int(spec["user"]),
            # An ordinary user has no port that servers trust, and may be let in all the same.
            noresvport=os.geteuid() != 0,
            connect_timeout=PATIENCE,
            operation_timeout=PATIENCE,
        )


class NfsFiles:
    """What one client does to one file after the other; after a failure it begins with a new connection."""

    def __init__(self, spec: dict[str, Any], room: str, number: int, meter: Meter) -> None:
        self.spec, self.room, self.number, self.meter = spec, room, number, meter
        self.body = filling(int(spec["size"]))
        self.client: Any = None
        self.turn = 0

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        with self.meter.time(name), as_os_error():
            yield

    def __call__(self) -> None:
        self.turn += 1
        name = "%s/f%d-%d" % (self.room, self.number, self.turn)
        try:
            if self.client is None:
                with self.step("connect"):
                    self.client = connected(self.spec)
            self.work(name)
        except OSError:
            self.client = None
            raise

    def work(self, name: str) -> None:
        with self.step("create"):
            held = self.client.open(name, "w+b")
        try:
            with self.step("write"):
                held.write_at(self.body, 0)
            with self.step("read"):
                held.read_at(len(self.body), 0)
        finally:
            with as_os_error():
                held.close()
        with self.step("rename"):
            self.client.rename(name, name + "r")
        with self.step("remove"):
            self.client.unlink(name + "r")


def command(spec: dict[str, Any], room: str, number: int, meter: Meter) -> Callable[[], None]:
    def once() -> None:
        with meter.time("command"):
            # Its group dies with it, so that what it starts does not outlive the load.
            child = subprocess.Popen(
                spec["argv"], cwd=room, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip
            CHILDREN.add(child)
            try:
                if child.wait() != 0:
                    raise OSError("%s ended with status %d" % (spec["argv"][0], child.returncode))
            finally:
                CHILDREN.discard(child)

    return once


CHILDREN: set[Any] = set()
KINDS = {"share": share, "nfs": NfsFiles, "command": command}


def work(once: Callable[[], None], pace: Pace, meter: Meter) -> None:
    while pace.wait():
        try:
            once()
        except (OSError, subprocess.SubprocessError):
            # It is counted; a server that is away for a moment must not end the load.
            time.sleep(0.2)


def make_room(spec: dict[str, Any]) -> str:
    if spec["kind"] != "nfs":
        return tempfile.mkdtemp(prefix="seatrial-load-", dir=spec.get("path"))
    room = "/seatrial-load-" + os.urandom(6).hex()
    with as_os_error(), connected(spec) as client:
        client.mkdir(room)
    return room


def clean(spec: dict[str, Any], room: str) -> None:
    for child in list(CHILDREN):
        with contextlib.suppress(OSError):
            os.killpg(child.pid, signal.SIGKILL)
    if spec["kind"] != "nfs":
        shutil.rmtree(room, ignore_errors=True)
        return
    # Work that hung may still be done meanwhile. A server that stays away keeps what was made: nobody waits for long.
    for _ in range(TRIES):
        with contextlib.suppress(OSError), as_os_error(), connected(spec) as client:
            for name in client.listdir(room):
                client.unlink(room + "/" + name, missing_ok=True)
            client.rmdir(room)
            return
        time.sleep(1.0)


def main(words: list[str]) -> int:
    spec = json.loads(words[0])
    seconds = min(max(float(spec["seconds"]), 0.0), LONGEST)
    ends = time.monotonic() + seconds
    meter = Meter()
    try:
        room = make_room(spec)
    except (OSError, ImportError) as error:
        print(json.dumps({"problem": str(error)}), flush=True)
        return 1
    pace = Pace(min(max(float(spec["rate"]), 0.01), 5000.0), ends)
    make = KINDS[spec["kind"]]
    threads = [
        threading.Thread(target=work, args=(make(spec, room, number, meter), pace, meter), daemon=True)
        for number in range(min(int(spec.get("threads", 1)), 64))
    ]
    try:
        for thread in threads:
            thread.start()
        while time.monotonic() < ends:
            time.sleep(min(1.0, max(ends - time.monotonic(), 0.0)))
            said = {"t": round(time.monotonic(), 3), "done": meter.take(), "problem": meter.problem}
            print(json.dumps(said, separators=(",", ":")), flush=True)
            meter.problem = ""
    except BrokenPipeError:
        # Whoever asked for the work is gone.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    finally:
        pace.ends = 0.0
        # A thread that hangs on a server does not keep this process: they are daemons.
        for thread in threads:
            thread.join(1.0)
        clean(spec, room)
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    status = main(sys.argv[1:])
    sys.stdout.flush()
    # Not sys.exit: a daemon thread in uninterruptible sleep would be waited for.
    os._exit(status)
