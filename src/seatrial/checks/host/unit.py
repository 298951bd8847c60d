"""Is a systemd unit active? What is not in: starting it."""

from __future__ import annotations

from collections.abc import Sequence

from seatrial.checks.asked import made, unknown
from seatrial.checks.reading import clean, why_not
from seatrial.model.check.host import UnitCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result

ASKED = ("LoadState", "ActiveState", "SubState", "Result", "NRestarts")


def commands(check: UnitCheck) -> tuple[Command, ...]:
    """Properties by name: their order is systemd's own."""
    argv = ("systemctl", "show", "--no-pager", "-p", ",".join(ASKED), "--", check.unit)
    return (Command(name="unit.show", argv=argv, timeout=check.timeout, package="systemd"),)


def judge(name: str, check: UnitCheck, outputs: Sequence[Output]) -> Result:
    """PASS when it is active; a unit that systemd restarted is said to be so."""
    output = outputs[0] if outputs else None
    if why := why_not(output, check.source_vantage):
        return unknown(name, check, why)
    assert output is not None
    lines = (line.partition("=") for line in output.stdout.splitlines())
    said = {key: clean(value) for key, _, value in lines if key in ASKED}
    if not said.get("ActiveState"):
        return unknown(name, check, (f"{check.source_vantage} says nothing of {check.unit}", ""))
    restarts = int(said["NRestarts"]) if said.get("NRestarts", "").isdigit() else 0
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
