"""The script of the pair: what the page tells of it is what it does, shellcheck finds nothing, and a cut-off text does nothing."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from seatrial.ha.drbdnfs import batches
from seatrial.ha.drbdnfs.facts import MemberFacts
from seatrial.ha.drbdnfs.machine import STEPS
from seatrial.ha.scripts import script
from seatrial.model.command import Command

from .heard import mover

SEEN = MemberFacts(boot="01549239-ded0-4a19-8e19-612f38b05b47", uptime="547.08")
TEXT = script("drbd-nfs.sh")


@pytest.mark.parametrize("verb", batches.BATCHES)
def test_the_steps_that_are_told_of_are_those_of_the_script(verb: str) -> None:
    body = re.search(rf"^{verb}\(\) {{\n(.*?)^}}", TEXT, re.MULTILINE | re.DOTALL)
    lock = re.search(r"^locked\(\) {\n(.*?)^}", TEXT, re.MULTILINE | re.DOTALL)
    assert body and lock
    steps = [
        *re.findall(r"^ +step (\S+)", lock[1], re.MULTILINE),
        *re.findall(r"^ +step (\S+)", body[1], re.MULTILINE),
    ]
    assert steps == [name for name, _ in batches.BATCHES[verb]]


@pytest.mark.parametrize("verb", STEPS)
def test_the_machine_that_is_explored_has_the_steps_in_the_order_of_the_script(verb: str) -> None:
    told = [name for name, _ in batches.BATCHES[verb]]
    assert [name for name in told if name in STEPS[verb]] == list(STEPS[verb])


def test_the_script_is_clean_to_shellcheck(tmp_path: Path) -> None:
    (tmp_path / "script").write_text(TEXT)
    ended = subprocess.run(
        ["shellcheck", "-s", "sh", str(tmp_path / "script")], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (0, "")


COMMANDS = [
    batches.give(mover(), SEEN),
    batches.take(mover(), SEEN, "peer"),
    batches.fence(mover(), SEEN),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_a_text_that_was_cut_off_does_nothing(command: Command, tmp_path: Path) -> None:
    # Everything but the last characters arrives: a login that breaks must not leave half a verb.
    for lost in (1, 2, 3, 9, 20, 60):
        ended = subprocess.run(
            list(command.argv),
            input=command.stdin[:-lost].decode(),
            env={"SEATRIAL_RUN": str(tmp_path / "run"), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        if lost > 1:  # without its newline the last line is whole all the same
            assert "step\t" not in ended.stdout
            assert not (tmp_path / "run" / "failover.pid").exists()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_what_was_decided_on_another_boot_is_not_done(command: Command, tmp_path: Path) -> None:
    ended = subprocess.run(
        list(command.argv),
        input=command.stdin.decode(),
        env={"SEATRIAL_RUN": str(tmp_path / "run"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    steps = [line.split("\t") for line in ended.stdout.splitlines() if line.startswith("step\t")]
    assert [(step[1], step[3]) for step in steps] == [("lock", "0"), ("fresh", "1")], ended.stderr
    assert "rebooted since" in steps[1][4]
    assert ended.returncode == 1
