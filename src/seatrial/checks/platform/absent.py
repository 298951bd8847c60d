"""Is a file away that would mean stop? What is not in: who may put it there."""

from __future__ import annotations

from collections.abc import Sequence

from seatrial.checks.asked import made, unknown
from seatrial.checks.reading import clean, why_not
from seatrial.model.check.monitoring import AbsentCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result

# A directory that is not there is a disk that is not mounted: then nobody knows about the file.
_SCRIPT = """\
cd -- "$1" || exit 3
if said=$(LC_ALL=C ls -ld -- "./$2" 2>&1)
then echo there; head -c 400 -- "./$2" 2>/dev/null | head -n 1
else case $said in *": No such file or directory") echo away;; *) printf '%s\\n' "$said" >&2; exit 4;; esac
fi
"""


def commands(check: AbsentCheck) -> tuple[Command, ...]:
    """Its directory is entered, then the file is looked for: a file that may not be seen is no absent one."""
    folder, _, file = check.path.rpartition("/")
    argv = ("sh", "-c", _SCRIPT, "sh", folder or "/", file)
    return (Command(name="file.absent", argv=argv, timeout=check.timeout, package="coreutils"),)


def judge(name: str, check: AbsentCheck, outputs: Sequence[Output]) -> Result:
    """PASS when the file is not there; UNKNOWN when its directory is not, or may not be looked into."""
    output = outputs[0] if outputs else None
    if why := why_not(output, check.source_vantage):
        return unknown(name, check, (why[0], why[1] or f"look at {check.path} on {check.source_vantage}"))
    assert output is not None
    first, _, rest = output.stdout.partition("\n")
    if first == "away" and not rest.strip():
        because = f"{check.path} is not there"
        return made(name, check, Outcome.PASS, because, seconds=output.seconds)
    if first != "there":
        return unknown(
            name, check, (f"{check.source_vantage} does not say whether {check.path} is there", "")
        )
    line = clean(rest.strip(), 200)
    because = f"{check.path} is there on {check.source_vantage}" + (f": {line}" if line else "")
    hint = "whoever put it there takes it away"
    return made(
        name, check, Outcome.FAIL, because, hint=hint, seconds=output.seconds, evidence={"line": line}
    )
