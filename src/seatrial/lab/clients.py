"""Clients of the lab's NFS pair at work: one appends and syncs, one holds a lock, and both are asked how a move was for them.

What is in: putting the work on the guests (onhost/appender.py), reading what it noted, and asking for what was acknowledged.
What is not: moving anything.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from seatrial.clock import SystemClock
from seatrial.lab.lab import Lab
from seatrial.lab.nfspair import EXPORT, SERVICE

WRITER, OTHER = "nfs-c1", "nfs-c2"
AT = "/mnt/work"
_RUN = "/run/seatrial-work"


@dataclass(frozen=True, slots=True, kw_only=True)
class Felt:
    """What the writer noted between two marks. Pauses in seconds: the longest time without an acknowledgement."""

    records: int
    pause: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was read again in the end, by the client that did not write it."""

    acknowledged: int
    lost: int
    broken: int
    problems: tuple[str, ...] = field(default=())


class Work:
    """The work of the clients on one lab. Names of files are new in each run, so that runs do not meet."""

    def __init__(self, lab: Lab, run: str, *, version: str = "4.1") -> None:
        self._lab = lab
        self._run = run
        self._version = version
        self.data = f"{AT}/{run}.data"
        self.lock = f"{AT}/{run}.lock"

    async def begin(self) -> None:
        """Mount the share on both, and start the writer and the one that holds the lock."""
        script = (resources.files("seatrial") / "onhost" / "appender.py").read_bytes()
        mount = (
            f"mkdir -p {AT} {_RUN} && cat >{_RUN}/appender.py && rm -f {_RUN}/stop && (mountpoint -q {AT} || "
            f"mount -t nfs4 -o vers={self._version},hard {SERVICE}:{EXPORT} {AT})"
        )
        for host in (WRITER, OTHER):
            await self._sh(host, mount, stdin=script)
        await self._sh(OTHER, f": >{self.lock}")
        log = f"{_RUN}/{self._run}.log"
        await self._sh(WRITER, _apart(f"append {self.data} {log} {_RUN}/stop", f"{_RUN}/append.json"))
        await self._sh(WRITER, _apart(f"hold {self.lock} {_RUN}/stop", f"{_RUN}/hold.json"))
        # The work has begun when a first record is acknowledged and the lock has been used.
        begun = f"[ -s {log} ] && [ $(wc -c <{self.lock}) -gt 0 ]"
        await self._sh(WRITER, f"for i in $(seq 200); do {{ {begun}; }} && exit 0; sleep 0.3; done; exit 1")

    async def mark(self) -> int:
        """How many records have been acknowledged."""
        return int((await self._sh(WRITER, f"wc -l <{_RUN}/{self._run}.log")).strip())

    async def goes_on(self) -> None:
        """Wait until the writer has three more records acknowledged than now: a pause that was there is over."""
        mark = await self.mark()
        while await self.mark() < mark + 3:
            await SystemClock().sleep(0.3)

    async def felt(self, since: int) -> Felt:
        """What the writer felt since a mark; the record before it counts as the beginning of the first pause."""
        said = await self._sh(WRITER, f"tail -n +{max(since, 1)} {_RUN}/{self._run}.log")
        times = [float(line.split()[2]) for line in said.splitlines() if line.count(" ") == 2]
        pauses = [after - before for before, after in itertools.pairwise(times)]
        return Felt(records=len(times), pause=max(pauses, default=0.0))

    async def is_refused(self) -> bool:
        """Whether the other client is refused the lock: it is held, also by the server that serves now."""
        said = await self._appender(OTHER, f"want {self.lock}")
        return bool(said["refused"])

    async def end(self) -> Checked:
        """Stop the work and read all that was acknowledged, from the client that did not write it."""
        await self._sh(
            WRITER,
            f"touch {_RUN}/stop; for i in $(seq 300); do pgrep -f appender.p[y] || exit 0; sleep 0.2; done",
        )
        log = await self._sh(WRITER, f"cat {_RUN}/{self._run}.log")
        await self._sh(OTHER, f"cat >{_RUN}/{self._run}.log", stdin=log.encode())
        read = await self._appender(OTHER, f"verify {self.data} {_RUN}/{self._run}.log")
        notes = [json.loads(await self._sh(WRITER, f"cat {_RUN}/{name}.json")) for name in ("append", "hold")]
        return Checked(
            acknowledged=int(read["acknowledged"]),
            lost=int(read["lost"]),
            broken=int(read["broken"]),
            problems=tuple(problem for note in notes for problem in note["problems"]),
        )

    async def _appender(self, host: str, words: str) -> dict[str, Any]:
        said = await self._sh(host, f"python3 {_RUN}/appender.py {words}")
        answer: dict[str, Any] = json.loads(said)
        return answer

    async def _sh(self, host: str, script: str, *, stdin: bytes = b"") -> str:
        return await self._lab.ssh(host, ("sh", "-c", script), stdin=stdin, timeout=120.0)


def _apart(words: str, answer: str) -> str:
    """The appender in the background, with nothing of this login in its hands."""
    return f"setsid nohup python3 {_RUN}/appender.py {words} >{answer} 2>&1 </dev/null &"
