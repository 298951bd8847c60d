"""What stuck.sh says: which processes wait in the kernel, on which mount over the network, and what would free them.

What is in: reading it, and the commands for a person. What is not: whether anything hangs, which two looks tell
(processes.py); and doing anything about it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from seatrial.checks.host.mountinfo import Mount, read_mounts
from seatrial.checks.onhost import shell
from seatrial.checks.reading import clean
from seatrial.model.command import Command, Output

PATIENCE = 3  # seconds that a mount may take for a statfs, at most
LIMIT = 1024 * 1024
MOST_TOLD = 5
UNIT = re.compile(r"[A-Za-z0-9:_.@\\-]{1,255}\.service")
FOUND_OUT = frozenset(
    [
        "addr",
        "clientaddr",
        "mountaddr",
        "mountport",
        "mountproto",
        "mountvers",
        "local_lock",
        "namlen",
        "relatime",
        "fscache",
    ]
)
# What somebody started by hand may be counted to the login's own service, which is not what hangs.
_LOGINS = ("ssh.service", "sshd.service")
_TIMED = re.compile(r"[0-9]{1,10}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One that has a thread in state D: `at` is what it has open or stands in, as its own mounts name it."""

    pid: int
    comm: str = ""
    room: str = ""
    unit: str = ""
    at: tuple[str, ...] = ()
    stack: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A mount over the network. `answers` is None where it said nothing to statfs in its time.

    `inside` is a process in whose mount namespace it is, 0 when the login has it before its own eyes.
    """

    mount: Mount
    room: str
    inside: int = 0
    answers: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """All of it. `thread_of` gives the process of a thread."""

    processes: Mapping[int, Process] = field(default_factory=dict)
    thread_of: Mapping[int, int] = field(default_factory=dict)
    remotes: tuple[Remote, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hanging:
    """One mount and the processes that wait in it."""

    remote: Remote
    processes: tuple[Process, ...]


def patience(timeout: float) -> int:
    """The seconds that a mount gets of a check that may take `timeout` seconds."""
    return max(1, min(PATIENCE, int(timeout / 2)))


def scene_command(timeout: float) -> Command:
    """Ask it; as root, since others may not see what a process has open."""
    return Command(
        name="processes.scene",
        argv=("sh", "-s", "--", str(patience(timeout))),
        stdin=shell("stuck"),
        root=True,
        timeout=timeout + 1.0,
        limit=LIMIT,
        package="procps",
    )


def read_scene(output: Output | None) -> Scene | None:
    """What it said; None when it said nothing, or not all of it."""
    if output is None or not output.ok or output.truncated:
        return None
    lines = [line.partition(" ") for line in output.stdout.splitlines()]
    if not lines or lines[-1][0] != "end":
        return None
    reader = _Reader()
    for word, _, rest in lines:
        reader.take(word, rest)
    return reader.scene()


class _Reader:
    """The lines one after the other: what a process says follows its line, and what a room has follows that one's."""

    def __init__(self) -> None:
        self.threads: dict[int, int] = {}
        self.said: dict[int, dict[str, list[str]]] = {}
        self.mounts: list[tuple[str, int, str]] = []
        self.room, self.pid, self.here = "", 0, ""
        self.answers: dict[str, bool] = {}

    def take(self, word: str, rest: str) -> None:
        numbers = [int(one) for one in rest.split() if _TIMED.fullmatch(one)]
        match word:
            case "thread" if len(numbers) == 2:
                self.threads[numbers[0]] = numbers[1]
            case "process" if numbers:
                self.pid = numbers[0]
                self.said.setdefault(self.pid, {})
            case "comm" | "ns" | "cgroup" | "at" | "stack" if self.pid in self.said:
                self.said[self.pid].setdefault(word, []).append(rest)
            case "room":
                name, _, number = rest.partition(" ")
                self.room, self.pid = name, int(number) if _TIMED.fullmatch(number) else 0
            case "here":
                self.here = rest
            case "mount":
                self.mounts.append((self.room, self.pid, rest))
            case "answers" | "fails":
                self.answers[rest.strip()] = word == "answers"

    def scene(self) -> Scene:
        remotes = []
        for room, pid, line in self.mounts:
            for mount in read_mounts(line):
                inside = 0 if room == self.here else pid
                answer = self.answers.get(line.partition(" ")[0])
                remotes.append(Remote(mount=mount, room=room, inside=inside, answers=answer))
        processes = {pid: _process(pid, said) for pid, said in self.said.items()}
        return Scene(processes=processes, thread_of=self.threads, remotes=tuple(remotes))


