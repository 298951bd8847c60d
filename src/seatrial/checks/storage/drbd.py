"""Is a DRBD resource connected and up to date on both sides, and in its role? Of 8.4 and of 9.

What is in: what a state means, and that a split brain is called one. What is not in: reading what DRBD says
(the ha room's replicas.py), and mending it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from seatrial.checks.asked import made, unknown
from seatrial.checks.reading import clean, why_not
from seatrial.ha.replicas import VERSION, Replica, read_json, read_proc
from seatrial.model.check.storage import DrbdCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result

_MINOR = re.compile(r"[0-9]{1,7}")
# Which of these two a device said last says whether its split brain is still there.
_LOGGED = r"Split-Brain detected but unresolved|-> (Connected|Established)"
_NOT_CONFIGURED = re.compile(r"not defined in your config|no resources defined")
_RUNS = frozenset(
    {"SyncSource", "SyncTarget", "WFBitMapS", "WFBitMapT", "WFSyncUUID", "StartingSyncS", "StartingSyncT"}
)
_PROBLEM = tuple[Outcome, str, str]


def commands(check: DrbdCheck) -> tuple[Command, ...]:
    """The table of 8.4 and the numbers in it of this resource, the JSON of 9, and the kernel's word on a split brain."""
    # The latest first, said aloud: with a number of lines and a pattern some releases turn the order by themselves.
    journal = ("journalctl", "-k", "-b", "0", "-o", "cat", "--no-pager", "-r", "-n", "200", "-g", _LOGGED)
    limit = check.timeout
    return (
        Command(name="drbd.proc", argv=("cat", "/proc/drbd"), timeout=limit),
        Command(
            name="drbd.minors",
            argv=("drbdadm", "sh-minor", check.resource),
            root=True,
            timeout=limit,
            package="drbd-utils",
        ),
        Command(
            name="drbd.status",
            argv=("drbdsetup", "status", "--json"),
            root=True,
            timeout=limit,
            package="drbd-utils",
        ),
        Command(name="drbd.log", argv=journal, root=True, timeout=limit, package="systemd"),
    )


def judge(name: str, check: DrbdCheck, outputs: Sequence[Output]) -> Result:
    """PASS when it is connected, UpToDate on both sides, and in its role; UNKNOWN while it is being synchronised."""
    proc, minors, status, log = (*outputs, None, None, None, None)[:4]
    place = check.source_vantage
    if proc is not None and proc.status == 1 and "No such file" in proc.stderr:
        because = f"DRBD is not loaded on {place}"
        return made(name, check, Outcome.FAIL, because, hint=f"drbdadm up {check.resource}")
    if why := why_not(proc, place):
        return unknown(name, check, why)
    assert proc is not None
    version = VERSION.search(proc.stdout)
    if version is None:
        return unknown(name, check, (f"{place}: /proc/drbd is not understood", ""))
    old = version[1] == "8"
    replicas = _old(check, proc, minors) if old else _new(check, status)
    if isinstance(replicas, tuple):
        return unknown(name, check, replicas)
    marks = (
        [f"drbd{one.volume}:" for one in replicas] if old else [f"drbd {check.resource}{end}" for end in " /"]
    )
    split = log is not None and log.ok and _is_split(log.stdout, marks)
    problems = [problem for one in replicas for problem in _problems(check, one, split)]
    if not replicas:
        problems = [_absent(check)]
    evidence: dict[str, Any] = {
        "version": f"{version[1]}.{version[2]}",
        "replicas": [_shown(one) for one in replicas[:20]],
    }
    seconds = sum(one.seconds for one in outputs)
    if problems:
        # What stays as it is until somebody does something is said before what passes.
        outcome, because, hint = min(problems, key=lambda problem: problem[0] is not Outcome.FAIL)
        return made(name, check, outcome, because, hint=hint, seconds=seconds, evidence=evidence)
    one = replicas[0]
    because = f"{check.resource} is {one.role} on {place}, connected and UpToDate on both sides"
    return made(name, check, Outcome.PASS, because, seconds=seconds, evidence=evidence)


def _is_split(log: str, marks: Sequence[str]) -> bool:
    """Whether the latest message (the first line) about one of our devices says so; other resources log there as well."""
    ours = (line for line in log.splitlines() if any(mark in line for mark in marks))
    return "Split-Brain" in next(ours, "")


