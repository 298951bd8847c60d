"""Is a systemd unit active, or has no unit of the host failed? What is not in: starting one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

from seatrial.checks.asked import made, unknown
from seatrial.checks.host.files import not_understood
from seatrial.checks.reading import clean, why_not
from seatrial.model.check.host import UnitCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result

# What systemd calls the states of a unit; another word is no answer of systemd.
STATES = frozenset(
    ("active", "reloading", "inactive", "failed", "activating", "deactivating", "maintenance", "refreshing")
)
ASKED = ("LoadState", "ActiveState", "SubState", "Result", "NRestarts")
# Older releases put a dot before a failed unit, which is `*` without UTF-8, although a plain list was asked for.
FAILED = re.compile(r"^(?:[*\u25cf] +)?(\S{1,256}) +(\S{1,20}) +failed +\S{1,20}(?: .*)?$", re.MULTILINE)
# Without the last line an empty answer would pass for one that names no failed unit.
COUNTED = re.compile(r"^(\d{1,6}) loaded units? listed\.", re.MULTILINE)
MOST_SHOWN = 20


def commands(check: UnitCheck) -> tuple[Command, ...]:
    """Properties by name, since their order is systemd's own; or the units that failed."""
    if check.unit is None:
        failed = ("systemctl", "list-units", "--state=failed", "--plain", "--full", "--no-pager")
        return (Command(name="unit.failed", argv=failed, timeout=check.timeout, package="systemd"),)
    argv = ("systemctl", "show", "--no-pager", "-p", ",".join(ASKED), "--", check.unit)
    return (Command(name="unit.show", argv=argv, timeout=check.timeout, package="systemd"),)


def judge(name: str, check: UnitCheck, outputs: Sequence[Output]) -> Result:
    """PASS when it is active (one that systemd restarted is said to be so), or when no unit has failed."""
    output = outputs[0] if outputs else None
    if why := why_not(output, check.source_vantage):
        return unknown(name, check, (why[0], why[1] or "does systemd run there?"))
    assert output is not None
    return _failed(name, check, output) if check.unit is None else _one(name, check, output)


def _one(name: str, check: UnitCheck, output: Output) -> Result:
    lines = (line.partition("=") for line in output.stdout.splitlines())
    said = {key: clean(value) for key, _, value in lines if key in ASKED}
    if not said.get("ActiveState"):
        return unknown(name, check, (f"{check.source_vantage} says nothing of {check.unit}", ""))
    if said["ActiveState"] not in STATES:
        return unknown(name, check, not_understood(check.source_vantage, f"the state of {check.unit}"))
    restarts = int(said["NRestarts"]) if re.fullmatch(r"[0-9]{1,9}", said.get("NRestarts", "")) else 0
    state = f"{check.unit} is {said['ActiveState']} ({said.get('SubState', '?')})"
    if said.get("LoadState") != "loaded":
        return made(name, check, Outcome.FAIL, f"{check.unit} is {said.get('LoadState', '?')}", evidence=said)
    if said["ActiveState"] in ("activating", "reloading"):
        return made(name, check, Outcome.UNKNOWN, state, hint="ask again in a moment", evidence=said)
    if said["ActiveState"] != "active":
        because = f"{state}, result {said.get('Result', '?')}, restarted {restarts} times"
        hint = f"journalctl -u {check.unit} on {check.source_vantage} says why"
        return made(name, check, Outcome.FAIL, because, hint=hint, evidence=said)
    again = f", restarted {restarts} times" if restarts else ""
    return made(name, check, Outcome.PASS, state + again, evidence=said)


def _failed(name: str, check: UnitCheck, output: Output) -> Result:
    counted = COUNTED.search(output.stdout)
    failed = [clean(unit) for unit, _ in FAILED.findall(output.stdout)]
    if counted is None or int(counted.group(1)) != len(failed):
        return unknown(name, check, not_understood(check.source_vantage, "the list of failed units"))
    grave = [unit for unit in failed if not any(fnmatchcase(unit, pattern) for pattern in check.besides)]
    evidence = {"failed": failed[:MOST_SHOWN], "count": len(failed)}
    if not grave:
        because = f"no unit has failed but {', '.join(failed[:5])}" if failed else "no unit has failed"
        return made(name, check, Outcome.PASS, because, seconds=output.seconds, evidence=evidence)
    many = f"{len(grave)} units have failed" if len(grave) > 1 else "a unit has failed"
    because = f"{many}: {', '.join(grave[:5])}" + (", ..." if len(grave) > 5 else "")
    hint = f"systemctl status {grave[0]} on {check.source_vantage} says why"
    return made(name, check, Outcome.FAIL, because, hint=hint, seconds=output.seconds, evidence=evidence)
