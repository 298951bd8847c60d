"""Answers that no host should give, through the way that every check is asked: one is spoiled, its neighbours are not."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any

import pytest

from seatrial.clock import sleep_blocking
from seatrial.model.fleet import Fleet
from seatrial.model.result import Outcome, Result
from seatrial.perform.asking import ask_checks
from seatrial.perform.world import World, open_world
from tests.vantage.grounds import Client, Sshd, black_hole, until

PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN

FINE = {"kind": "sysctl", "key": "kernel.ostype", "value": "Linux"}
ROOMY = {"kind": "disk", "path": "/", "least": "0", "least_inodes": "0"}


def fleet_of(checks: dict[str, dict[str, Any]], **vantages: dict[str, Any]) -> Fleet:
    """A fleet of this machine and of further vantages; a check is asked here unless it says otherwise."""
    declared = {name: {"from": "here", "timeout": "60s", **check} for name, check in checks.items()}
    return Fleet.model_validate_json(
        json.dumps(
            {
                "version": 1,
                "name": "bad-answers",
                "stages": [{"name": "staging"}],
                "hosts": {"here": {"stage": "staging", "roles": ["gateway"], "reach": {"local": True}}},
                "vantages": vantages,
                "checks": declared,
            }
        )
    )


@contextlib.asynccontextmanager
async def world_of(fleet: Fleet) -> AsyncIterator[World]:
    world = open_world(fleet)
    try:
        yield world
    finally:
        await world.close()


async def asked(checks: dict[str, dict[str, Any]], **vantages: dict[str, Any]) -> dict[str, Result]:
    async with world_of(fleet_of(checks, **vantages)) as world:
        results = await ask_checks(world, checks)
    for result in results:
        assert result.because.isprintable() and len(result.because) < 1500, result
        assert result.hint.isprintable()
    return {result.check: result for result in results}


def run(text: str, **more: Any) -> dict[str, Any]:
    return {"kind": "command", "shell": text, **more}


async def test_one_spoiled_answer_leaves_the_ones_before_and_behind_it_alone() -> None:
    results = await asked(
        {
            "first": FINE,
            "binary": run(r"printf '\377\376\000\303(\033[2J'", stdout={"equals": "fine"}),
            "endless": run("exec yes", timeout="1s"),
            "endless-errors": run("exec yes >&2", timeout="1s"),
            "long": run("head -c 3000000 /dev/zero", stdout={"contains": ["fine"]}),
            "hangs": run("sleep 600", timeout="1s"),
            "will-not-go": run("trap '' TERM; while :; do sleep 1; done", timeout="1s"),
            "closes": run("exec >&- 2>&-; sleep 0", stdout={"equals": "fine"}),
            "kills-its-shell": run("kill -9 $$"),
            "last": ROOMY,
        }
    )
    assert {name: result.outcome for name, result in results.items()} == {
        "first": PASS,
        "binary": FAIL,
        "endless": UNKNOWN,
        "endless-errors": UNKNOWN,
        "long": UNKNOWN,
        "hangs": UNKNOWN,
        "will-not-go": UNKNOWN,
        "closes": FAIL,
        "kills-its-shell": FAIL,
        "last": PASS,
    }
    for name in ("endless", "endless-errors", "hangs", "will-not-go"):
        assert "did not end within 1 s" in results[name].because
        assert results[name].hint
    assert results["long"].because.endswith("said more than is read")


@pytest.mark.parametrize(
    ("says", "because"),
    [
        (r"printf 'LoadState=loaded\nActiveState=\377\376\n'", "the state of a.service of here is not understood"),
        (r"printf 'ActiveState=active\033[2J\n'", "the state of a.service of here is not understood"),
        ("head -c 3000000 /dev/zero", "here said more than is read"),
        ("exec yes ActiveState=active", "here did not answer: `systemctl` did not end within 1 s and was ended"),
        (":", "here says nothing of a.service"),
        ("exit 7", "here: unit.show ended with status 7: "),
    ],
)  # fmt: skip
async def test_a_tool_that_is_not_what_it_was_is_unknown_and_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, because: str
) -> None:
    tool = tmp_path / "systemctl"
    tool.write_text(f"#!/bin/sh\n{says}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    # Only what never ends is waited for in vain; on a slow machine the others may take their time.
    timeout = "1s" if "yes" in says else "60s"
    unit = {"kind": "unit", "unit": "a.service", "timeout": timeout}
    results = await asked({"unit": unit, "fine": FINE, "roomy": ROOMY})
    assert (results["unit"].outcome, results["unit"].because) == (UNKNOWN, because)
    assert [results[name].outcome for name in ("fine", "roomy")] == [PASS, PASS]


@contextlib.contextmanager
def server(talk: Callable[[Any], None]) -> Iterator[str]:
    """A web server on loopback that does to each connection what `talk` says; its address."""

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                self.request.recv(65536)
                talk(self.request)

    ThreadingTCPServer.daemon_threads = True
    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_address[1]}/"
        finally:
            listening.shutdown()
            thread.join()


def endless(sock: Any) -> None:
    sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        sock.sendall(b"\xff\x1b[2J" * 10_000)


def endless_head(sock: Any) -> None:
    sock.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        sock.sendall(b"X: " + b"\xff" * 1000 + b"\r\n")


def binary(sock: Any) -> None:
    sock.sendall(os.urandom(4096))


def dripping(sock: Any) -> None:
    sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        sock.sendall(b".")
        sleep_blocking(0.2)


def closed(sock: Any) -> None:
    sock.close()


async def test_a_server_that_talks_nonsense_or_not_at_all_spoils_no_other_question() -> None:
    with contextlib.ExitStack() as stack:
        places = {
            talk.__name__: stack.enter_context(server(talk))
            for talk in (endless, endless_head, binary, closed)
        }
        slow = stack.enter_context(server(dripping))
        port = stack.enter_context(black_hole())
        results = await asked(
            {
                **{name: {"kind": "http", "url": url, "contains": "fine"} for name, url in places.items()},
                "dripping": {"kind": "http", "url": slow, "timeout": "1s"},
                "silent": {"kind": "tcp", "address": "127.0.0.1", "port": port, "timeout": "1s"},
                "accepted": {
                    "kind": "tcp",
                    "address": "127.0.0.1",
                    "port": int(places["closed"].rpartition(":")[2].strip("/")),
                },
                "fine": FINE,
            }
        )
    assert (results["accepted"].outcome, results["fine"].outcome) == (PASS, PASS)
    assert all(results[name].outcome is not PASS for name in (*places, "silent"))
    assert all(results[name].because for name in places)
    assert "timed out" in results["dripping"].because


async def test_a_vantage_that_vanishes_in_mid_run_keeps_what_it_said_and_delays_nobody(
    tmp_path: Path,
) -> None:
    client, begun = Client(tmp_path), tmp_path / "begun"
    with Sshd(tmp_path / "host").up() as sshd:
        sshd.admit(client.key)
        client.knows(sshd)
        client.host("there", sshd)
        hang = run(f"echo >{shlex.quote(str(begun))}; exec sleep 600", **{"from": "there"})
        checks = {
            "said": {**FINE, "from": "there"},
            "running": hang,
            "to-come": {**ROOMY, "from": "there"},
            "here": FINE,
        }
        async with world_of(
            fleet_of(checks, there={"ssh": "there", "ssh_config": str(client.config)})
        ) as world:
            asking = asyncio.create_task(ask_checks(world, checks))
            async with asyncio.timeout(120):
                while not begun.exists():
                    assert not asking.done()
                    await asyncio.sleep(0.05)
            for pid in sshd.sessions:
                os.kill(pid, signal.SIGKILL)
            results = {result.check: result for result in await asking}
        until(lambda: not sshd.sessions, "the end of the sessions")
    assert {name: result.outcome for name, result in results.items()} == {
        "said": PASS,
        "running": UNKNOWN,
        "to-come": UNKNOWN,
        "here": PASS,
    }
    for name in ("running", "to-come"):
        assert "the connection to there was lost" in results[name].because
        assert results[name].hint
