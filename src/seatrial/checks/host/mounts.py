"""Is a file system mounted where and as it is wanted, and everything that /etc/fstab names?

What is not in: whether the file system answers, which the checks of the storage room ask.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from seatrial.checks.asked import made, unknown
from seatrial.checks.host.files import first_trouble, look, not_understood
from seatrial.checks.host.mountinfo import Mount, plain, read_mounts
from seatrial.checks.reading import clean
from seatrial.model.check.host import MountsCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result

MOST_SHOWN = 20


def commands(check: MountsCheck) -> tuple[Command, ...]:
    """What the kernel says is mounted, which asks no server; and what should be where that is wanted."""
    mounted = look("mounts.read", check, "/proc/self/mountinfo")
    return (mounted, look("mounts.fstab", check, "/etc/fstab")) if check.fstab else (mounted,)


def judge(name: str, check: MountsCheck, outputs: Sequence[Output]) -> Result:
    """PASS when it is mounted as wanted, and all that /etc/fstab mounts at boot where that is wanted."""
    place = check.source_vantage
    if why := first_trouble(outputs, len(commands(check)), place):
        return unknown(name, check, why)
    mounted = {mount.path: mount for mount in read_mounts(outputs[0].stdout)}
    if not mounted:
        return unknown(name, check, not_understood(place, "/proc/self/mountinfo"))
    wrong: list[str] = []
    right: list[str] = []
    evidence: dict[str, object] = {"mounted": len(mounted)}
    if check.path is not None:
        mount = mounted.get(check.path.rstrip("/") or "/")
        if mount is None:
            wrong.append(f"nothing is mounted at {check.path}")
        else:
            found = list(_differs(check, mount))
            wrong += [f"{check.path} {one}" for one in found]
            right.append(f"{check.path} is {mount.type} from {mount.source}, {_mode(mount)}")
            evidence |= {"source": mount.source, "type": mount.type, "options": list(mount.options[:40])}
    if check.fstab:
        entries = list(_entries(outputs[1].stdout))
        missing = [path for path in entries if path not in mounted]
        wrong += [f"{path} of /etc/fstab is not mounted" for path in missing[:MOST_SHOWN]]
        right.append(f"all {len(entries)} of /etc/fstab are mounted")
        evidence |= {"fstab": len(entries), "missing": missing[:MOST_SHOWN]}
    if wrong:
        hint = f"`mount` and `dmesg` on {place} say more"
        return made(name, check, Outcome.FAIL, "; ".join(wrong[:5]), hint=hint, evidence=evidence)
    return made(name, check, Outcome.PASS, "; ".join(right), seconds=outputs[0].seconds, evidence=evidence)


def _differs(check: MountsCheck, mount: Mount) -> Iterator[str]:
    if check.source is not None and mount.source != check.source:
        yield f"is mounted from {mount.source}, not {check.source}"
    if check.type is not None and mount.type != check.type:
        yield f"is {mount.type}, not {check.type}"
    for option in check.options:
        if option not in mount.options:
            yield f"is mounted without {option}"
    if check.writable is not None and mount.writable is not check.writable:
        yield f"is {_mode(mount)}"


def _mode(mount: Mount) -> str:
    return "writable" if mount.writable else "read-only"


def _entries(said: str) -> Iterator[str]:
    """The mount points that are mounted at boot."""
    for line in said.splitlines()[:1000]:
        words = line.split()
        if len(words) < 3 or words[0].startswith("#") or not words[1].startswith("/"):
            continue
        options = words[3].split(",") if len(words) > 3 else []
        if words[2] != "swap" and "noauto" not in options:
            yield clean(plain(words[1])).rstrip("/") or "/"
