"""From a vantage: a real sshd, both transports, and a namespace. The verdicts are those that a run here gives."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from seatrial.checklist.reading import parse, parse_bytes
from seatrial.model.command import Vantage
from seatrial.model.fleet import Reach
from seatrial.model.result import Outcome
from seatrial.perform.checklist import Ran, Wish, run_here, run_there
from seatrial.vantage.open import open_vantage
from seatrial.vantage.pool import Pool
from tests.vantage.grounds import Client, Sshd, gone, namespace, until

from .told import GOLDEN, TIMEOUTS

RUNNABLE = ("old-format", "hostile-outputs", "hostile-time")


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    options = "LogLevel DEBUG1\nPermitUserEnvironment yes\n"
    with Sshd(tmp_path_factory.mktemp("sshd") / "host", options=options).up() as started:
        yield started


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    pool = Pool()
    yield pool
    await pool.close()


@pytest.fixture(params=["asyncssh", "openssh"])
def there(request: pytest.FixtureRequest, sshd: Sshd, pool: Pool, tmp_path: Path) -> Vantage:
    client = Client(tmp_path)
    # What an administrator gives this login, beside what sshd gives to all.
    more = 'environment="WELCOME=over-there",environment="LANG=C.UTF-8"'
    public = client.key.with_name(f"{client.key.name}.pub").read_text()
    with sshd.authorized.open("a") as file:
        file.write(f"{more} {public}")
    client.knows(sshd)
    client.host("there", sshd)
    reach = Reach.model_validate(
        {"ssh": "there", "ssh_config": str(client.config), "transport": request.param}
    )
    return open_vantage("there", reach, pool)


def told(ran: Ran) -> list[tuple[str, str, str]]:
    return [(result.check, str(result.outcome), result.because) for result in ran.results]


@pytest.mark.parametrize("name", RUNNABLE)
async def test_the_verdicts_are_the_same_there_as_here(name: str, there: Vantage) -> None:
    checklist = parse_bytes((GOLDEN / f"{name}.yaml").read_bytes(), filename=name)
    wish = Wish(timeout=TIMEOUTS[name])
    assert told(await run_there(checklist, wish, there)) == told(await run_here(checklist, wish))


async def test_a_command_finds_what_ssh_host_cmd_would_find(there: Vantage, sshd: Sshd) -> None:
    """The login's own directory, environment and signals, and nothing of what the bundle sets for its own questions."""
    home = sshd.room / "home"
    text = f"""\
- envvars: [{{WELCOME: from the file, LATER: "'$HOME'"}}]
- name: as the login has it
  tests:
    - cmd: pwd
      stdout: "{Path.home()}"
    - cmd: printenv LC_ALL
      retcode: 1
    - cmd: echo $LANG
      stdout: C.UTF-8
    - cmd: printenv PATH | grep -c local/sbin:/usr/sbin:/sbin$
      stdout: "0"
    - cmd: echo '$HOME' $LATER
      stdout: {home} $HOME
    - cmd: echo '$WELCOME' "`printenv WELCOME`"
      stdout: over-there over-there
    - cmd: kill -INT $$
      retcode: -2
    - cmd: test -t 0 || readlink /proc/self/fd/0
      stdout: /dev/null
"""
    (result,) = (await run_there(parse(text, filename="f"), Wish(), there)).results
    assert result.outcome is Outcome.PASS, result.because


async def test_thirty_five_commands_are_one_exec(there: Vantage, sshd: Sshd) -> None:
    text = "".join(
        f"- name: t{n}\n  tests:\n    - {{cmd: echo {n}, stdout: '{n}', retcode: 0}}\n" for n in range(35)
    )
    before = sshd.log.read_text().count("session_input_channel_req: session 0 req exec")
    ran = await run_there(parse(text, filename="f"), Wish(), there)
    assert [result.outcome for result in ran.results] == [Outcome.PASS] * 35
    after = sshd.log.read_text().count("session_input_channel_req: session 0 req exec")
    assert after - before == 1


async def test_what_a_command_leaves_behind_there_lives_on(there: Vantage, tmp_path: Path) -> None:
    text = f"- name: a\n  tests:\n    - cmd: sleep 300 >/dev/null 2>&1 & echo $! >{tmp_path}/pid\n"
    (result,) = (await run_there(parse(text, filename="f"), Wish(), there)).results
    pid = int((tmp_path / "pid").read_text())
    assert result.outcome is Outcome.PASS and not gone(pid)
    os.kill(pid, 9)


async def test_a_lost_connection_ends_what_runs_and_keeps_what_was_answered(
    there: Vantage, sshd: Sshd, tmp_path: Path
) -> None:
    text = f"""\
- name: answered
  tests:
    - cmd: "true"
- name: cut off
  tests:
    - cmd: echo $$ >{tmp_path}/pid; sleep 600
- name: not begun
  tests:
    - cmd: touch {tmp_path}/never
"""
    running = asyncio.ensure_future(run_there(parse(text, filename="f"), Wish(), there))
    pid = tmp_path / "pid"
    while not (pid.exists() and pid.read_text()):
        await asyncio.wait([running], timeout=0.01)
    for session in sshd.sessions:
        with contextlib.suppress(ProcessLookupError):
            os.kill(session, 9)
    results = (await running).results
    assert [result.outcome for result in results] == [Outcome.PASS, Outcome.UNKNOWN, Outcome.UNKNOWN]
    assert "lost" in results[1].because
    until(lambda: gone(int(pid.read_text())), "the end of the command over there")
    assert not (tmp_path / "never").exists()


async def test_a_host_that_cannot_be_reached_leaves_all_unknown(pool: Pool, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("Host nowhere\n  HostName 127.0.0.1\n  Port 1\n")
    nowhere = open_vantage("nowhere", Reach(ssh="nowhere", ssh_config=str(config)), pool)
    (result,) = (
        await run_there(parse("- name: a\n  tests: [{cmd: 'true'}]\n", filename="f"), Wish(), nowhere)
    ).results
    assert result.outcome is Outcome.UNKNOWN
    assert "nowhere cannot be reached" in result.because and result.hint


async def test_a_namespace_has_this_environment(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    text = f"""\
- name: in there
  tests:
    - cmd: printenv LC_ALL; pwd
      stdout: "C.UTF-8\\n{Path.cwd()}"
    - cmd: grep -c '[:]' /proc/net/dev
      stdout: "1"
"""
    with namespace() as (netns, userns):
        inside = open_vantage("inside", Reach(netns=netns, userns=userns), pool)
        (result,) = (await run_there(parse(text, filename="f"), Wish(), inside, dict(os.environ))).results
    assert result.outcome is Outcome.PASS, result.because
