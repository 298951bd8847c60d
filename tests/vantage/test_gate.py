"""A real sudo with the list that `seatrial sudoers` makes: the login may do that, as root, and nothing else.

sudo, its list and the gate are put into a mount namespace of the test's own, so this machine has none of it afterwards. The
login is the user nobody, whom every Debian has.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from seatrial.boot.grub import Grub
from seatrial.exports import commands as nfs
from seatrial.fleetfile import parse
from seatrial.model.command import Command, Output, Trouble
from seatrial.vantage.gate import GatedVantage
from seatrial.vantage.local import LocalVantage
from tests.vantage.grounds import program

ROOT = Path(__file__).parents[2]
FLEET = """\
version: 1
name: least
stages: [{name: staging}]
hosts: {gw1: {stage: staging, roles: [gateway], reach: {ssh: gw1, sudo: listed}}}
checks:
  mine: {kind: command, from: gw1, argv: [id, -u], root: true}
  spaced: {kind: command, from: gw1, argv: [printf, '%s', 'a "b" *, c: d=e \\ (f) #g'], root: true}
  script: {kind: command, from: gw1, argv: [sh, -c, 'echo "$1"; id -u', sh, 'one word'], root: true}
  processes: {kind: processes, from: gw1}
exports:
  home: {group: gw1, file: /srv/wanted}
"""
# What is bound over is seen in this namespace only.
ROOM = """
set -e
mount --make-rprivate /
mount --bind "$1/sudoers" /etc/sudoers
mount --bind "$1/sbin" /usr/local/sbin
mount -t tmpfs -o mode=755 none /run
cd /
exec setpriv --reuid=nobody --regid=nogroup --clear-groups --inh-caps=-all sh
"""


class Nobody(LocalVantage):
    """This machine, as the user nobody, whom sudo lets do what is listed."""

    def __init__(self, room: Path) -> None:
        super().__init__("gw1", places=asyncio.Semaphore(1))
        self.room = room

    @property
    def argv(self) -> tuple[str, ...]:
        return ("unshare", "-m", "sh", "-c", ROOM, "sh", str(self.room))


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert os.geteuid() == 0, "this one needs root: sudo changes from one user to another"
    made = tmp_path_factory.mktemp("sudo")
    (made / "fleet.yaml").write_text(FLEET)
    (made / "sudoers").write_text(said(made, "-f", str(made / "fleet.yaml"), "--login", "nobody"))
    (made / "sudoers").chmod(0o440)
    (made / "sbin").mkdir()
    (made / "sbin" / "seatrial-gate").write_text(said(made, "--gate"))
    (made / "sbin" / "seatrial-gate").chmod(0o755)
    return made


def said(folder: Path, *words: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-m", "seatrial", "sudoers", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "XDG_STATE_HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


def checks() -> dict[str, Command]:
    from seatrial.checks.registry import ask

    return {name: ask(check)[0][1] for name, check in parse(FLEET, filename="fleet.yaml").checks.items()}


async def asked(room: Path, *commands: Command) -> list[Output]:
    return await GatedVantage(Nobody(room)).run(commands)


def test_visudo_takes_the_list(room: Path) -> None:
    subprocess.run([program("visudo"), "-c", "-f", str(room / "sudoers")], check=True, capture_output=True)


async def test_what_is_listed_is_done_as_root(room: Path) -> None:
    known = checks()
    plain = Command(name="who", argv=("id", "-un"))
    mine, spaced, script, who = await asked(room, known["mine"], known["spaced"], known["script"], plain)
    assert (mine.status, mine.stdout) == (0, "0\n"), mine
    assert (spaced.status, spaced.stdout) == (0, 'a "b" *, c: d=e \\ (f) #g'), spaced
    assert (script.status, script.stdout) == (0, "one word\n0\n"), script
    assert (who.status, who.stdout) == (0, "nobody\n")
    assert mine.command == known["mine"]


async def test_scripts_on_standard_input_run_whole(room: Path) -> None:
    facts, processes = await asked(room, Grub().facts(), checks()["processes"])
    read = Grub().read(facts)
    assert read is not None and read.running == os.uname().release, facts
    assert processes.ok, processes


async def test_data_behind_a_text_is_what_the_text_reads(room: Path) -> None:
    declared = parse(FLEET, filename="fleet.yaml").exports["home"]
    wanted = {("/nowhere/at/all", "x"): frozenset[str](), ("/etc", "x"): frozenset[str]()}
    absent = next(one for one in nfs.look_commands(declared, wanted) if one.name == "exports.absent")
    (output,) = await asked(room, absent)
    assert (output.status, output.stdout) == (0, "/nowhere/at/all\n"), output


@pytest.mark.parametrize(
    "changed",
    [
        replace(Grub().facts(), stdin=b"id\n"),
        replace(Grub().facts(), stdin=Grub().facts().stdin + b"id\n"),
        Command(name="x", argv=("id", "-un"), root=True),
        Command(name="x", argv=("id", "-u", "root"), root=True),
        Command(name="x", argv=("sh", "-c", "id"), root=True),
        Command(name="x", argv=("sh",), root=True),
    ],
)
async def test_what_is_not_listed_is_refused_and_says_so(room: Path, changed: Command) -> None:
    (output,) = await asked(room, changed)
    assert not output.ok, output
    assert "uid=0" not in output.stdout and "root" not in output.stdout


async def test_a_gate_that_is_told_another_hash_runs_nothing(room: Path) -> None:
    """The login may say the words of the list itself and send what it likes."""
    from seatrial.vantage.gate import gated

    listed = gated(Grub().facts())
    (output,) = await Nobody(room).run([replace(listed, stdin=b"id -un\n")])
    assert output.status == 3
    assert "what came in is not what its hash says" in output.stderr


async def test_the_login_cannot_put_a_program_of_its_own_in_the_way(room: Path, tmp_path: Path) -> None:
    (tmp_path / "id").write_text("#!/bin/sh\necho caught\n")
    (tmp_path / "id").chmod(0o755)
    tmp_path.chmod(0o755)
    words = f"PATH={tmp_path}:$PATH; export PATH; sudo -n timeout -k 2 5 id -u"
    (output,) = await Nobody(room).run([Command(name="x", argv=("sh", "-c", words))])
    assert (output.status, output.stdout) == (0, "0\n"), output


async def test_without_a_list_there_is_no_privilege_and_the_answer_says_so(
    room: Path, tmp_path: Path
) -> None:
    (tmp_path / "sbin").mkdir()
    (tmp_path / "sudoers").write_text("root ALL=(ALL) ALL\n")
    (tmp_path / "sudoers").chmod(0o440)
    (output,) = await asked(tmp_path, Command(name="x", argv=("id", "-u"), root=True))
    assert (output.status, output.trouble) == (None, Trouble.NO_PRIVILEGE)
