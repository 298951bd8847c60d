"""What a login must be able to do as root for a fleet, as lines of sudoers: each Command exactly, as it goes to the host.

What is in: every Command with `root` that checks, flows, trials, movers, exports and audits of this fleet send to one place,
and which of its words vary. What is not: what may come of them, which is the scripts' business: they are known by their hash.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from seatrial.boot import guard
from seatrial.boot.method import BootMethod
from seatrial.boot.methods import method_of
from seatrial.checks.flow import round as flows
from seatrial.checks.registry import ask
from seatrial.drift import facts as drift
from seatrial.exports import commands as nfs
from seatrial.exports.plan import Found
from seatrial.ha.drivers import driver_of
from seatrial.model.command import Command
from seatrial.model.exports import Exports
from seatrial.model.fleet import Fleet
from seatrial.model.hostfacts import BootFacts, InstalledKernel
from seatrial.perform.deeds import deeds_of
from seatrial.perform.measuring import sample_command
from seatrial.vantage.bundle import GRACE
from seatrial.vantage.gate import gated

TIMEOUT = "/usr/bin/timeout"
# sudo takes no longer expression.
MOST = 1024
_SECONDS = "[0-9.]+"
ENTRY = r"[A-Za-z0-9._~+,':@/=>() -]{1,400}"
WORD = "[A-Za-z0-9._~+-]{1,100}"
WHOLE = "[0-9]{1,12}"
ANYTHING = ".*"
# Stand-ins that become expressions. They have the letters that every check of a word lets through.
_STANDS = {
    "ST-ENTRY": ENTRY,
    "ST-DEFAULT": ENTRY,
    "ST-WORD": WORD,
    "ST-BOOT": WORD,
    "ST-KERNEL": WORD,
    "ST-GOOD": WORD,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that is let through: what it is for, and the expression that the words behind `timeout` must fit."""

    name: str
    words: str

    def fits(self, command: Command) -> bool:
        """Whether that Command, as it goes to the host, is let through by this rule."""
        return re.fullmatch(self.words, _joined(command), re.DOTALL) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Privileges:
    """All rules of one place, and what no rule can be made for."""

    place: str
    rules: tuple[Rule, ...]
    beyond: tuple[str, ...]


def privileges_of(fleet: Fleet, place: str) -> Privileges:
    """What the login at a host or a vantage needs. Raises KeyError for a place that is not there."""
    fleet.reach_of(place)
    found: dict[str, Rule] = {}
    beyond: dict[str, None] = {}
    for command, last in _asked(fleet, place):
        if not command.root:
            continue
        rule = rule_of(command, last)
        if len(rule.words) > MOST:
            beyond[f"{command.name}: its words are longer than a rule of sudo's can be"] = None
        else:
            found.setdefault(rule.words, rule)
    return Privileges(place=place, rules=tuple(found.values()), beyond=tuple(beyond))


def rule_of(command: Command, last: str = "") -> Rule:
    """The rule for one Command; `last` is an expression in place of its last word."""
    sent = gated(command)
    words = list(map(_exact, sent.argv))
    if last:
        words[-1] = last
    expression = " ".join(("-k", f"{GRACE:g}", _SECONDS, *words))
    for stand, instead in _STANDS.items():
        expression = expression.replace(_exact(stand), instead)
    return Rule(name=command.name, words=f"^{expression}$")


def _joined(command: Command) -> str:
    return " ".join(("-k", f"{GRACE:g}", "1", *gated(command).argv))


def _exact(word: str) -> str:
    """An expression of POSIX that fits this text only; without characters that sudoers itself reads."""
    text = ""
    for letter in word:
        if re.fullmatch(r"[A-Za-z0-9 /_,:=@%<>;~-]", letter, re.ASCII):
            text += letter
        elif letter in ".[]{}()*+?|$":
            text += f"\\{letter}"
        elif letter == "#":
            text += "\\#"
        else:
            # A quote, a backslash, a caret, a line break, a letter of another script: any one character will do.
            text += "."
    return text


