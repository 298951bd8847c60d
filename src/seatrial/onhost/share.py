# ruff: noqa: D101, D102, D103, PTH102, PTH104, PTH106, PTH108, PTH118, PTH123, PTH208, SIM105
"""A mounted file system as its users see it: python3 reads this script from stdin and installs nothing.

What is in: `use` reads, and where it is told to writes, renames and removes, in a directory of its own; `hold` and
`want` are the two sides of one lock, which find each other by files beside it. SPEC as JSON in argv, one JSON document
as the answer. All of it is done by a child that nobody waits for: a process that a dead mount has caught cannot be
killed, so this one says which step had no answer and leaves the child, which takes away what it wrote when it comes
free. It runs wherever Python is 3.7 or newer. What is not in: mounting, and any judgement.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import select
import sys
import time
from collections.abc import Callable
from typing import Any

NAME = "seatrial-share"
SIZE = 64 * 1024
# Every check of a dead mount leaves a process that is caught in it; this many say enough.
MOST_CAUGHT = 8


class Ended(Exception):
    def __init__(self, kind: str, error: str) -> None:
        super().__init__(error)
        self.said = {"kind": kind, "error": error}


class Teller:
    """The child's way to say which step it begins and how long it took; nobody may be listening any more."""

    def __init__(self, pipe: int) -> None:
        self.pipe = pipe

    def say(self, **what: Any) -> None:
        try:
            os.write(self.pipe, json.dumps(what).encode() + b"\n")
        except BrokenPipeError:
            raise Ended("late", "nobody waits any more") from None

    def step(self, name: str, deed: Callable[[], Any]) -> Any:
        self.say(step=name)
        began = time.monotonic()
        done = deed()
        self.say(took=name, ms=round(1000 * (time.monotonic() - began), 1))
        return done


def use(spec: dict[str, Any], tell: Teller) -> None:
    place = tell.step("open", lambda: os.open(spec["path"], os.O_RDONLY | os.O_DIRECTORY))
    tell.step("list", lambda: look_into(place))
    if spec.get("file"):
        tell.step("read", lambda: read(os.path.join(spec["path"], spec["file"])))
    if spec["write"]:
        write(spec["path"], tell)


def look_into(place: int) -> None:
    os.fstatvfs(place)
    with os.scandir(place) as entries:
        next(entries, None)


def read(path: str) -> bytes:
    handle = os.open(path, os.O_RDONLY)
    try:
        # What this machine remembers of a file says nothing about who keeps it.
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        return os.read(handle, SIZE)
    finally:
        os.close(handle)


