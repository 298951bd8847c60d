"""Are locks on a share kept between its clients? One side holds a lock, the other is refused it and gets it afterwards.

What is in: what the two sides' answers mean together. What is not in: how they find each other, which is onhost/share.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from seatrial.checks.asked import made, unknown
from seatrial.checks.storage.share import Told, ask, hint, told
from seatrial.model.check.storage import LockCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result

# What says more comes first: who was given the lock twice is no matter of the other side's failure.
GRAVEST = ("granted", "kept", "held", "ESTALE", "ENOLCK", "EROFS", "ENOSPC", "silent", "caught")


def commands(check: LockCheck) -> tuple[Command, ...]:
    """Both sides, which are asked at the same time; they find each other by files of one name."""
    path = check.other_path or check.path
    # Only this check gives these names, so that two of them on one share do not meet.
    meeting = " ".join((check.source_vantage, check.other, check.path, path))
    return (
        ask("lock.hold", "hold", check, {"path": check.path, "meeting": meeting}, safe=False),
        ask("lock.want", "want", check, {"path": path, "meeting": meeting}, safe=False),
    )


def places(check: LockCheck) -> tuple[str, ...]:
    """`from` holds, `with` wants."""
    return (check.source_vantage, check.other)


def judge(name: str, check: LockCheck, outputs: Sequence[Output]) -> Result:
    """PASS when the second was refused while the first had the lock, and got it when that was released."""
    where = places(check)
    paths = (check.path, check.other_path or check.path)
    sides: list[Told] = []
    for number, place in enumerate(where):
        heard = told(outputs[number] if number < len(outputs) else None, place)
        if isinstance(heard, tuple):
            return unknown(name, check, heard)
        sides.append(heard)
    held, wanted = sides
    found = {
        "hold": {"step": held.step, "error": held.error},
        "want": {"step": wanted.step, "error": wanted.error},
        "lock_ms": held.took.get("lock"),
        "refused_ms": wanted.took.get("try"),
        "given_ms": wanted.took.get("lock"),
    }
    seconds = max(output.seconds for output in outputs)
    if held.ok and wanted.ok and "lock" in wanted.took:
        because = (
            f"{where[1]} was refused the lock that {where[0]} had at {check.path},"
            f" and got it {wanted.took['lock']:.0f} ms after its release"
        )
        return made(name, check, Outcome.PASS, because, seconds=seconds, evidence=found)
    kinds = [side.kind for side in sides]
    grave = [kind for kind in GRAVEST if kind in kinds] + [
        k for k in kinds if k[:1] == "E" and k[1:].isupper()
    ]
    if not grave:
        if "alone" in kinds or "other" in kinds:
            because = (
                f"{where[0]} and {where[1]} did not meet at {check.path} within {0.8 * check.timeout:g} s"
            )
            advice = "is it the same directory at both? Ask again with a longer timeout if they are slow"
            return made(name, check, Outcome.UNKNOWN, because, hint=advice, seconds=seconds, evidence=found)
        side = next((number for number in (0, 1) if not sides[number].ok), 0)
        because = f"{where[side]} answered in a way that is not understood: {sides[side].error or 'no step'}"
        return unknown(name, check, (because, ""))
    number = kinds.index(grave[0])
    because, advice = _trouble(check, sides[number], where[number], paths[number])
    return made(name, check, Outcome.FAIL, because, hint=advice, seconds=seconds, evidence=found)


def _trouble(check: LockCheck, side: Told, place: str, path: str) -> tuple[str, str]:
    match side.kind:
        case "granted":
            because = f"{check.source_vantage} and {check.other} had the same lock at {path} at the same time"
            return (
                because,
                "no nolock and no local_lock in the mount options; are both mounts of the same server?",
            )
        case "kept":
            return f"{place} was not given the lock at {path} after its release", "the server's log says more"
        case "held":
            because = f"somebody has the lock at {path} already"
            return (
                because,
                "a client that died may hold it; on the server: /proc/locks, /proc/fs/nfsd/clients/*/states",
            )
        case "silent" | "caught":
            because = f"{path} on {place}: {side.step}: no answer within {check.timeout:g} s"
            return because, hint(side, path, place)
        case _:
            return f"{path} on {place}: {side.step}: {side.error}", hint(side, path, place)
