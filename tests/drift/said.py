"""What a guest said that is well, with parts of it replaced: what the tables of this room's tests are made of."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from seatrial.boot.grub import Grub
from seatrial.drift.audit import audit
from seatrial.drift.facts import Facts, commands, read_facts
from seatrial.model.command import Output
from seatrial.model.finding import Audit, Finding

GOLDEN = Path(__file__).parent / "golden"
GOOD, CANDIDATE = "6.1.0-47-cloud-amd64", "6.1.0-56-cloud-amd64"


@cache
def captured(name: str) -> str:
    """A captured answer."""
    return (GOLDEN / name).read_text()


def booted() -> int:
    """When the captured guest came up, in seconds since 1970."""
    return int(captured("guest.facts").partition("|btime ")[2].partition("\n")[0])


def section(text: str, name: str, body: str, *, status: int = 0, more: bool = False) -> str:
    """The answer with one section replaced, or with lines added to it."""
    found = re.search(rf"@begin {re.escape(name)}\n(.*?)\n?\|@\d+\n@end {re.escape(name)}\n", text, re.DOTALL)
    assert found, name
    kept = found.group(1) + "\n" if more else ""
    lines = "".join(f"|{line}\n" for line in body.split("\n"))
    made = f"@begin {name}\n{kept}{lines}|@{status}\n@end {name}\n"
    return text.replace(found.group(0), made)


def facts(grub: str | None = None, drift: str | None = None) -> Facts:
    """The facts of the guest; either answer may be another one."""
    first, second = commands(Grub())
    found = read_facts(
        Grub(),
        [
            Output(command=first, status=0, stdout=captured("guest.grub") if grub is None else grub),
            Output(command=second, status=0, stdout=captured("guest.facts") if drift is None else drift),
        ],
    )
    assert found is not None
    return found


def of(**sections: str) -> Audit:
    """The audit of the guest with sections replaced: `grub_x` of the boot loader's answer, others with _ for -.

    A text that begins with + is added to what is there.
    """
    grub, drift = captured("guest.grub"), captured("guest.facts")
    for key, body in sections.items():
        name, more = key.removeprefix("grub_").replace("_", "-"), body.startswith("+")
        if key.startswith("grub_"):
            grub = section(grub, name, body.removeprefix("+"), more=more)
        else:
            drift = section(drift, name, body.removeprefix("+"), more=more)
    return audit("gw-s1", facts(grub, drift))


def found(one: Audit) -> dict[str, Finding]:
    """What stands, by name; what the captured guest has anyway is left out."""
    return {each.name: each for each in one.findings if each.name != "boot.installed"}


BOOTED = booted()
