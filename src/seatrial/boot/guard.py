"""The guard from the controller's side: a Command for every verb, and reading what the guard says. Pure.

What is not in: the guard itself, which is a shell script on the host (onhost/guard.sh), and when to ask for what.
Every verb answers with the same frame; its exit status is 0 done (or done before), 3 refused and nothing was changed,
4 tried and not done. All of them may be repeated.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from seatrial.boot.grub import check_entry
from seatrial.boot.method import BootMethod
from seatrial.boot.scripts import guard_payload
from seatrial.errors import InputError
from seatrial.model.command import Command, Output
from seatrial.model.hostfacts import BootFacts, GuardFacts, Sight

_WORD = re.compile(r"[A-Za-z0-9._~+-]{1,100}")
_LOG_LINES = 30
_LOG_WIDTH = 300

# The stage is in memory: a full disk must not be able to stop half of it from coming in.
_ARM = (
    'umask 077; run=${SEATRIAL_ROOT:-}/run/seatrial; mkdir -p "$run" && stage=$(mktemp -d "$run/arm.XXXXXX") || '
    '{ echo "seatrial: /run cannot be written" >&2; exit 3; }; '
    "trap 'rm -rf \"$stage\"' EXIT; "
    'cat >"$stage/payload" || { echo "seatrial: /run is full" >&2; exit 3; }; '
    'sh "$stage/payload" arm "$stage" "$@"'
)
# The installed script is asked, not this version's own: state and script on a host always fit together.
_VERB = (
    'guard=${SEATRIAL_ROOT:-}/etc/seatrial/guard.sh; if [ -r "$guard" ]; then exec sh "$guard" "$@"; fi; '
    "case $1 in status|clean|disarm) code=0 answer=done;; *) code=3 answer=refused;; esac; "
    "printf '@guard 1\\nanswer=%s\\ntext=no guard is on this host\\nphase=absent\\n@end\\n' \"$answer\"; exit $code"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardAnswer:
    """What a verb answered. `word` is done, refused (nothing was changed) or failed; `text` says why."""

    word: str
    text: str
    guard: GuardFacts


def arm(*, trial: str, facts: BootFacts, good: str, candidate: str, seconds: float) -> Command:
    """Put the guard on the host and arm it: back to `good` unless `candidate` is blessed by that uptime in seconds.

    `facts` are the same ones that the refusals were asked of: the host refuses when its saved default is another by
    now. Raises InputError for a name or an entry that cannot be handed over.
    """
    entries = [
        facts.kernels[version].entry if version in facts.kernels else None for version in (good, candidate)
    ]
    good_entry, candidate_entry = entries
    if good_entry is None or candidate_entry is None:
        missing = good if good_entry is None else candidate
        raise InputError(f"the boot menu has no entry for {missing}", hint="run update-grub on the host")
    for word in (trial, good, candidate):
        _check_word(word)
    for entry in (facts.default_entry, good_entry, candidate_entry):
        check_entry(entry)
    argv = (trial, good, candidate, facts.default_entry, good_entry, candidate_entry, _whole(seconds))
    return Command(
        name="guard.arm",
        argv=("sh", "-c", _ARM, "seatrial-guard", *argv),
        stdin=guard_payload(),
        safe=False,
        root=True,
        timeout=60.0,
    )


@cache
def status() -> Command:
    """What the guard says of itself."""
    return _verb("guard.status", "status", safe=True)


def extend(*, trial: str, boot_id: str, seconds: float) -> Command:
    """More time: the deadline becomes `seconds` from now, unless it is later already."""
    _check_word(boot_id)
    return _verb("guard.extend", "extend", trial, boot_id, _whole(seconds))


def bless(*, trial: str, boot_id: str, kernel: str) -> Command:
    """Make the candidate the default and end the trial. To be run over a connection made after the checks passed."""
    _check_word(boot_id)
    _check_word(kernel)
    return _verb("guard.bless", "bless", trial, boot_id, kernel)


def revert(*, trial: str) -> Command:
    """Reboot into the good kernel now."""
    return _verb("guard.revert", "revert", trial)


def disarm(*, trial: str) -> Command:
    """Undo an arming before the reboot; the one-shot boot is taken back as well."""
    return _verb("guard.disarm", "disarm", trial)


def clean() -> Command:
    """Take everything of Seatrial off the host again; refused while a trial is armed."""
    return _verb("guard.clean", "clean")


def reboot() -> Command:
    """Reboot the host. systemd takes the order and the session that gave it ends in good order, if there is time.

    Nothing is left in the background to do it: what a Command leaves behind is ended with it.
    """
    argv = ("systemctl", "--no-block", "--ignore-inhibitors", "reboot")
    return Command(name="host.reboot", argv=argv, safe=False, root=True, package="systemd")


def look_commands(method: BootMethod, *, whole: bool = False) -> tuple[Command, Command]:
    """The two Commands whose Outputs give a Sight; `whole` asks for all that refusals are judged by."""
    return method.facts() if whole else method.glance(), status()


def read_look(method: BootMethod, outputs: Sequence[Output]) -> Sight | None:
    """A Sight from the Outputs of `look_commands`; None when either side gave no answer."""
    if len(outputs) != 2:
        return None
    boot, guard = method.read(outputs[0]), read_status(outputs[1])
    return None if boot is None or guard is None else Sight(boot=boot, guard=guard)


def read_status(output: Output) -> GuardFacts | None:
    """The guard's state from any verb's answer; None when there is no whole answer."""
    answer = read_answer(output)
    return None if answer is None else answer.guard


def read_answer(output: Output) -> GuardAnswer | None:
    """A verb's answer; None when there is no whole one (then nothing is known: look)."""
    values, log, whole = _frame(output.stdout)
    if not output.answered or not whole:
        return None
    phase = values.get("phase", "")
    # What the script is in the middle of is still a trial with a guard.
    doing = phase if phase in ("blessing", "reverting") else ""
    if doing:
        phase = "armed"
    if phase not in ("absent", "armed", "blessed", "reverted", "disarmed"):
        return None
    facts = GuardFacts(
        phase=phase,
        trial=values.get("trial", ""),
        candidate=values.get("candidate", ""),
        good=values.get("good", ""),
        deadline=_number(values.get("deadline", ""), 0.0),
        armed_boot_id=values.get("armed_boot_id", ""),
        blessed_boot_id=values.get("blessed_boot_id", ""),
        because=values.get("because", ""),
        log=tuple(log),
        doing=doing,
        boots=int(_number(values.get("boots", ""), 0.0)),
        heartbeat=_number(values.get("heartbeat", ""), -1.0),
        watching=values.get("watching") == "yes",
    )
    return GuardAnswer(word=values.get("answer", ""), text=values.get("text", ""), guard=facts)


