"""The list of what may be done as root: whatever rehearsed rollouts send is on it, and hardly anything else is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from seatrial.engine.rehearsal import PAIR_TEXT, rehearsal_fleet
from seatrial.engine.rehearse import rehearse
from seatrial.fleetfile import parse
from seatrial.fleetfile.load import load
from seatrial.model.command import Command, Output
from seatrial.model.rehearsed import RehearsedFaults
from seatrial.perform.privileges import privileges_of, rule_of
from seatrial.vantage.gate import GATE, gated
from seatrial.vantage.simulated import SimulatedVantage

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "text", [rehearsal_fleet(), rehearsal_fleet(measured=True), PAIR_TEXT], ids=["plain", "measured", "pair"]
)
@pytest.mark.parametrize("bad", [False, True])
def test_whatever_a_rollout_sends_as_root_is_listed(
    text: str, bad: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = parse(text, filename="rehearsal")
    sent: dict[str, dict[tuple[str, tuple[str, ...]], Command]] = {}
    run = SimulatedVantage.run

    async def recorded(self: SimulatedVantage, commands: Sequence[Command]) -> list[Output]:
        for command in commands:
            if command.root:
                sent.setdefault(self.name, {})[command.name, command.argv] = command
        return await run(self, commands)

    monkeypatch.setattr(SimulatedVantage, "run", recorded)
    first = next(iter(fleet.hosts))
    faults = [{"kind": "replies-lost", "hosts": (first,)}] if bad else []
    done = rehearse(
        fleet,
        RehearsedFaults.model_validate({"faults": tuple(faults)}),
        begin=datetime(2026, 1, 5, tzinfo=UTC),
    )
    assert first in sent
    names = {name for by_argv in sent.values() for name, _ in by_argv}
    assert {"boot.facts", "guard.arm", "boot.once", "host.reboot"} <= names
    # The standby of the pair carries nothing that could fail there.
    if fleet.flows or not bad:
        assert ("guard.revert" if bad else "guard.bless") in names
    for place, commands in sent.items():
        # A fleet without flows gets stand-ins for them.
        listed = privileges_of(done.fleet, place)
        assert listed.beyond == ()
        missing = [
            command.name
            for command in commands.values()
            if not any(rule.fits(command) for rule in listed.rules)
        ]
        assert missing == [], place


def test_another_script_text_or_word_is_not_on_the_list() -> None:
    fleet = load(ROOT / "examples" / "gateway" / "fleet.yaml")
    rules = privileges_of(fleet, "gw-p1").rules

    def allowed(command: Command) -> bool:
        return any(rule.fits(command) for rule in rules)

    from seatrial.boot import guard
    from seatrial.boot.grub import Grub

    facts, reboot = Grub().facts(), guard.reboot()
    assert allowed(facts) and allowed(reboot)
    assert not allowed(replace(facts, stdin=facts.stdin + b"id\n"))
    assert not allowed(replace(facts, argv=("sh", "-s", "--", "x")))
    assert not allowed(replace(reboot, argv=(*reboot.argv, "--force")))
    assert not allowed(Command(name="x", argv=("sh", "-c", "id"), root=True))
    assert not allowed(Command(name="x", argv=("id",), root=True))
    extend = guard.extend(trial="r1.gw-p1", boot_id="b", seconds=600)
    assert allowed(extend)
    assert not allowed(replace(extend, argv=(*extend.argv[:-1], "600; id")))


def test_every_mover_of_the_examples_is_listed_in_full() -> None:
    fleet = load(ROOT / "examples" / "movers" / "fleet.yaml")
    for group in fleet.groups.values():
        for host in group.hosts:
            listed = privileges_of(fleet, host)
            assert listed.beyond == () and listed.rules


def test_what_needs_no_root_or_reads_nothing_goes_as_it_is() -> None:
    plain = Command(name="x", argv=("cat", "/etc/hosts"), stdin=b"x")
    assert gated(plain) is plain
    reboot = Command(name="x", argv=("systemctl", "reboot"), root=True)
    assert gated(reboot) is reboot
    script = gated(Command(name="x", argv=("sh", "-s"), stdin=b"id\n", root=True))
    assert script.argv[:2] == (GATE, "whole") and script.argv[-2:] == ("sh", "-s")


@pytest.mark.parametrize(
    "word", ["a.b", "x*y", "(a|b)", 'say "no"', "a\\b", "^x", "#1", "a$", "[x]{2}", "a\nb"]
)
def test_a_word_of_the_fleet_file_is_taken_literally(word: str) -> None:
    command = Command(name="x", argv=("echo", word), root=True)
    rule = rule_of(command)
    assert rule.fits(command)
    assert not rule.fits(replace(command, argv=("echo", f"{word}x")))
    assert not rule.fits(replace(command, argv=("echo", "zzzz")))
