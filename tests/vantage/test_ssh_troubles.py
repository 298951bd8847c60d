"""Ways to a host that fail, each told apart, by both transports against real sshd; and the ways that work."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from seatrial.model.command import Bundle, Command, Output, Trouble, Vantage
from seatrial.vantage.open import ask
from seatrial.vantage.pool import Pool

from .conftest import over, reached
from .grounds import ABOVE, Client, Sshd, agent, black_hole, make_key, until

HELLO = Command(name="test.hello", argv=("echo", "hello"))
WHERE = Command(name="test.where", argv=("sh", "-c", "echo $SSH_CONNECTION"))


async def one(vantage: Vantage, command: Command = HELLO) -> Output:
    (output,) = await vantage.run([command])
    return output


async def test_an_unknown_host_key_is_refused(sshd: Sshd, client: Client, pool: Pool, transport: str) -> None:
    sshd.admit(client.key)
    # What the operator's config says about new keys does not matter.
    client.host("there", sshd, "StrictHostKeyChecking no")
    output = await one(over(client, "there", pool, transport))
    assert output.trouble is Trouble.HOST_KEY and "not known" in output.problem
    assert f"ssh-keyscan -p {sshd.port} 127.0.0.1" in output.hint
    assert client.known.read_text() == ""


async def test_a_changed_host_key_is_not_an_unknown_one(
    sshd: Sshd, client: Client, pool: Pool, transport: str, tmp_path: Path
) -> None:
    sshd.admit(client.key)
    other = make_key(tmp_path / "other").with_suffix(".pub").read_text()
    client.knows(sshd, public=" ".join(other.split()[:2]))
    client.host("there", sshd, "StrictHostKeyChecking accept-new")
    output = await one(over(client, "there", pool, transport))
    assert output.trouble is Trouble.HOST_KEY and "CHANGED" in output.problem
    assert f"ssh-keygen -R '{sshd.lookup}'" in output.hint


async def test_a_known_key_of_another_kind_is_no_way_in(
    sshd: Sshd, client: Client, pool: Pool, transport: str
) -> None:
    sshd.admit(client.key)
    kind = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg="
    client.knows(sshd, public=kind)
    client.host("there", sshd)
    assert (await one(over(client, "there", pool, transport))).trouble is Trouble.HOST_KEY


async def test_a_revoked_host_key_is_refused(sshd: Sshd, client: Client, pool: Pool, transport: str) -> None:
    sshd.admit(client.key)
    client.knows(sshd)
    client.knows(sshd, mark="@revoked")
    client.host("there", sshd)
    output = await one(over(client, "there", pool, transport))
    assert output.trouble is Trouble.HOST_KEY and "revoked" in output.problem


async def test_known_hosts_none_does_not_switch_the_check_off(
    sshd: Sshd, client: Client, pool: Pool, transport: str
) -> None:
    sshd.admit(client.key)
    client.config.write_text("Host *\n  UserKnownHostsFile none\n")
    client.host("there", sshd)
    assert (await one(over(client, "there", pool, transport))).trouble is Trouble.HOST_KEY


async def test_a_line_that_makes_no_sense_spoils_no_other(
    sshd: Sshd, client: Client, pool: Pool, transport: str
) -> None:
    client.known.write_text("nonsense\n@nobody knows this\n|1|not|hashed ssh-ed25519 AAAA\n")
    assert (await one(reached(sshd, client, pool, transport))).ok


async def test_a_login_that_is_refused_says_whose(
    sshd: Sshd, client: Client, pool: Pool, transport: str, tmp_path: Path
) -> None:
    client.knows(sshd)
    client.host("there", sshd, "IdentityAgent none", identity=make_key(tmp_path / "stranger"))
    output = await one(over(client, "there", pool, transport))
    assert output.trouble is Trouble.LOGIN and "authorized_keys" in output.hint


async def test_an_identity_file_that_is_missing_is_no_accident(
    sshd: Sshd, client: Client, pool: Pool, transport: str, tmp_path: Path
) -> None:
    client.knows(sshd)
    client.host("there", sshd, "IdentityAgent none", identity=tmp_path / "missing")
    output = await one(over(client, "there", pool, transport))
    assert output.trouble is Trouble.LOGIN
    if transport == "asyncssh":
        assert f"IdentityFile {tmp_path / 'missing'} is not there" in output.hint


async def test_a_key_that_only_the_agent_has_opens(
    sshd: Sshd, client: Client, pool: Pool, transport: str, tmp_path: Path
) -> None:
    held = make_key(tmp_path / "held")
    sshd.admit(held)
    client.knows(sshd)
    with agent(tmp_path, held) as path:
        held.unlink()
        client.host("there", sshd, f"IdentityAgent {path}", identity=tmp_path / "held")
        assert (await one(over(client, "there", pool, transport))).ok


async def test_identities_only_keeps_the_agents_other_keys_back(
    sshd: Sshd, client: Client, pool: Pool, transport: str, tmp_path: Path
) -> None:
    held = make_key(tmp_path / "held")
    sshd.admit(held)
    client.knows(sshd)
    with agent(tmp_path, held) as path:
        more = (f"IdentityAgent {path}", "IdentitiesOnly yes")
        client.host("there", sshd, *more, identity=make_key(tmp_path / "own"))
        assert (await one(over(client, "there", pool, transport))).trouble is Trouble.LOGIN


async def test_an_encrypted_key_opens_nothing_and_asks_nobody(
    sshd: Sshd, client: Client, pool: Pool, transport: str, tmp_path: Path
) -> None:
    locked = make_key(tmp_path / "locked", passphrase="locked away")
    sshd.admit(locked)
    client.knows(sshd)
    client.host("there", sshd, "IdentityAgent none", identity=locked)
    assert (await one(over(client, "there", pool, transport))).trouble is Trouble.LOGIN


async def test_nobody_listens(sshd: Sshd, client: Client, pool: Pool, transport: str) -> None:
    # Port 1 of another loopback address: nothing is there.
    client.host("there", sshd, "IdentitiesOnly yes")
    text = client.config.read_text().replace(f"Port {sshd.port}", "Port 1").replace("127.0.0.1", "127.0.0.77")
    client.config.write_text(text)
    output = await one(over(client, "there", pool, transport))
    assert output.trouble is Trouble.UNREACHABLE and "refused" in output.problem


async def test_a_black_hole_takes_its_time_limit_and_no_more(
    sshd: Sshd, client: Client, transport: str
) -> None:
    pool = Pool(connect_timeout=1.0)
    with black_hole() as port:
        client.host("there", sshd)
        client.config.write_text(client.config.read_text().replace(f"Port {sshd.port}", f"Port {port}"))
        output = await one(over(client, "there", pool, transport))
    assert output.trouble is Trouble.UNREACHABLE
    await pool.close()


async def test_a_host_that_hangs_is_noticed_while_a_command_runs(
    sshd: Sshd, client: Client, pool: Pool, transport: str, tmp_path: Path
) -> None:
    vantage = reached(sshd, client, pool, transport)
    began = tmp_path / "began"
    # The command stops the sshd of its own connection, which then answers no keepalive; sh is not stopped.
    stop = ABOVE % "sshd" + f"echo $pid >{began}; kill -STOP $pid; sleep 60"
    try:
        outputs = await vantage.run([Command(name="test.stop", argv=("sh", "-c", stop), timeout=60), HELLO])
    finally:
        os.kill(int(began.read_text()), signal.SIGKILL)
    assert [output.trouble for output in outputs] == [Trouble.LOST] * 2
    assert (await one(vantage)).ok


async def test_a_login_without_a_shell_says_what_came_instead(
    client: Client, pool: Pool, transport: str, tmp_path: Path
) -> None:
    with Sshd(tmp_path / "host", options="ForceCommand echo no shell for you; exit 1\n").up() as sshd:
        output = await one(reached(sshd, client, pool, transport))
    assert output.trouble is Trouble.BROKEN and "no shell for you" in output.problem


async def test_a_shell_that_greets_does_no_harm(
    client: Client, pool: Pool, transport: str, tmp_path: Path
) -> None:
    greet = "echo Welcome; echo to you >&2; exec $SSH_ORIGINAL_COMMAND"
    with Sshd(tmp_path / "host", options=f"ForceCommand {greet}\n").up() as sshd:
        output = await one(reached(sshd, client, pool, transport))
    assert output.ok and (output.stdout, output.stderr) == ("hello\n", "")


# --- one connection, kept ---


async def test_one_connection_is_kept_until_a_fresh_one_is_wanted(
    sshd: Sshd, client: Client, pool: Pool
) -> None:
    vantage = reached(sshd, client, pool, "asyncssh")
    first, again = [(await one(vantage, WHERE)).stdout for _ in range(2)]
    assert first == again != ""
    await vantage.fresh()
    assert (await one(vantage, WHERE)).stdout != first


async def test_a_connection_that_died_meanwhile_is_made_anew(sshd: Sshd, client: Client, pool: Pool) -> None:
    vantage = reached(sshd, client, pool, "asyncssh")
    assert (await one(vantage)).ok
    for pid in sshd.sessions:
        os.kill(pid, signal.SIGKILL)
    # Whether this process has noticed yet or not.
    assert (await one(vantage)).ok


async def test_openssh_takes_no_connection_that_is_kept_elsewhere(
    sshd: Sshd, client: Client, pool: Pool, tmp_path: Path
) -> None:
    client.config.write_text(
        f"Host *\n  ControlMaster auto\n  ControlPersist 600\n  ControlPath {tmp_path}/c-%C\n"
    )
    vantage = reached(sshd, client, pool, "openssh")
    first, again = [(await one(vantage, WHERE)).stdout for _ in range(2)]
    assert first != again
    assert not list(tmp_path.glob("c-*"))


# --- jumps ---


@pytest.fixture
def three(tmp_path: Path) -> Iterator[list[Sshd]]:
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(Sshd(tmp_path / name, address=f"127.0.0.{number}").up())
            for number, name in ((11, "first"), (12, "second"), (13, "last"))
        ]


def logins(sshd: Sshd) -> int:
    return sshd.log.read_text().count("Accepted publickey")


@pytest.mark.parametrize("nested", [True, False])
async def test_a_chain_of_jumps_is_followed_to_its_end(
    three: list[Sshd], client: Client, pool: Pool, transport: str, nested: bool
) -> None:
    for sshd, name, jump in zip(three, ("first", "second", "last"), ("", "first", "second"), strict=True):
        sshd.admit(client.key)
        client.knows(sshd)
        way = jump if nested else {"last": "first,second"}.get(name, "")
        client.host(name, sshd, *([f"ProxyJump {way}"] if way else []))
    output = await one(over(client, "last", pool, transport), WHERE)
    # The last one was reached from the address of the one before it, or of loopback: but through both.
    assert output.ok and output.stdout.split()[2:] == ["127.0.0.13", str(three[2].port)]
    assert [logins(sshd) for sshd in three] == [1, 1, 1]


async def test_a_jump_host_with_an_unknown_key_is_refused_as_well(
    three: list[Sshd], client: Client, pool: Pool, transport: str
) -> None:
    for sshd in three[:2]:
        sshd.admit(client.key)
    client.knows(three[1])
    client.host("first", three[0], "StrictHostKeyChecking no")
    client.host("second", three[1], "ProxyJump first")
    output = await one(over(client, "second", pool, transport))
    assert output.trouble is Trouble.HOST_KEY
    assert f"ssh-keyscan -p {three[0].port} 127.0.0.11" in output.hint
    assert logins(three[0]) == 0


async def test_one_connection_to_the_jump_host_serves_all_behind_it(
    three: list[Sshd], client: Client, pool: Pool
) -> None:
    for sshd in three:
        sshd.admit(client.key)
        client.knows(sshd)
    client.host("first", three[0])
    vantages = {}
    for number in range(6):
        client.host(f"behind{number}", three[1 + number % 2], "ProxyJump first")
    for number in range(6):
        vantages[f"behind{number}"] = over(client, f"behind{number}", pool, "asyncssh")
    answers = await ask(vantages, [Bundle(vantage=name, commands=(HELLO,)) for name in vantages])
    assert all(output.ok for outputs in answers.values() for output in outputs)
    assert [logins(sshd) for sshd in three] == [1, 3, 3]


async def test_jumps_in_a_circle_are_a_mistake_of_the_config(
    sshd: Sshd, client: Client, pool: Pool, transport: str
) -> None:
    client.host("a", sshd, "ProxyJump b")
    client.host("b", sshd, "ProxyJump a")
    output = await one(over(client, "a", pool, transport))
    assert output.trouble is Trouble.BROKEN and "circle" in output.problem


# --- many at once ---


async def test_dead_and_strange_hosts_delay_nobody_and_say_what_they_are(
    sshd: Sshd, client: Client, transport: str, tmp_path: Path
) -> None:
    pool = Pool(connect_timeout=2.0)
    good = reached(sshd, client, pool, transport)
    client.host("stranger", sshd, "IdentityAgent none", identity=make_key(tmp_path / "stranger"))
    with black_hole() as port:
        client.config.write_text(
            f"Host dead\n  HostName 127.0.0.1\n  Port {port}\n" + client.config.read_text()
        )
        vantages = {"good": good} | {
            name: over(client, name, pool, transport) for name in ("dead", "stranger")
        }
        bundles = [Bundle(vantage=name, commands=(HELLO, HELLO)) for name in (*vantages, "nobody", "good")]
        answers = await ask(vantages, bundles)
    troubles = {name: {output.trouble for output in outputs} for name, outputs in answers.items()}
    assert troubles == {
        "good": {None},
        "dead": {Trouble.UNREACHABLE},
        "stranger": {Trouble.LOGIN},
        "nobody": {Trouble.UNREACHABLE},
    }
    assert len(answers["good"]) == 4
    await pool.close()


async def test_all_behind_a_dead_jump_host_hear_of_it_at_once(client: Client, sshd: Sshd) -> None:
    pool = Pool(connect_timeout=1.0)
    with black_hole() as port:
        client.host("gate", sshd)
        client.config.write_text(client.config.read_text().replace(f"Port {sshd.port}", f"Port {port}"))
        for number in range(20):
            client.host(f"behind{number}", sshd, "ProxyJump gate")
        vantages = {
            f"behind{number}": over(client, f"behind{number}", pool, "asyncssh") for number in range(20)
        }
        answers = await ask(vantages, [Bundle(vantage=name, commands=(HELLO,)) for name in vantages])
    assert {output.trouble for outputs in answers.values() for output in outputs} == {Trouble.UNREACHABLE}
    assert all("gate" in output.problem for outputs in answers.values() for output in outputs)
    await pool.close()


async def test_a_session_that_was_killed_leaves_no_command_behind(
    sshd: Sshd, client: Client, pool: Pool, transport: str, tmp_path: Path
) -> None:
    vantage = reached(sshd, client, pool, transport)
    left = tmp_path / "left"
    pids = tmp_path / "pids"
    kill = (
        ABOVE % "sshd" + f"sshd=$pid; pid=$PPID; up; echo $pid >{pids}; "
        "kill -9 $sshd; while kill -0 $sshd; do :; done"
    )
    outputs = await vantage.run(
        [
            Command(name="test.kill", argv=("sh", "-c", kill)),
            Command(name="test.later", argv=("touch", str(left)), safe=False),
        ]
    )
    assert [output.trouble for output in outputs] == [Trouble.LOST] * 2
    shell = Path("/proc") / pids.read_text().strip()
    # The shell over there ends when it cannot say any more what it did, before the next command.
    until(lambda: not shell.exists(), "the end of the shell over there")
    assert not left.exists()
