"""`seatrial diagnose`: what explains recorded observations, and what to probe next."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from seatrial.cli.given import bytes_of
from seatrial.cli.options import Json, console, print_json
from seatrial.diagnose.document import read, told
from seatrial.diagnose.evidence import is_chance
from seatrial.diagnose.localise import localise
from seatrial.errors import InputError
from seatrial.model.observation import Diagnosis, Observation, Suspect
from seatrial.model.text import safe

# A round of probes of 83,000 links is 12 MB; what is much larger is no record of one round.
MOST_BYTES = 64_000_000
MOST_NAMES = 8

File = Annotated[
    str, Parameter(allow_leading_hyphen=True, help="a file of observations, or - for standard input")
]
Top = Annotated[int, Parameter(name="--top", help="how many explanations to show at most")]


def diagnose(file: File, /, *, top: Top = 5, json: Json = False) -> int:
    """Name what explains the observations of FILE (JSON; `-` is standard input), the most probable first.

    Exit code 0 when something is named or nothing is lost, 3 when it cannot be told.
    """
    if top < 1:
        raise InputError(f"--top {top}: at least one explanation is wanted", hint="such as --top 3")
    data = bytes_of(
        file,
        most=MOST_BYTES,
        what="give a file of observations, or - for standard input",
        too_large="give the observations of one round, a line of counts for each path",
    )
    try:
        observations, prior = read(data)
    except InputError as error:
        raise InputError(f"{file}: {error.message}", hint=error.hint) from None
    found = localise(observations, prior)
    shown = Diagnosis(suspects=found.suspects[:top], next=found.next)
    outcome = _outcome(shown, observations)
    if json:
        print_json({**told(shown), "outcome": outcome})
    else:
        _tell(shown, observations, outcome)
    return 3 if outcome == "unknown" else 0


def _outcome(found: Diagnosis, observations: tuple[Observation, ...]) -> str:
    if found.suspects:
        return "named"
    asked = any(one.sent for one in observations)
    return "healthy" if asked and is_chance(observations) else "unknown"


def _tell(found: Diagnosis, observations: tuple[Observation, ...], outcome: str) -> None:
    out = console()
    sent, lost = sum(one.sent for one in observations), sum(one.lost for one in observations)
    counted = f"{len(observations)} observations, {lost} of {sent} lost"
    if outcome == "healthy":
        out.print(f"healthy: {counted}", markup=False)
    elif not sent:
        out.print("cannot be told: nothing was sent", markup=False)
    elif outcome == "unknown":
        out.print(f"cannot be told: {counted}; too little to name a fault, so send more probes", markup=False)
    else:
        for suspect in found.suspects:
            _tell_suspect(suspect)
    for probe in found.next:
        parts = " | ".join(_listed(part) for part in probe.splits)
        out.print(f"next: a probe over {_listed(probe.path)} would tell {parts}", markup=False)


def _tell_suspect(suspect: Suspect) -> None:
    out = console()
    out.print(
        f"{min(round(100 * suspect.probability), 99):>3} %  {_listed(suspect.components)}   {safe(suspect.because)}",
        markup=False,
    )
    mine = set(suspect.components)
    others = dict.fromkeys(name for same in suspect.same_evidence for name in same if name not in mine)
    if others:
        out.print(f"       cannot be told apart from: {_listed(tuple(others))}", markup=False)


def _listed(names: tuple[str, ...]) -> str:
    shown = [safe(name) for name in names[:MOST_NAMES]]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return ", ".join(shown) + more
