"""Does a mounted file system do what its users do, and in what time? Each step is bounded, also when the mount hangs.

What is in: what each step's failure says, and how long each took. What is not in: the steps, which are onhost/share.py,
and what is mounted with which options, which is `mounts`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from seatrial.checks.asked import made, unknown
from seatrial.checks.onhost import script
from seatrial.checks.reading import Said, Words, understood, why_not
from seatrial.model.check import CheckBase
from seatrial.model.check.storage import ShareCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result

Milliseconds = Annotated[float, Field(ge=0, le=1e7)]
Step = Annotated[str, StringConstraints(pattern=r"^[a-z]{1,12}$")]

HINTS: Mapping[str, str] = {
    "ESTALE": "umount -l {path} and mount it again; if that does not help, exportfs -ra on the server",
    "EROFS": "a disk error makes ext4 read-only (dmesg on the server); or it is exported or mounted ro",
    "ENOSPC": "df and df -i on the server say what is full",
    "EDQUOT": "the quota of the login is used up",
    "EACCES": "name a directory in which the login may write; root of a client is nobody without no_root_squash",
    "EPERM": "name a directory in which the login may write; root of a client is nobody without no_root_squash",
    "ENOENT": "is it mounted?",
    "EIO": "dmesg says more, here and on the server",
    "ETIMEDOUT": "the server did not answer a soft mount in time; a check of kind nfs says whether it hangs",
    "ENOLCK": "version 3 needs rpc.statd on both sides; version 4 gives no locks while it is in grace",
}
HANGS = "a check of kind nfs says whether the server hangs; on {where}, ps says who waits (state D)"


class Told(Said):
    """What share.py says: the milliseconds of each step that ended, the step that did not or was the last, and why."""

    ok: bool = False
    took: dict[Step, Milliseconds] = Field(default_factory=dict, max_length=20)
    step: Words = ""
    kind: Words = ""
    error: Words = ""
    mount: Words = ""
    type: Words = ""
    source: Words = ""


def ask(name: str, verb: str, check: CheckBase, spec: Mapping[str, Any], *, safe: bool) -> Command:
    """share.py with a verb, as a Command; its own limit is the check's, the Command's is a little longer."""
    whole = json.dumps({**spec, "timeout": check.timeout}, separators=(",", ":"))
    return Command(
        name=name,
        argv=("python3", "-", verb, whole),
        stdin=script("share"),
        safe=safe,
        timeout=check.timeout + 5.0,
        package="python3",
    )


def told(output: Output | None, place: str) -> Told | tuple[str, str]:
    """What share.py said, or why it said nothing and what to do."""
    if why := why_not(output, place):
        return why
    assert output is not None
    found = understood(Told, output, place)
    return found if isinstance(found, Told) else (found, "")


def evidence(heard: Told) -> dict[str, Any]:
    """The milliseconds of each step, and what is mounted there."""
    took = {f"{step}_ms": ms for step, ms in heard.took.items()}
    said = {"type": heard.type, "source": heard.source, "step": heard.step, "error": heard.error}
    return {**took, **said}


def hint(heard: Told, path: str, where: str) -> str:
    """What to do about the kind of failure."""
    said = HANGS if heard.kind in ("silent", "caught") else HINTS.get(heard.kind, "")
    return said.format(path=path, where=where)


def commands(check: ShareCheck) -> tuple[Command, ...]:
    """All steps in one go. It writes unless the check says no, and takes away what it wrote."""
    spec = {"path": check.path, "write": check.write, "file": check.file}
    return (ask("share.use", "use", check, spec, safe=not check.write),)


def judge(name: str, check: ShareCheck, outputs: Sequence[Output]) -> Result:
    """PASS when every step ended well, and what is mounted there is of the wanted type."""
    heard = told(outputs[0] if outputs else None, check.source_vantage)
    if isinstance(heard, tuple):
        return unknown(name, check, heard)
    seconds = outputs[0].seconds
    found = evidence(heard)
    where = f"{check.path} on {check.source_vantage}"
    # A mount that is missing leaves a directory, which can be written to very well.
    if check.type is not None and heard.type and heard.type != check.type:
        because = f"{where} is {heard.type}, not {check.type}: it is not mounted"
        advice = f"mount {check.path}"
        return made(name, check, Outcome.FAIL, because, hint=advice, seconds=seconds, evidence=found)
    if heard.ok and heard.took:
        slowest = max(heard.took, key=lambda step: heard.took[step])
        deeds = "reads and writes" if check.write else "reads"
        total = sum(heard.took.values())
        because = f"{where} ({heard.type}) {deeds} in {total:.0f} ms, {slowest} the longest ({heard.took[slowest]:.0f} ms)"
        return made(name, check, Outcome.PASS, because, seconds=seconds, evidence=found)
    if not heard.step or not heard.kind or heard.kind == "gone":
        because = f"{check.source_vantage} answered share.use in a way that is not understood: {heard.error or 'no step'}"
        return unknown(name, check, (because, ""))
    advice = hint(heard, check.path, check.source_vantage)
    because = f"{where}: {_trouble(check, heard)}"
    return made(name, check, Outcome.FAIL, because, hint=advice, seconds=seconds, evidence=found)


def _trouble(check: ShareCheck, heard: Told) -> str:
    match heard.kind:
        case "silent":
            return f"{heard.step}: no answer within {check.timeout:g} s"
        case "caught":
            return "it hangs: processes of earlier checks still wait in it"
        case "ESTALE":
            return f"{heard.step}: the handle is stale, the server does not know it any more"
        case _:
            return f"{heard.step}: {heard.error}"
