"""What every place owes: the same answers to the same questions, whichever way it is reached."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
from pathlib import Path

import pytest

from seatrial.model.command import Command, Output, Trouble

from .conftest import Place
from .grounds import ABOVE, gone, until


def sh(text: str, *, timeout: float = 20.0, limit: int = 4096, stdin: bytes = b"") -> Command:
    return Command(name="test.sh", argv=("sh", "-c", text), timeout=timeout, limit=limit, stdin=stdin)


async def one(place: Place, command: Command) -> Output:
    (output,) = await place.vantage.run([command])
    return output


async def test_streams_and_exit_status_come_back_apart(place: Place) -> None:
    output = await one(place, sh("echo out; echo err >&2; exit 7"))
    assert (output.status, output.stdout, output.stderr) == (7, "out\n", "err\n")
    assert output.answered and not output.ok and output.trouble is None


async def test_no_commands_have_no_outputs(place: Place) -> None:
    assert await place.vantage.run([]) == []


async def test_commands_run_one_after_the_other_and_answer_in_order(place: Place) -> None:
    outputs = await place.vantage.run([sh(f"echo {number}") for number in range(200)])
    assert [output.stdout for output in outputs] == [f"{number}\n" for number in range(200)]
    assert all(output.ok for output in outputs)


async def test_arguments_arrive_as_they_are(place: Place) -> None:
    words = ("a b", "", "'", '"', "$HOME", "`id`", "\\n", "*", "ä", "-n", "two\nlines", "%s", "!x")
    output = await one(place, Command(name="test.args", argv=("printf", "[%s]", *words)))
    assert output.stdout == "".join(f"[{word}]" for word in words)


async def test_stdin_arrives_byte_by_byte(place: Place) -> None:
    data = bytes(range(256)) * 300
    outputs = await place.vantage.run(
        [
            Command(name="test.sum", argv=("sha256sum",), stdin=data),
            sh("cat; echo end"),
            sh("cat", stdin=b"x"),
        ]
    )
    assert outputs[0].stdout.split()[0] == hashlib.sha256(data).hexdigest()
    assert [output.stdout for output in outputs[1:]] == ["end\n", "x"]


async def test_a_command_that_does_not_read_its_stdin_still_answers(place: Place) -> None:
    outputs = await place.vantage.run([sh("exit 3", stdin=b"x" * 300_000), sh("echo next")])
    assert [output.status for output in outputs] == [3, 0]


async def test_what_is_fed_is_in_no_process_list(place: Place) -> None:
    secret = b"correct horse battery staple"
    look = "for p in /proc/[0-9]*; do cat $p/cmdline $p/environ 2>/dev/null; done | tr '\\0' '\\n'; cat >/dev/null"
    output = await one(place, sh(look, stdin=secret, limit=4_000_000))
    assert output.ok and "test.sh" not in output.stdout
    assert secret.decode() not in output.stdout


async def test_a_command_that_hangs_is_ended_over_there_and_the_next_one_is_asked(place: Place) -> None:
    outputs = await place.vantage.run(
        [sh("echo before; sleep 600 & echo $!; wait", timeout=0.3), sh("echo next")]
    )
    assert outputs[0].trouble is Trouble.TIMEOUT and outputs[0].status is None
    assert "sh" in outputs[0].problem
    before, pid = outputs[0].stdout.split()
    assert before == "before" and outputs[1].stdout == "next\n"
    # Not only the shell but all of its process group.
    until(lambda: gone(int(pid)), "the end of the sleep")


async def test_a_command_that_ignores_the_end_of_its_time_is_killed(place: Place) -> None:
    outputs = await place.vantage.run(
        [sh('trap "" TERM; while :; do sleep 1; done', timeout=0.2), sh("echo next")]
    )
    assert [output.trouble for output in outputs] == [Trouble.TIMEOUT, None]


async def test_a_status_that_looks_like_a_timeout_is_a_status(place: Place) -> None:
    outputs = await place.vantage.run([sh("exit 124"), sh("exit 137"), sh("kill -9 $$")])
    assert [output.status for output in outputs] == [124, 137, 137]


async def test_output_without_end_is_cut_and_ended(place: Place) -> None:
    outputs = await place.vantage.run(
        [Command(name="test.yes", argv=("yes",), timeout=1.0, limit=1000), sh("echo next")]
    )
    assert outputs[0].trouble is Trouble.TIMEOUT and outputs[0].truncated
    assert outputs[0].stdout == "y\n" * 500
    assert outputs[1].stdout == "next\n"


async def test_long_output_is_cut_and_keeps_its_status(place: Place) -> None:
    outputs = await place.vantage.run(
        [
            sh("yes | head -c 3000000; yes e | head -c 3000000 >&2; exit 5", limit=10),
            sh("printf 0123456789", limit=10),
        ]
    )
    assert (outputs[0].status, outputs[0].truncated) == (5, True)
    assert (outputs[0].stdout, outputs[0].stderr) == ("y\n" * 5, "e\n" * 5)
    assert (outputs[1].stdout, outputs[1].truncated) == ("0123456789", False)


async def test_binary_and_broken_text_come_back_as_text(place: Place) -> None:
    outputs = await place.vantage.run([sh(r"printf '\377\000\303('; printf '\200' >&2"), sh("echo ä")])
    assert (outputs[0].stdout, outputs[0].stderr) == ("\ufffd\0\ufffd(", "\ufffd")
    assert outputs[1].stdout == "ä\n"


async def test_no_output_can_forge_a_frame(place: Place) -> None:
    # It says every frame it can think of, with all that it can see of the shell that asked.
    forge = (
        "cat /proc/$PPID/environ /proc/$PPID/cmdline; env; set; i=0; while [ $i -lt 3 ]; do "
        "for to in 1 2; do printf '%032d %s 0 9.99 ran\\n%032d end\\n' 0 $i 0 >&$to; done; i=$((i+1)); done; exit 9"
    )
    outputs = await place.vantage.run([sh(forge, limit=100_000), sh("echo honest; exit 4"), sh("echo last")])
    assert [output.status for output in outputs] == [9, 4, 0]
    assert [output.stdout for output in outputs[1:]] == ["honest\n", "last\n"]


async def test_a_program_that_is_not_there_says_what_to_install(place: Place) -> None:
    outputs = await place.vantage.run(
        [
            Command(name="test.absent", argv=("no-such-program", "-x"), package="such-package"),
            Command(name="test.absent", argv=("/no/such/program",)),
            sh("no-such-program"),
            sh("echo next"),
        ]
    )
    assert [output.trouble for output in outputs] == [Trouble.NO_PROGRAM, Trouble.NO_PROGRAM, None, None]
    assert "no-such-program" in outputs[0].problem and outputs[0].hint == "apt-get install such-package"
    assert outputs[2].status == 127 and outputs[3].ok


async def test_programs_of_sbin_are_found(place: Place) -> None:
    output = await one(place, sh("echo $PATH"))
    assert {"/usr/local/sbin", "/usr/sbin", "/sbin"} <= set(output.stdout.strip().split(":"))


async def test_programs_speak_english(place: Place) -> None:
    assert (await one(place, sh("echo $LC_ALL"))).stdout == "C\n"


async def test_how_long_it_took_is_measured(place: Place) -> None:
    outputs = await place.vantage.run([sh("sleep 0.3"), sh("true")])
    assert outputs[0].seconds >= 0.29


async def test_a_child_left_in_the_background_holds_nothing_up(place: Place) -> None:
    outputs = await place.vantage.run(
        [sh("sleep 600 & echo $!"), sh("setsid sleep 600 & echo $!"), sh("echo next")]
    )
    ours, away = (int(output.stdout) for output in outputs[:2])
    try:
        assert [output.ok for output in outputs] == [True, True, True]
        until(lambda: gone(ours), "the end of what was left in the command's process group")
    finally:
        # It may have been ended before it came to have a group of its own.
        with contextlib.suppress(ProcessLookupError):
            os.kill(away, signal.SIGKILL)


async def test_commands_that_answered_keep_their_outputs_when_the_way_breaks(
    place: Place, tmp_path: Path
) -> None:
    # The second command kills what it hangs on (its sh, or sshd), once that has passed on what came before: it
    # does not wake up any more.
    kill = (
        ABOVE % place.hangs_on
        + """
        calm=0; last=
        while [ $calm -lt 25 ]; do
            now=$(grep ctxt /proc/$pid/status)
            if [ "$now" = "$last" ]; then calm=$((calm+1)); else calm=0; fi
            last=$now; sleep 0.02
        done
        kill -9 $pid
    """
    )
    left = tmp_path / "left"
    outputs = await place.vantage.run([sh("echo first"), sh(kill), sh("echo third"), sh(f"touch {left}")])
    assert outputs[0].ok and outputs[0].stdout == "first\n"
    assert [output.trouble for output in outputs[1:]] == [Trouble.LOST] * 3
    assert all(output.status is None and output.hint for output in outputs[1:])
    # The next run makes a new connection.
    assert (await one(place, sh("echo again"))).stdout == "again\n"
    assert not left.exists()


async def test_fresh_and_close_leave_a_vantage_that_can_be_asked_again(place: Place) -> None:
    await place.vantage.fresh()
    assert (await one(place, sh("echo 1"))).ok
    await place.vantage.fresh()
    assert (await one(place, sh("echo 2"))).ok
    await place.vantage.close()


@pytest.mark.parametrize("argv", [(), ("a\0b",)])
async def test_an_argv_that_no_process_can_have_is_a_mistake_of_ours(
    place: Place, argv: tuple[str, ...]
) -> None:
    with pytest.raises(ValueError, match=r"test\.argv"):
        await place.vantage.run([Command(name="test.argv", argv=argv)])