def write(path: str, tell: Teller) -> None:
    own = os.path.join(path, "seatrial-" + os.urandom(4).hex())
    first, second = os.path.join(own, "written"), os.path.join(own, "renamed")
    data = os.urandom(SIZE)
    try:
        tell.step("mkdir", lambda: os.mkdir(own, 0o700))
        handle = tell.step("create", lambda: os.open(first, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            tell.step("write", lambda: wholly(handle, data))
            tell.step("fsync", lambda: os.fsync(handle))
        finally:
            os.close(handle)
        if tell.step("read", lambda: read(first)) != data:
            raise Ended("differs", "what was read is not what was written")
        tell.step("rename", lambda: os.rename(first, second))
        tell.step("unlink", lambda: os.unlink(second))
        tell.step("rmdir", lambda: os.rmdir(own))
    finally:
        remove(own, first, second)


def wholly(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]


def remove(own: str, *files: str) -> None:
    for away, path in [*((os.unlink, file) for file in files), (os.rmdir, own)]:
        try:
            away(path)
        except OSError:
            pass


class Meeting:
    """Two sides of one lock on the same directory, each with a page of its own that the other reads.

    A page says which meeting it belongs to by numbers drawn anew, so that what an earlier run left is no answer. It
    is opened afresh for every look, and with O_CREAT: an NFS client believes what it remembers otherwise.
    """

    def __init__(self, spec: dict[str, Any], side: str) -> None:
        ident = hashlib.sha256(spec["meeting"].encode()).hexdigest()[:8]
        self.own = os.path.join(spec["path"], "seatrial-lock-" + ident)
        self.lock = os.path.join(self.own, "lock")
        pages = ("hold", "want") if side == "hold" else ("want", "hold")
        self.mine, self.other = (os.path.join(self.own, page) for page in pages)
        self.ends = time.monotonic() + 0.8 * float(spec["timeout"])
        self.number = os.urandom(8).hex()
        self.theirs = ""

    def opened(self, page: str) -> int:
        try:
            return os.open(page, os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:
            # The directory was there a moment ago: the other side gave up and took everything away.
            raise Ended("other", "the other side gave up") from None

    def write(self, word: str) -> None:
        handle = self.opened(self.mine)
        try:
            os.pwrite(handle, (json.dumps([self.number, self.theirs, word]) + "\n").ljust(120).encode(), 0)
            os.fsync(handle)
        finally:
            os.close(handle)

    def look(self) -> list[str]:
        handle = self.opened(self.other)
        try:
            said = json.loads(os.pread(handle, 200, 0).decode())
        except ValueError:
            return ["", "", ""]
        finally:
            os.close(handle)
        return said if isinstance(said, list) and len(said) == 3 else ["", "", ""]

    def meet(self) -> None:
        try:
            os.mkdir(self.own, 0o700)
        except FileExistsError:
            pass
        self.write("here")
        while True:
            number, saw, _ = self.look()
            if number != self.theirs:
                self.theirs = number
                self.write("here")
            if number and saw == self.number:
                return
            self.pause("alone", "the other side did not come")

    def hear(self, *words: str) -> str:
        while True:
            number, _, word = self.look()
            if number == self.theirs and word in (*words, "failed"):
                if word == "failed":
                    raise Ended("other", "the other side failed")
                return word
            self.pause("other", "the other side said nothing more")

    def pause(self, kind: str, why: str) -> None:
        if time.monotonic() > self.ends:
            raise Ended(kind, why)
        time.sleep(0.05)


def hold(spec: dict[str, Any], tell: Teller) -> None:
    met = Meeting(spec, "hold")
    try:
        tell.step("meet", met.meet)
        handle = os.open(met.lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if not tell.step("lock", lambda: locked(handle)):
                raise Ended("held", "somebody else has the lock already")
            met.write("held")
            tell.step("hold", lambda: met.hear("refused", "granted"))
            tell.step("release", lambda: fcntl.lockf(handle, fcntl.LOCK_UN))
            met.write("released")
            tell.step("end", lambda: met.hear("done"))
        finally:
            os.close(handle)
    except (OSError, Ended):
        failed(met)
        raise
    finally:
        remove(met.own, met.lock, met.mine, met.other)


def want(spec: dict[str, Any], tell: Teller) -> None:
    met = Meeting(spec, "want")
    try:
        tell.step("meet", met.meet)
        handle = os.open(met.lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            met.hear("held")
            granted = tell.step("try", lambda: locked(handle))
            met.write("granted" if granted else "refused")
            if granted:
                raise Ended("granted", "the lock was given to both")
            met.hear("released")
            tell.step("lock", lambda: at_last(handle, met))
        finally:
            os.close(handle)
        met.write("done")
    except (OSError, Ended) as error:
        failed(met)
        # Where the two met, the other side takes their files away.
        if isinstance(error, Ended) and error.said["kind"] == "alone":
            remove(met.own, met.lock, met.mine, met.other)
        raise


def failed(met: Meeting) -> None:
    try:
        met.write("failed")
    except (OSError, Ended):
        pass


def locked(handle: int) -> bool:
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True


def at_last(handle: int, met: Meeting) -> None:
    while not locked(handle):
        met.pause("kept", "the lock was not given after its release")


def child(verb: str, spec: dict[str, Any], pipe: int) -> None:
    """Everything that may be caught. It has let go of the streams, or whoever reads those would wait for it."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    with open("/proc/self/comm", "w") as comm:
        comm.write(NAME)
    tell = Teller(pipe)
    said: dict[str, Any] = {"ok": True}
    try:
        VERBS[verb](spec, tell)
    except Ended as end:
        said = end.said
    except OSError as error:
        said = {
            "kind": errno.errorcode.get(error.errno or 0, "OSError"),
            "error": os.strerror(error.errno or 0),
        }
    tell.say(end=said)


def caught() -> int:
    """How many of us wait in the kernel and cannot be woken. Only `stat` is read: others may be caught as well."""
    count = 0
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open("/proc/" + entry + "/stat") as stat:
                    _, _, rest = stat.read(4096).partition("(" + NAME + ") ")
            except OSError:
                continue
            count += rest[:1] == "D"
    return count


def mount_of(path: str) -> dict[str, str]:
    """What is mounted there, by the kernel's table: to ask the path itself could hang."""
    best, found = "", {"mount": "", "type": "", "source": ""}
    with open("/proc/self/mountinfo", errors="replace") as table:
        for line in table:
            before, _, after = line.partition(" - ")
            fields, rest = before.split(" "), after.split(" ")
            point = fields[4].replace("\\040", " ") if len(fields) > 4 else ""
            inside = path == point or path.startswith(point.rstrip("/") + "/")
            if point and inside and len(point) >= len(best) and len(rest) > 1:
                best, found = point, {"mount": point, "type": rest[0], "source": rest[1]}
    return found


def follow(pipe: int, ends: float) -> dict[str, Any]:
    """What the child says until it ends or the time is over."""
    said: dict[str, Any] = {"took": {}, "step": "begin"}
    rest = b""
    while True:
        left = ends - time.monotonic()
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            return dict(said, kind="silent", error="no answer")
        piece = os.read(pipe, 65536)
        if not piece:
            return dict(said, kind="gone", error="the child ended early")
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            told = json.loads(line.decode())
            if "end" in told:
                return dict(said, **told["end"])
            if "ms" in told:
                said["took"][told["took"]] = told["ms"]
            else:
                said["step"] = told["step"]


def main(words: list[str]) -> int:
    verb, spec = words[0], json.loads(words[1])
    answer: dict[str, Any] = mount_of(spec["path"])
    if caught() >= MOST_CAUGHT:
        answer.update(step="begin", kind="caught", error="earlier checks are still caught", took={})
    else:
        ends = time.monotonic() + float(spec["timeout"])
        reading, writing = os.pipe()
        if os.fork() == 0:
            os.close(reading)
            try:
                child(verb, spec, writing)
            finally:
                os._exit(0)
        os.close(writing)
        answer.update(follow(reading, ends))
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    # Without an end of Python's own, which might wait for somebody.
    os._exit(0)


VERBS: dict[str, Callable[[dict[str, Any], Teller], None]] = {"use": use, "hold": hold, "want": want}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
