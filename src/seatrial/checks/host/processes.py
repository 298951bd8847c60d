"""Which processes wait in the kernel and cannot be woken? Only those that did so at two looks, a moment apart.

What is in: threads as well, by ps, with what they wait for where the login may see it. What is not in: on which mount
they wait, and what would free them (stuck.py).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from seatrial.checks.asked import made, unknown
from seatrial.checks.host.files import first_trouble, not_understood
from seatrial.checks.host.stuck import (
    Hanging,
    advice,
    freeing,
    hanging,
    patience,
    read_scene,
    scene_command,
    sentence,
)
from seatrial.checks.reading import clean
from seatrial.model.check.host import ProcessesCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result

LINE = re.compile(r"([A-Z]) +(\d{1,10}) +(\S{1,64}) +(\S.{0,63})")
# Where the kernel lets a process wait for the answer of an NFS server.
NFS = re.compile(r"_*(?:nfs|rpc|svc_rpc)")
MOST_SHOWN = 20


def commands(check: ProcessesCheck) -> tuple[Command, ...]:
    """A look, a pause, a look; and what waits where, so that the mount of a dead server can be named."""
    argv = ("ps", "-eLo", "state=,lwp=,wchan:40=,comm=")
    pause = Command(
        name="processes.pause", argv=("sleep", f"{check.pause:g}"), timeout=check.pause + check.timeout
    )
    first, again = (
        Command(
            name=f"processes.{word}", argv=argv, timeout=check.timeout, limit=1024 * 1024, package="procps"
        )
        for word in ("first", "again")
    )
    return first, pause, again, scene_command(check.timeout)


def judge(name: str, check: ProcessesCheck, outputs: Sequence[Output]) -> Result:
    """PASS when no more processes than allowed wait in the kernel (state D) at two looks, a moment apart."""
    place = check.source_vantage
    if why := first_trouble(outputs, 3, place):
        return unknown(name, check, why)
    first, again = _waiting(outputs[0].stdout), _waiting(outputs[2].stdout)
    if first is None or again is None:
        return unknown(name, check, not_understood(place, "the list of processes"))
    (_, before), (looked_at, now) = first, again
    # A number that was given to another process in between is another process.
    stuck = {
        number: told
        for number, told in now.items()
        if before.get(number, ("", ""))[1] == told[1] and _counts(check, told[1])
    }
    by_name = Counter(_family(comm) for _, comm in stuck.values())
    waits_for = Counter(wchan for wchan, _ in stuck.values() if wchan != "-")
    evidence = {
        "stuck": len(stuck),
        "looked_at": looked_at,
        "names": dict(by_name.most_common(MOST_SHOWN)),
        "waits_for": dict(waits_for.most_common(MOST_SHOWN)),
    }
    seconds = outputs[0].seconds + outputs[2].seconds
    if not stuck:
        because = f"none of {looked_at} threads hangs in the kernel"
        return made(name, check, Outcome.PASS, because, seconds=seconds, evidence=evidence)
    shown = ", ".join(f"{comm} ({count})" for comm, count in by_name.most_common(5))
    because = (
        f"{len(stuck)} of {looked_at} threads {'hangs' if len(stuck) == 1 else 'hang'} in the kernel: {shown}"
    )
    if len(stuck) <= check.most:
        return made(name, check, Outcome.PASS, because, seconds=seconds, evidence=evidence)
    scene = read_scene(outputs[3] if len(outputs) > 3 else None)
    places = {number: wchan for number, (wchan, _) in stuck.items()}
    found = hanging(scene, stuck, places, NFS) if scene else []
    if found:
        because = f"{because}; {sentence(found, patience(check.timeout))}"
        evidence["mounts"] = [_told(one) for one in found[:MOST_SHOWN]]
    hint = advice(found, place) if found else _hint(waits_for, min(stuck))
    return made(name, check, Outcome.FAIL, because, hint=hint, seconds=seconds, evidence=evidence)


def _waiting(said: str) -> tuple[int, dict[int, tuple[str, str]]] | None:
    """How many threads there are, and those in state D: what each waits for and its name. None: no such list."""
    found = [LINE.fullmatch(line.strip()) for line in said.splitlines()]
    threads = [one.groups() for one in found if one is not None]
    if not threads or len(threads) < len(found):
        return None
    waiting = {int(lwp): (clean(wchan), clean(comm)) for state, lwp, wchan, comm in threads if state == "D"}
    return len(threads), waiting


def _counts(check: ProcessesCheck, comm: str) -> bool:
    return not check.names or any(fnmatchcase(comm, pattern) for pattern in check.names)


def _family(comm: str) -> str:
    # kworker/0:1 and kworker/u8:2+flush-8:0 are one kind of thread, and so are jbd2/sda1-8 and jbd2/sdb1-8.
    return comm.partition("/")[0]


def _told(one: Hanging) -> dict[str, Any]:
    """One mount for programs; `free` are the commands for a person."""
    mount = one.remote.mount
    return {
        "path": mount.path,
        "source": mount.source,
        "type": mount.type,
        "answers": one.remote.answers,
        "processes": [
            {"pid": process.pid, "name": process.comm, "unit": process.unit, "stack": list(process.stack)}
            for process in one.processes[:MOST_SHOWN]
        ],
        "free": freeing(one),
    }


def _hint(waits_for: Counter[str], number: int) -> str:
    if any(NFS.match(wchan) for wchan in waits_for):
        return "an NFS server does not answer; as root it could be said which"
    return f"as root, /proc/{number}/stack says where it hangs; dmesg may say why"