def _process(pid: int, said: Mapping[str, Sequence[str]]) -> Process:
    first = {word: lines[0] for word, lines in said.items() if lines}
    unit = first.get("cgroup", "").rpartition("/")[2]
    return Process(
        pid=pid,
        comm=clean(first.get("comm", ""), 64),
        room=first.get("ns", ""),
        unit=unit if UNIT.fullmatch(unit) else "",
        at=tuple(said.get("at", ())),
        stack=tuple(clean(line, 100) for line in said.get("stack", ())),
    )


def hanging(
    scene: Scene, threads: Iterable[int], waits: Mapping[int, str], network: re.Pattern[str]
) -> list[Hanging]:
    """The mounts on which these threads wait, those that do not answer first.

    A process waits on the mount that it stands in or has something open on, by its own list of mounts; one that has nothing
    there and waits for the network (`waits`: the place in the kernel) does so on the only one whose mounts are silent.
    """
    at: dict[int, list[Process]] = {}
    silent = [number for number, one in enumerate(scene.remotes) if one.answers is None]
    for thread in threads:
        process = scene.processes.get(scene.thread_of.get(thread, thread))
        if process is None:
            continue
        found = {number for path in process.at if (number := _mount_of(scene, process, path)) is not None}
        # Of several, those that do not answer; a process may stand in one and wait for another.
        found = {number for number in found if number in silent} or found
        if not found and network.match(waits.get(thread, "")):
            found = _only(scene, process, silent)
        for number in found:
            if process not in at.setdefault(number, []):
                at[number].append(process)
    order = sorted(at, key=lambda number: (number not in silent, number))
    return [Hanging(remote=scene.remotes[number], processes=tuple(at[number])) for number in order]


def _only(scene: Scene, process: Process, silent: Sequence[int]) -> set[int]:
    """The one source of those that are silent before this process's eyes; nothing when there are several."""
    own = [number for number in silent if scene.remotes[number].room == process.room]
    return {own[0]} if len({scene.remotes[number].mount.source for number in own}) == 1 else set()


def _mount_of(scene: Scene, process: Process, path: str) -> int | None:
    """The mount over the network that has the path for this process: the one with the longest name."""
    best, found = 0, None
    for number, one in enumerate(scene.remotes):
        point = one.mount.path.rstrip("/")
        if (
            one.room == process.room
            and (path == point or path.startswith(point + "/"))
            and len(point) >= best
        ):
            best, found = len(point), number
    return found


def sentence(found: Sequence[Hanging], seconds: int) -> str:
    """Which mounts hang, in words; each had so many seconds."""
    return "; ".join(
        f"{one.remote.mount.path} from {one.remote.mount.source} {_state(one.remote, seconds)}"
        for one in found[:MOST_TOLD]
    )


def _state(remote: Remote, seconds: int) -> str:
    if remote.answers is None:
        return f"does not answer within {seconds} s"
    return "answers, and keeps them waiting" if remote.answers else "answers with an error"


def freeing(one: Hanging) -> list[str]:
    """The commands that free who waits on this mount, for root: each can be pasted into a shell.

    umount -f ends what is waited for with an error, and -l takes the mount away at once. Neither looks at the server. The last
    ones are for when it is back: a unit that is started before its mount writes into the directory below it.
    """
    path, source = shlex.quote(one.remote.mount.path), shlex.quote(one.remote.mount.source)
    inside = f"nsenter -t {one.remote.inside} -m -- " if one.remote.inside else ""
    pids = " ".join(str(process.pid) for process in one.processes[:20])
    units = sorted({process.unit for process in one.processes if process.unit not in ("", *_LOGINS)})
    return [
        f"{inside}umount -f -l {path}",
        f"kill -9 {pids}",
        f"{inside}mount -t {one.remote.mount.type} -o {_options(one.remote.mount)} {source} {path}",
        *([f"systemctl restart {shlex.join(units)}"] if units else []),
    ]


def _options(mount: Mount) -> str:
    """The options it had, without what the kernel found out by itself. Nothing says that fstab has this mount."""
    kept = [option for option in mount.options if option.partition("=")[0] not in FOUND_OUT]
    return shlex.quote(",".join(kept) or "defaults")


def advice(found: Sequence[Hanging], place: str) -> str:
    """What to do: on the server first, and if that does not help, the commands here."""
    first = next((one for one in found if one.remote.answers is None), found[0])
    server = first.remote.mount.source.partition(":")[0]
    unmount, kill, *after = freeing(first)
    look = (
        f"a check of kind nfs says whether {server} hangs"
        if first.remote.answers is None
        else f"{server} answers, but does not do what it is asked: its dmesg and its own state D say why"
    )
    others = f" (and {len(found) - 1} more mounts)" if len(found) > 1 else ""
    again = " && ".join(after)
    return f"{look}; to free {place} without it, as root{others}: {unmount}; who still waits: {kill}; once the server is back: {again}"
