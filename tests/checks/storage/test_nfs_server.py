"""The check `nfs` against a real NFS server: nfs-ganesha in a namespace of its own, well, hung, stopped and behind a router."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from seatrial.checks import registry
from seatrial.clock import monotonic
from seatrial.model.check import Check
from seatrial.model.result import Outcome, Result

from ..conftest import World

PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN
FAR = "198.51.100.9"
PLUGINS = next(iter(Path("/usr/lib").glob("*/ganesha")), Path("/usr/lib/ganesha"))
CONFIGURATION = """
NFS_CORE_PARAM {{
    Protocols = 4; Enable_NLM = false; Enable_RQUOTA = false; Plugins_Dir = "{plugins}";
}}
NFSV4 {{ Graceless = true; RecoveryBackend = fs; RecoveryRoot = {home}/recovery; {four} }}
EXPORT_DEFAULTS {{ Squash = No_Root_Squash; Access_Type = RW; }}
EXPORT {{ Export_Id = 1; Path = /srv/tools; Pseudo = /srv/tools; SecType = sys; FSAL {{ Name = MEM; }} }}
EXPORT {{ Export_Id = 2; Path = /srv/secret; Pseudo = /srv/secret; SecType = krb5; FSAL {{ Name = MEM; }} }}
"""


class Ganesha:
    """nfs-ganesha in the place `far` of the three; it ends with their process namespace, also when the test is killed."""

    def __init__(self, world: World, home: Path, four: str = "") -> None:
        self.world = world
        (home / "recovery").mkdir()
        (home / "ganesha.conf").write_text(CONFIGURATION.format(plugins=PLUGINS, home=home, four=four))
        files = ["-f", str(home / "ganesha.conf"), "-L", str(home / "log"), "-p", str(home / "pid")]
        self.process = subprocess.Popen(world.argv("far", ["ganesha.nfsd", "-F", *files]))
        ends = monotonic() + 120.0
        while ask(world, timeout="2s").outcome is not PASS:
            assert self.process.poll() is None, (home / "log").read_text()
            assert monotonic() < ends, (home / "log").read_text()

    def pids(self) -> list[int]:
        """The processes that entered the namespaces, each waiting for the next, and ganesha as the last of them."""
        below = [self.process.pid]
        for pid in below:
            below += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        return below

    def stop(self) -> None:
        os.kill(self.pids()[-1], signal.SIGSTOP)

    def go_on(self) -> None:
        # Those that wait for ganesha stop when it does, each a moment after the other.
        for pid in reversed(self.pids()):
            os.kill(pid, signal.SIGCONT)

    def end(self) -> None:
        while self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError, FileNotFoundError):
                self.go_on()
                os.kill(self.pids()[-1], signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=1)


def ask(world: World, **keys: object) -> Result:
    check: Check = TypeAdapter(Check).validate_python(
        {"kind": "nfs", "from": "near", "address": FAR, "timeout": "10s", **keys}
    )
    ((_, command),) = registry.ask(check)
    return registry.judge("tools", check, [world.run("near", command)])


@pytest.fixture
def ganesha(world: World, tmp_path: Path) -> Iterator[Ganesha]:
    server = Ganesha(world, tmp_path)
    try:
        yield server
    finally:
        server.end()


def test_a_server_that_is_well_answers_every_step_and_says_what_it_does_not_have(
    world: World, ganesha: Ganesha
) -> None:
    well = ask(world, path="/srv/tools")
    assert well.outcome is PASS, well
    assert well.because.startswith(f"NFS 4 at {FAR} answers in ")
    assert well.because.endswith(" ms and has /srv/tools")
    assert {"connect_ms", "null_ms", "path_ms"} <= set(well.evidence)
    missing = ask(world, path="/srv/others/deep")
    assert (missing.outcome, missing.because) == (
        FAIL,
        f"NFS at {FAR} has no /srv/others/deep: /srv/others is missing",
    )
    assert "exportfs" in missing.hint
    assert ask(world, path="/srv/secret").outcome is UNKNOWN
    assert "Kerberos" in ask(world, path="/srv/secret").because
    assert ask(world, version=3).because == f"NFS at {FAR} does not speak version 3, only 4 to 4"


def test_a_stopped_server_hangs_and_is_told_from_one_that_is_gone(world: World, ganesha: Ganesha) -> None:
    ganesha.stop()
    hung = ask(world, path="/srv/tools", timeout="1s")
    assert (hung.outcome, hung.because) == (
        FAIL,
        f"NFS at {FAR} hangs: it accepts connections, and does not answer NULL within 1 s",
    )
    assert "connect_ms" in hung.evidence and "null_ms" not in hung.evidence
    ganesha.go_on()
    assert ask(world, path="/srv/tools").outcome is PASS
    ganesha.end()
    gone = ask(world, path="/srv/tools")
    assert (gone.outcome, gone.because) == (FAIL, f"NFS at {FAR} accepts no connection: Connection refused")


def test_a_way_that_drops_what_it_carries_is_a_connection_that_nobody_accepts(
    world: World, ganesha: Ganesha
) -> None:
    world.nft(
        "table inet shut { chain forward { type filter hook forward priority 0; tcp dport 2049 drop; }\n}\n"
    )
    shut = ask(world, timeout="1s")
    assert (shut.outcome, shut.because) == (FAIL, f"NFS at {FAR} accepts no connection within 1 s")


def test_a_server_of_sessions_only_is_asked_in_one(world: World, tmp_path: Path) -> None:
    server = Ganesha(world, tmp_path, four="minor_versions = 1, 2;")
    try:
        assert ask(world, path="/srv/tools").outcome is PASS
        assert ask(world, path="/srv/nothing").because == f"NFS at {FAR} has no /srv/nothing"
    finally:
        server.end()


@pytest.mark.parametrize(
    ("says", "because"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", ": what answers there is not NFS: an answer that is no RPC"),
        (b"\x80\x00\x00\x02no", ": what answers there is not NFS: an answer of 2 bytes"),
        (b"", " closes the connection when it is asked for NULL"),
        (b"\x80\x00\x00\x1c", " closes the connection when it is asked for NULL"),
    ],
    ids=["a web server", "too short", "nothing", "half an answer"],
)
def test_whatever_else_listens_there_is_said_to_be_no_nfs(world: World, says: bytes, because: str) -> None:
    listens = (
        "import socket, sys\n"
        "with socket.create_server(('', 2049)) as door:\n"
        "    print('ready', flush=True)\n"
        "    caller = door.accept()[0]\n"
        "    caller.recv(4096)\n"
        f"    caller.sendall({says!r})\n"
    )
    other = subprocess.Popen(world.argv("far", ["python3", "-c", listens]), stdout=subprocess.PIPE)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == b"ready\n"
        result = ask(world)
        assert result.outcome is FAIL
        assert result.because == f"NFS at {FAR}{because}"
    finally:
        assert other.stdout is not None
        other.stdout.close()
        other.wait(timeout=60)