def _verb(name: str, *words: str, safe: bool = False) -> Command:
    for word in words:
        _check_word(word)
    return Command(
        name=name, argv=("sh", "-c", _VERB, "seatrial-guard", *words), safe=safe, root=not safe, timeout=40.0
    )


def _check_word(word: str) -> None:
    if not _WORD.fullmatch(word):
        raise InputError(f"{word[:80]!r} cannot be handed to the guard", hint="use letters, digits and -._~+")


def _whole(seconds: float) -> str:
    if not 0 < seconds < 1e8:
        raise InputError(f"{seconds} is not a deadline", hint="give seconds above 0")
    return str(math.ceil(seconds))


def _number(text: str, otherwise: float) -> float:
    return float(text) if re.fullmatch(r"\d{1,12}", text, re.ASCII) else otherwise


def _frame(said: str) -> tuple[dict[str, str], list[str], bool]:
    """The values of the last whole frame; the first word of a name counts, so that no log line can replace it."""
    values: dict[str, str] = {}
    log: list[str] = []
    inside = whole = False
    for line in said.split("\n"):
        if line == "@guard 1" and not inside:
            values, log, inside, whole = {}, [], True, False
        elif line == "@end" and inside:
            inside, whole = False, True
        elif inside:
            name, equals, value = line.partition("=")
            if name == "log" and len(log) < _LOG_LINES:
                log.append(value[:_LOG_WIDTH])
            elif equals and name not in values:
                values[name] = value[:_LOG_WIDTH]
    return values, log, whole
