"""Running on this machine, against subprocess.run(shell=True), which is how the old tool ran a command."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from seatrial.checklist.judge import Said
from seatrial.checklist.reading import parse
from seatrial.model.result import Outcome
from seatrial.perform.checklist import Wish, run_here
from tests.vantage.grounds import gone, until

from .told import environment

COMMANDS = [
    "exit 7",
    "kill -9 $$",
    "kill -PIPE $$",
    "sh -c 'kill -9 $$'",
    "pwd",
    "umask",
    "ulimit -n",
    # Its sum, since a large environment is more than what is kept of an output.
    "env | grep -v ^_= | sort | cksum",
    "echo $0 $#; test -t 0; echo $?",
    "printf '\\377'",
    "printf ' a\\n\\n b \\r\\n'",
    "no-such-program-here",
    "syntax ( error",
    "cat /proc/self/status | grep -E '^Sig(Ign|Blk)'",
    "ls -l /proc/self/fd | wc -l",
    "cat | wc -c",
    "",
    "yes | head -1",
]


async def test_a_command_finds_what_it_always_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("WITH_LINES", "a\nb=c")
    items = [
        f'- name: "{number}"\n  tests: [{{cmd: {_quoted(cmd)}}}]\n' for number, cmd in enumerate(COMMANDS)
    ]
    heard: list[Said] = []
    checklist = parse("".join(items), filename="f")
    ran = await run_here(checklist, Wish(timeout=30), heard.append)
    assert [result.outcome for result in ran.results] == [Outcome.PASS] * len(COMMANDS)
    ours = [(said.status, said.stdout.text, said.stderr.text) for said in heard if said.word == "ran"]
    # One by one, since a difference in the middle of them all is cut out of what pytest prints.
    for cmd, found in zip(COMMANDS, ours, strict=True):
        assert found == _by_subprocess(cmd), cmd


def _by_subprocess(cmd: str) -> tuple[int, str, str]:
    done = subprocess.run(cmd, shell=True, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    out, err = (data.decode("utf-8", "replace").strip() for data in (done.stdout, done.stderr))
    return done.returncode, out, err


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


async def test_what_a_command_leaves_in_the_background_lives_on(tmp_path: Path) -> None:
    text = f"""\
- name: starts something
  tests:
    - cmd: sleep 300 >/dev/null 2>&1 & echo $! >{tmp_path}/pid
    - cmd: kill -0 $(cat {tmp_path}/pid)
      retcode: 0
"""
    ran = await run_here(parse(text, filename="f"), Wish())
    pid = int((tmp_path / "pid").read_text())
    assert not gone(pid)
    os.kill(pid, signal.SIGKILL)
    assert [result.outcome for result in ran.results] == [Outcome.PASS]


async def test_tests_run_in_the_order_of_the_file_unless_side_by_side(tmp_path: Path) -> None:
    # Each waits for the other one, so that they pass side by side only.
    text = f"""\
- name: first
  tests:
    - cmd: touch {tmp_path}/first; until [ -e {tmp_path}/second ]; do sleep 0.01; done
- name: second
  tests:
    - cmd: touch {tmp_path}/second; until [ -e {tmp_path}/first ]; do sleep 0.01; done
"""
    checklist = parse(text, filename="f")
    alone = await run_here(checklist, Wish(timeout=0.5))
    assert [result.outcome for result in alone.results] == [Outcome.UNKNOWN, Outcome.PASS]
    for name in ("first", "second"):
        (tmp_path / name).unlink()
    both = await run_here(checklist, Wish(timeout=30, parallel=2))
    assert [result.outcome for result in both.results] == [Outcome.PASS, Outcome.PASS]


async def test_a_command_whose_time_is_over_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    text = f"- name: hangs\n  tests:\n    - cmd: sleep 600 & echo $! >{tmp_path}/pid; wait\n"
    (result,) = (await run_here(parse(text, filename="f"), Wish(timeout=0.5))).results
    assert result.outcome is Outcome.UNKNOWN and "0.5 s" in result.because
    until(lambda: gone(int((tmp_path / "pid").read_text())), "the end of the sleep")


async def test_variables_cannot_grow_without_end() -> None:
    text = f"- envvars: [{{A: {'x' * 100_000}}}]\n- name: grows\n  tests:\n    - cmd: echo $A$A\n- name: b\n  tests: []\n"
    results = (await run_here(parse(text, filename="f"), Wish())).results
    assert [result.outcome for result in results] == [Outcome.UNKNOWN, Outcome.PASS]
    assert "longer than Linux takes" in results[0].because


async def test_a_run_that_is_given_up_ends_its_commands(tmp_path: Path) -> None:
    text = f"- name: hangs\n  tests:\n    - cmd: echo $$ >{tmp_path}/pid; sleep 600\n"
    running = asyncio.ensure_future(run_here(parse(text, filename="f"), Wish()))
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        await asyncio.wait([running], timeout=0.01)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    until(lambda: gone(int((tmp_path / "pid").read_text())), "the end of the command")


@pytest.mark.parametrize(("sent", "code"), [("SIGINT", 130), ("SIGTERM", -15), ("SIGKILL", -9)])
def test_however_the_program_is_ended_its_commands_end(sent: str, code: int, tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text("- name: hangs\n  tests:\n    - cmd: echo $$ >pid; sleep 600\n")
    argv = [sys.executable, "-m", "seatrial.cli.checklist", "--config", "f.yaml"]
    process = subprocess.Popen(argv, cwd=tmp_path, env=environment(), stdout=subprocess.DEVNULL)
    pid = tmp_path / "pid"
    until(lambda: pid.exists() and pid.read_text() != "", "the command")
    process.send_signal(signal.Signals[sent])
    assert process.wait() == code
    until(lambda: gone(int(pid.read_text())), "the end of the command")
