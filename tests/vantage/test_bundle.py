"""The script and the reading of its answer: pure, or with a real sh and nothing else."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.model.command import Command, Output, Trouble
from seatrial.model.fleet import Reach
from seatrial.vantage.bundle import FRAME, NOISE, Answer, Ending, Stream, compose
from seatrial.vantage.open import open_vantage
from seatrial.vantage.piped import Fate, converse
from seatrial.vantage.pool import Pool
from seatrial.vantage.process import DEVNULL, PIPE, run, start

from .grounds import gone, program, until

MARK = "0123456789abcdef" * 2
LOST = Ending(trouble=Trouble.LOST, problem="lost", hint="look")


def sh(text: str, *, root: bool = False, stdin: bytes = b"", timeout: float = 20.0) -> Command:
    return Command(name="test.sh", argv=("sh", "-c", text), root=root, stdin=stdin, timeout=timeout)


async def asked(
    commands: Sequence[Command], *argv: str, env: dict[str, str] | None = None
) -> tuple[list[Output], Fate]:
    answer = Answer(commands)
    fate = await converse(argv or ("sh",), answer, env=env)
    return answer.outputs(LOST), fate


# --- reading ---

chunks = st.binary(max_size=40).filter(lambda data: MARK.encode() not in data)


@given(
    sections=st.lists(chunks, min_size=1, max_size=6),
    noise=chunks,
    cuts=st.lists(st.integers(min_value=0, max_value=1000), max_size=20),
    limit=st.integers(min_value=0, max_value=50),
)
def test_however_the_bytes_arrive_the_sections_are_the_same(
    sections: list[bytes], noise: bytes, cuts: list[int], limit: int
) -> None:
    whole = noise + f"{MARK} begin 0 1.00 ran\n".encode()
    for index, data in enumerate(sections):
        whole += data + f"{MARK} {index} 0 1.00 ran\n".encode()
    stream = Stream(MARK, [limit] * len(sections))
    edges = sorted({min(cut, len(whole)) for cut in cuts} | {0, len(whole)})
    for first, last in itertools.pairwise(edges):
        stream.feed(whole[first:last])
    assert stream.complete and not stream.broken
    assert [bytes(section.kept) for section in stream.sections[1:-1]] == [data[:limit] for data in sections]
    assert [section.cut for section in stream.sections[1:-1]] == [len(data) > limit for data in sections]


@given(data=st.binary(max_size=300))
def test_bytes_without_the_boundary_end_no_section(data: bytes) -> None:
    stream = Stream(MARK, [1000])
    stream.feed(f"{MARK} begin\n".encode())
    assert not stream.feed(data) and stream.closed == 0


@settings(max_examples=300)
@given(
    out=st.binary(max_size=200),
    err=st.binary(max_size=200),
    frames=st.lists(st.text(max_size=30), max_size=4),
)
def test_a_far_side_that_knows_the_boundary_and_lies_raises_nothing(
    out: bytes, err: bytes, frames: list[str]
) -> None:
    answer = Answer([sh("true"), sh("true")])
    mark = answer.out._mark
    for stream, noise in ((answer.out, out), (answer.err, err)):
        stream.feed(noise + mark + b" begin 0 nan ran\n")
        for frame in frames:
            stream.feed(mark + frame.encode("utf-8", "replace") + b"\n")
    assert len(answer.outputs(LOST)) == 2
    assert isinstance(answer.noise, str)


@pytest.mark.parametrize(
    "frame", [b" 1 0 1.0 ran\n", b" begin 0 1.0 ran\n", b"\n", b" x\n", b" " + b"9" * (FRAME + 1)]
)
def test_a_frame_out_of_order_is_believed_no_more(frame: bytes) -> None:
    stream = Stream(MARK, [10, 10])
    stream.feed(f"{MARK} begin 0 1.0 ran\n".encode())
    stream.feed(b"said" + MARK.encode() + frame)
    assert stream.broken and stream.complete and stream.closed == 0


def test_what_is_kept_is_bounded_before_the_script_begins_too() -> None:
    stream = Stream(MARK, [10])
    for _ in range(100):
        stream.feed(b"x" * 10_000)
    assert len(stream.sections[0].kept) == NOISE
    assert stream.surplus > 900_000


def test_a_frame_without_a_time_or_with_a_strange_one_still_answers() -> None:
    for time in ("-", "soon", "nan"):
        answer = Answer([sh("true")])
        mark = answer.out._mark
        for stream in (answer.out, answer.err):
            stream.feed(
                mark + b" begin 0 " + time.encode() + b" ran\n" + mark + b" 0 0 " + time.encode() + b" ran\n"
            )
        (output,) = answer.outputs(LOST)
        assert output.ok and output.seconds == 0.0


# --- the script, read by a real sh ---


async def test_a_script_of_which_only_a_part_arrives_runs_nothing(tmp_path: Path) -> None:
    made = tmp_path / "made"
    script = compose([Command(name="test.touch", argv=("touch", str(made), str(made) + "-not-this"))], MARK)
    # The end of it is a newline after the brace: without that it is whole.
    for end in range(len(script) - 2, 0, -7):
        await run(("sh",), stdin=script[:end])
        assert not made.exists(), script[:end]
    await run(("sh",), stdin=script)
    assert made.exists()


def fake(room: Path, name: str, text: str) -> None:
    path = room / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def with_fakes(room: Path) -> dict[str, str]:
    return {**os.environ, "PATH": f"{room}:{os.environ['PATH']}"}


async def test_root_is_asked_for_only_when_the_login_is_not_root(tmp_path: Path) -> None:
    fake(tmp_path, "id", "echo 0")
    fake(tmp_path, "sudo", f"touch {tmp_path}/asked; exit 1")
    outputs, _ = await asked([sh("echo done", root=True)], env=with_fakes(tmp_path))
    assert outputs[0].stdout == "done\n" and not (tmp_path / "asked").exists()


async def test_a_command_for_root_goes_through_sudo_with_its_time_limit_inside(tmp_path: Path) -> None:
    fake(tmp_path, "id", "echo 1000")
    fake(tmp_path, "sudo", f'printf "%s\\n" "$*" >>{tmp_path}/asked; shift; exec "$@"')
    commands = [
        sh("cat; exit 3", root=True, stdin=b"fed"),
        sh("echo mine"),
        sh("sleep 60", root=True, timeout=0.3),
    ]
    outputs, _ = await asked(commands, env=with_fakes(tmp_path))
    assert [output.status for output in outputs] == [3, 0, None]
    assert outputs[0].stdout == "fed" and outputs[2].trouble is Trouble.TIMEOUT
    first, *others = (tmp_path / "asked").read_text().splitlines()
    assert first == "-n timeout 9 true" and len(others) == 2
    assert all(line.startswith("-n timeout -k 2 ") for line in others)


async def test_a_sudo_that_refuses_is_no_answer(tmp_path: Path) -> None:
    fake(tmp_path, "id", "echo 1000")
    fake(tmp_path, "sudo", "echo 'sudo: a password is required' >&2; exit 1")
    outputs, _ = await asked([sh("echo a", root=True), sh("echo b")], env=with_fakes(tmp_path))
    assert outputs[0].trouble is Trouble.NO_PRIVILEGE and "a password is required" in outputs[0].problem
    assert "NOPASSWD" in outputs[0].hint and outputs[0].stdout == ""
    assert outputs[1].stdout == "b\n"


async def test_a_host_without_timeout_runs_nothing_and_says_so(tmp_path: Path) -> None:
    fake(tmp_path, "sh", f"PATH=; export PATH; exec {program('sh')}")
    # sbin is looked at as well, so the search path is taken away after the script has set it.
    answer = Answer([sh("echo a")])
    answer.script = answer.script.replace(b"PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin", b"PATH=/nowhere")
    await converse((program("sh"),), answer)
    (output,) = answer.outputs(LOST)
    assert output.trouble is Trouble.NO_PROGRAM and "coreutils" in output.hint


async def test_it_works_where_every_disk_is_full() -> None:
    fill = (
        "for d in /tmp /var/tmp /dev/shm /run; do mount -t tmpfs -o size=4k full $d || exit 9; "
        "dd if=/dev/zero of=$d/full bs=4096 count=2 2>/dev/null; done; exec sh"
    )
    new = "-m" if os.geteuid() == 0 else "-Urm"
    proof = "for d in /tmp /var/tmp /dev/shm /run; do cp /proc/version $d/more && echo room; done; cat"
    data = bytes(range(256)) * 400
    outputs, fate = await asked(
        [sh(proof, stdin=data), sh("echo next")], program("unshare"), new, "sh", "-c", fill
    )
    assert fate.status == 0
    assert "room" not in outputs[0].stdout and "No space" in outputs[0].stderr
    assert outputs[0].stdout == data.decode("utf-8", "replace") and outputs[1].stdout == "next\n"


@pytest.mark.parametrize("sig", [signal.SIGHUP, signal.SIGTERM])
async def test_a_shell_that_is_told_to_go_takes_its_command_along(sig: int, tmp_path: Path) -> None:
    began = tmp_path / "began"
    process = await start(("sh",), stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL)
    try:
        assert process.stdin
        process.stdin.write(
            compose([sh(f"echo $$ >{began}.new; mv {began}.new {began}; exec sleep 600")], MARK)
        )
        await process.stdin.drain()
        await asyncio.to_thread(until, began.exists, "the command")
        process.send_signal(sig)
        assert await process.wait() == 129
        await asyncio.to_thread(until, lambda: gone(int(began.read_text())), "the end of the command")
    finally:
        if process.returncode is None:
            process.kill()


async def test_a_run_that_is_cancelled_leaves_nothing_behind(tmp_path: Path) -> None:
    began = tmp_path / "began"
    pool = Pool()
    vantage = open_vantage("here", Reach(local=True), pool)
    asking = asyncio.create_task(
        vantage.run([sh(f"echo $$ >{began}.new; mv {began}.new {began}; exec sleep 600")])
    )
    await asyncio.to_thread(until, began.exists, "the command")
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await asyncio.to_thread(until, lambda: gone(int(began.read_text())), "the end of the command")


# --- namespaces ---


async def test_a_namespace_has_its_own_network(holder: tuple[str, str | None]) -> None:
    netns, userns = holder
    vantage = open_vantage("inside", Reach(netns=netns, userns=userns), Pool())
    outputs = await vantage.run([sh("readlink /proc/self/ns/net"), sh("cat /proc/net/dev")])
    assert (
        outputs[0].stdout.strip() == str(Path(netns).readlink()) != str(Path("/proc/self/ns/net").readlink())
    )
    assert [line.split(":")[0].strip() for line in outputs[1].stdout.splitlines()[2:]] == ["lo"]


async def test_a_namespace_that_is_gone_cannot_be_reached() -> None:
    outputs = await open_vantage("inside", Reach(netns="no-such-netns"), Pool()).run([sh("true")])
    assert outputs[0].trouble is Trouble.UNREACHABLE and "/run/netns/no-such-netns" in outputs[0].problem