def _asked(fleet: Fleet, place: str) -> Iterator[tuple[Command, str]]:
    """Every Command that may be sent there, with the expression of its last word where that one varies."""
    for check in fleet.checks.values():
        yield from ((command, "") for where, command in ask(check) if where == place)
    yield from _flows(fleet, place)
    if place in fleet.hosts:
        yield from _trial(fleet, place)
    for group in fleet.groups.values():
        driver = driver_of(group)
        for where, commands in driver.look(group).items():
            yield from ((command, "") for command in commands if where == place)
        for where, commands in driver.glance(group).items():
            yield from ((command, "") for command in commands if where == place)
        if place in group.hosts:
            yield from ((command, "") for command in deeds_of(group))
    for declared in fleet.exports.values():
        if place in (
            (declared.group,) if declared.group in fleet.hosts else fleet.groups[declared.group].hosts
        ):
            yield from _exports(declared)


def _flows(fleet: Fleet, place: str) -> Iterator[tuple[Command, str]]:
    if not fleet.flows:
        return
    turn = flows.ask(fleet, fleet.flows, run="sudoers", probes=8, rate=1)
    for bundle in (*turn.listen, *turn.send, *turn.collect):
        if bundle.vantage == place:
            # What varies is which flows are asked at a time; the script holds each of them to its own bounds.
            yield from ((command, ANYTHING) for command in bundle.commands)
    for bundle in turn.carried:
        if bundle.vantage == place:
            yield from ((_first(command, 4), ANYTHING) for command in bundle.commands)


def _first(command: Command, words: int) -> Command:
    """The Command with only so many words, and one more that stands for all others."""
    return replace(command, argv=(*command.argv[:words], "all others"))


def _trial(fleet: Fleet, host: str) -> Iterator[tuple[Command, str]]:
    method: BootMethod = method_of(fleet.hosts[host].boot)
    kernels = {
        version: InstalledKernel(
            version=version, entry="ST-ENTRY", initrd_wanted=True, initrd_present=True, modules=True, panic=0
        )
        for version in ("ST-GOOD", "ST-KERNEL")
    }
    told = BootFacts(
        running="ST-GOOD", boot_id="ST-BOOT", uptime=1.0, kernels=kernels, saved_default=True, default="ST-GOOD",
        next=None, default_entry="ST-DEFAULT",
    )  # fmt: skip
    plain = (
        method.facts(),
        method.glance(),
        method.boot_once("ST-ENTRY"),
        method.make_default("ST-ENTRY"),
        guard.revert(trial="ST-WORD"),
        guard.disarm(trial="ST-WORD"),
        guard.clean(),
        guard.bless(trial="ST-WORD", boot_id="ST-BOOT", kernel="ST-KERNEL"),
        guard.reboot(),
        *drift.commands(method),
        drift.snapshot_command(),
    )
    yield from ((command, "") for command in plain)
    yield guard.arm(trial="ST-WORD", facts=told, good="ST-GOOD", candidate="ST-KERNEL", seconds=1), WHOLE
    yield guard.extend(trial="ST-WORD", boot_id="ST-BOOT", seconds=1), WHOLE
    yield drift.snapshot_command(1.0), WHOLE
    if (measure := fleet.policy_of(host).measure) is not None:
        yield sample_command(measure, root=True), ANYTHING


def _exports(declared: Exports) -> Iterator[tuple[Command, str]]:
    yield from ((command, "") for command in nfs.look_commands(declared, {}))
    written = nfs.write_command(declared, "", Found())
    yield _first(written, len(written.argv) - 2), "[0-9a-f]{64} ([0-9a-f]{64}|none)"
    withdraw, serve = nfs.serve_commands([("/x", "x")])
    yield withdraw, r"[^ ]+:/[^ ]*"
    yield serve, ""
