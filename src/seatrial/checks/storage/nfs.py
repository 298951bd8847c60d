"""Does an NFS server answer, and is a path there? Asked over the network, so that a hung mount hangs nobody.

What is in: which step had no answer, and what that says of the server. What is not in: reading and writing, which is
`share`, and what the server believes to serve, which is `exports`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from seatrial.checks.asked import made, unknown
from seatrial.checks.onhost import script
from seatrial.checks.reading import Said, Small, Words, understood, why_not
from seatrial.model.check.storage import NfsCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result

Milliseconds = Annotated[float, Field(ge=0, le=1e7)]


class Heard(Said):
    """What nfs.py says: `took` has the milliseconds of each step that had an answer, `step` the one that had none."""

    ok: bool = False
    took: dict[str, Milliseconds] = Field(default_factory=dict, max_length=8)
    reserved: bool = True
    step: Words = ""
    kind: Words = ""
    error: Words = ""
    at: Words = ""
    low: Small = 0
    high: Small = 0


def commands(check: NfsCheck) -> tuple[Command, ...]:
    """One conversation: a connection, NULL, and for version 4 the way to the path."""
    spec = {
        "address": check.address,
        "port": check.port,
        "version": check.version,
        "path": check.path,
        "timeout": check.timeout,
    }
    argv = ("python3", "-", json.dumps(spec, separators=(",", ":")))
    ask = Command(
        name="nfs.ask", argv=argv, stdin=script("nfs"), timeout=check.timeout + 5.0, package="python3"
    )
    return (ask,)


def judge(name: str, check: NfsCheck, outputs: Sequence[Output]) -> Result:
    """PASS when every step was answered; a server that connects and then says nothing hangs, and is said to."""
    output = outputs[0] if outputs else None
    if why := why_not(output, check.source_vantage):
        return unknown(name, check, why)
    assert output is not None
    heard = understood(Heard, output, check.source_vantage)
    if isinstance(heard, str):
        return unknown(name, check, (heard, ""))
    took = {
        f"{step}_ms": round(ms, 1) for step, ms in heard.took.items() if step in ("connect", "null", "path")
    }
    evidence = {**took, "step": heard.step, "error": heard.error}
    if heard.ok:
        has = f" and has {check.path}" if check.path else ""
        because = f"NFS {check.version} at {_where(check)} answers in {sum(took.values()):.0f} ms{has}"
        return made(name, check, Outcome.PASS, because, seconds=output.seconds, evidence=evidence)
    outcome, because, hint = _trouble(check, heard)
    return made(name, check, outcome, because, hint=hint, seconds=output.seconds, evidence=evidence)


def _where(check: NfsCheck) -> str:
    return check.address if check.port == 2049 else f"{check.address} port {check.port}"


def _trouble(check: NfsCheck, heard: Heard) -> tuple[Outcome, str, str]:
    where, limit = f"NFS at {_where(check)}", f"within {check.timeout:g} s"
    match heard.step, heard.kind:
        case "connect", "silent":
            return (
                Outcome.FAIL,
                f"{where} accepts no connection {limit}",
                "is it up, and is the way there open?",
            )
        case "connect", _:
            because = f"{where} accepts no connection: {heard.error or 'no reason given'}"
            return Outcome.FAIL, because, "systemctl status nfs-server on the server says whether it runs"
        case "null", "silent":
            because = f"{where} hangs: it accepts connections, and does not answer NULL {limit}"
            return (
                Outcome.FAIL,
                because,
                "its clients hang too: look for nfsd in state D on the server, then at its disks",
            )
        case "path", "silent":
            because = f"{where} hangs: it answers NULL, but says nothing of {check.path} {limit}"
            return (
                Outcome.FAIL,
                because,
                "look at the disk behind the export, and at rpc.mountd, on the server",
            )
        case _, "closed":
            because = f"{where} closes the connection when it is asked for {_asked(check, heard)}"
            return Outcome.FAIL, because, "the log of the server says why"
        case _, "version":
            because = f"{where} does not speak version {check.version}, only {heard.low} to {heard.high}"
            return Outcome.FAIL, because, "rpc.nfsd and /etc/nfs.conf say which versions are served"
        case _, "strange":
            return (
                Outcome.FAIL,
                f"{where}: what answers there is not NFS: {heard.error}",
                "is it the right port?",
            )
        case "path", "denied":
            # A server that serves an address nothing at all does not even tell it that a path is missing.
            because = f"{where} serves nothing to {check.source_vantage}"
            return Outcome.FAIL, because, "exportfs -v on the server says what is served to whom"
        case "path", "status":
            return _status(check, heard)
        case "null" | "path", _:
            because = f"{where} does not answer {_asked(check, heard)}: {heard.error or 'no reason given'}"
            return Outcome.FAIL, because, ""
        case _:
            because = f"{check.source_vantage} answered nfs.ask in a way that is not understood: no step"
            return Outcome.UNKNOWN, because, ""


def _asked(check: NfsCheck, heard: Heard) -> str:
    return check.path or "a path" if heard.step == "path" else "NULL"


def _status(check: NfsCheck, heard: Heard) -> tuple[Outcome, str, str]:
    where = f"NFS at {_where(check)}"
    at = heard.at or check.path
    match heard.error:
        case "NOENT" | "NOTDIR":
            lacks = check.path if heard.at in ("", check.path) else f"{check.path}: {heard.at} is missing"
            return (
                Outcome.FAIL,
                f"{where} has no {lacks}",
                "exportfs -v on the server says what is served to whom",
            )
        case "PERM" | "ACCESS" if not heard.reserved:
            because = f"{where} does not show {at} to a port above 1023, and the login may not use others"
            return Outcome.UNKNOWN, because, "log in as root, or export with `insecure`"
        case "PERM" | "ACCESS":
            because = f"{where} does not let {check.source_vantage} see {at} ({heard.error})"
            return Outcome.FAIL, because, "exportfs -v on the server says what is served to whom"
        case "WRONGSEC":
            because = f"{where} wants Kerberos for {at}, which is not asked here"
            return Outcome.UNKNOWN, because, "leave `path` out, and use `share` on a client for the rest"
        case "DELAY":
            because = f"{where} says 'later' for {at} until {check.timeout:g} s are over"
            return Outcome.FAIL, because, "it waits itself: look at rpc.mountd and the disks on the server"
        case "STALE":
            return (
                Outcome.FAIL,
                f"{where}: the file system at {at} is gone (STALE)",
                "exportfs -ra on the server",
            )
        case _:
            return Outcome.FAIL, f"{where} answers {heard.error} for {at}", "the log of the server says why"