def _old(check: DrbdCheck, proc: Output, minors: Output | None) -> list[Replica] | tuple[str, str]:
    place = check.source_vantage
    if minors is not None and minors.answered and _NOT_CONFIGURED.search(minors.stderr):
        return []
    if why := why_not(minors, place):
        return why
    assert minors is not None
    numbers = frozenset(minors.stdout.split()[:1000])
    if not numbers or not all(_MINOR.fullmatch(number) for number in numbers):
        return f"{place}: drbdadm says no number of {check.resource} that is understood", ""
    return read_proc(proc.stdout, numbers)


def _new(check: DrbdCheck, status: Output | None) -> list[Replica] | tuple[str, str]:
    if why := why_not(status, check.source_vantage):
        return why
    assert status is not None
    found = read_json(status.stdout, check.resource)
    return (
        (f"{check.source_vantage}: the JSON of drbdsetup is not understood", "") if found is None else found
    )


def _absent(check: DrbdCheck) -> _PROBLEM:
    because = f"{check.resource} is not up on {check.source_vantage}"
    return (
        Outcome.FAIL,
        because,
        f"drbdadm up {check.resource}; drbdadm dump says which resources are configured",
    )


def _problems(check: DrbdCheck, one: Replica, split: bool) -> list[_PROBLEM]:
    found = [*_apart(check, one, split), *_disks(check, one)]
    wanted = check.role.capitalize()
    if check.role != "any" and one.role != wanted:
        because = f"{check.resource} is {one.role} on {check.source_vantage}, not {wanted}"
        found.append((Outcome.FAIL, because, ""))
    if not one.quorum or one.suspended:
        why = "it has lost its quorum" if not one.quorum else "its input and output are suspended"
        found.append((Outcome.FAIL, f"{check.resource} on {check.source_vantage} stands still: {why}", ""))
    return found


def _apart(check: DrbdCheck, one: Replica, split: bool) -> list[_PROBLEM]:
    resource, place = check.resource, check.source_vantage
    if one.connection == "Connected":
        return []
    behind = f", and {one.behind} KiB behind" if one.behind else ""
    if split:
        because = f"{resource} on {place} has a split brain: both sides were written to, and they part ({one.connection})"
        hint = (
            f"decide whose writes are lost; there: drbdadm connect --discard-my-data {resource},"
            f" on the other side: drbdadm connect {resource}"
        )
        return [(Outcome.FAIL, because, hint)]
    if one.connection == "StandAlone":
        because = f"{resource} on {place} is StandAlone: it does not try to reach {one.peer}{behind}"
        return [(Outcome.FAIL, because, f"journalctl -k says why; drbdadm connect {resource}")]
    because = f"{resource} on {place} is not connected to {one.peer} ({one.connection}){behind}"
    return [(Outcome.FAIL, because, "is the peer up, and is the way of the replication open?")]


def _disks(check: DrbdCheck, one: Replica) -> list[_PROBLEM]:
    resource, place = check.resource, check.source_vantage
    if one.sync in _RUNS:
        share = f", {one.synced:g} % are there" if one.synced is not None else ""
        because = (
            f"{resource} on {place} is being synchronised ({one.sync}): {one.behind} KiB are left{share}"
        )
        return [(Outcome.UNKNOWN, because, "ask again when it is done")]
    if one.sync in ("VerifyS", "VerifyT"):
        return []
    if one.sync:
        because = (
            f"{resource} on {place} waits with its synchronisation ({one.sync}): {one.behind} KiB are left"
        )
        return [(Outcome.FAIL, because, f"drbdadm resume-sync {resource}")]
    found: list[_PROBLEM] = []
    if one.disk != "UpToDate" and not (one.diskless and one.disk == "Diskless"):
        found.append((Outcome.FAIL, f"the disk of {resource} on {place} is {one.disk}", "dmesg says why"))
    if one.connection == "Connected" and one.peer_disk != "UpToDate" and not one.diskless:
        because = f"the disk of {resource} on {one.peer} is {one.peer_disk}"
        found.append((Outcome.FAIL, because, "dmesg there says why"))
    elif one.connection == "Connected" and one.behind:
        because = f"{resource} on {place} is connected, and {one.behind} KiB differ"
        found.append((Outcome.FAIL, because, f"drbdadm disconnect {resource} and connect bring them over"))
    return found


def _shown(one: Replica) -> dict[str, Any]:
    return {
        "volume": clean(one.volume),
        "peer": one.peer,
        "connection": one.connection,
        "roles": f"{one.role}/{one.peer_role}",
        "disks": f"{one.disk}/{one.peer_disk}",
        "sync": one.sync,
        "behind_kib": one.behind,
        "synced_percent": one.synced,
    }
