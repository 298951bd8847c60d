"""Hosts for the benchmarks: sshd on loopback addresses, with keys and a configuration of their own.

What is in: starting and ending them, one process for each contender and round, and what it used (wall time, CPU and
memory by wait4). What is not: any contender. It prints nothing by itself.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# sshd listens on 16 addresses at most.
LISTEN = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What one process and all that it waited for used: seconds, seconds of user and system time, MiB at the most."""

    wall: float
    cpu: float
    memory: float
    said: str


def peers_python() -> str:
    """The Python that has the peers: `make bench` makes it, since what they need may not go with what we need."""
    return os.environ.get("PEERS", sys.executable)


def addresses(number: int) -> list[str]:
    """127.0.1.1, 127.0.1.2 and so on; this machine answers on all of them without being told to."""
    return [f"127.0.{1 + index // 250}.{1 + index % 250}" for index in range(number)]


@contextlib.contextmanager
def hosts(number: int, port: int) -> Iterator[Path]:
    """A directory with `ssh_config` and `known_hosts` for so many hosts, whose sshd are up while it lasts."""
    # So that the sshd processes are ended then, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="loopback", ignore_cleanup_errors=True) as name:
        room, pids = Path(name), list[int]()
        everybody = addresses(number)
        _furnish(room, everybody, port)
        try:
            for first in range(0, number, LISTEN):
                argv = [_sshd_program(), "-D", "-e", "-f", str(room / f"sshd_config{first}")]
                pids.append(spawn(argv, output=room / f"sshd{first}.log"))
            for address in everybody:
                _await_port(address, port)
            yield room
        finally:
            for pid in pids:
                _end_sshd(pid)


def spawn(argv: Sequence[str], *, output: Path, environment: Mapping[str, str] | None = None) -> int:
    """Start a program in a process group of its own, with both its outputs in a file."""
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(output), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawnp(
        argv[0], list(argv), environment or dict(os.environ), file_actions=actions, setpgroup=0
    )


def measure(argv: Sequence[str], *, output: Path, allowed: Sequence[int] = (0,)) -> Used:
    """Run a program to its end. Exits when its status is none of `allowed`."""
    began = time.monotonic()
    pid = spawn(argv, output=output)
    try:
        _, status, used = os.wait4(pid, 0)
    except BaseException:
        os.killpg(pid, signal.SIGKILL)
        raise
    wall = time.monotonic() - began
    said = output.read_text(errors="replace")
    if os.waitstatus_to_exitcode(status) not in allowed or not said.strip():
        raise SystemExit(f"{' '.join(argv)} failed:\n{said[-2000:]}")
    return Used(wall=wall, cpu=used.ru_utime + used.ru_stime, memory=used.ru_maxrss / 1024, said=said)


def _sshd_program() -> str:
    found = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if found is None:
        raise SystemExit("the bench needs sshd: apt-get install openssh-server")
    return found


def _furnish(room: Path, everybody: Sequence[str], port: int) -> None:
    """Keys and configs. The home directory over there is empty: a heavy shell start-up file dominates otherwise."""
    (room / "home").mkdir()
    for name in ("host", "user"):
        _finish(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(room / name)], room)
    host_key = " ".join((room / "host.pub").read_text().split()[:2])
    (room / "known_hosts").write_text("".join(f"[{name}]:{port} {host_key}\n" for name in everybody))
    (room / "ssh_config").write_text(
        f"Host 127.0.*\n  Port {port}\n  IdentityFile {room / 'user'}\n  IdentitiesOnly yes\n"
        f"  UserKnownHostsFile {room / 'known_hosts'}\n  GlobalKnownHostsFile /dev/null\n"
    )
    for first in range(0, len(everybody), LISTEN):
        listen = "".join(f"ListenAddress {name}:{port}\n" for name in everybody[first : first + LISTEN])
        (room / f"sshd_config{first}").write_text(
            f"{listen}HostKey {room / 'host'}\nPidFile none\nUsePAM no\nPasswordAuthentication no\n"
            f"AuthorizedKeysFile {room / 'user.pub'}\nStrictModes no\nMaxStartups 1000\nLogLevel ERROR\n"
            f"SetEnv HOME={room / 'home'}\n"
        )


def _finish(argv: Sequence[str], room: Path) -> None:
    pid = spawn(argv, output=room / "out")
    if os.waitpid(pid, 0)[1] != 0:
        raise SystemExit(f"{argv[0]} failed: {(room / 'out').read_text()}")


def _end_sshd(pid: int) -> None:
    """End an sshd and its sessions; the masters that a contender left on them end with those."""
    sessions = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    os.kill(pid, signal.SIGTERM)
    os.waitpid(pid, 0)
    for session in sessions:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(session), signal.SIGKILL)


def _await_port(address: str, port: int) -> None:
    until = time.monotonic() + 60
    while True:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection((address, port), 1):
            return
        if time.monotonic() > until:
            raise SystemExit(f"no sshd came up on {address}:{port}")
        time.sleep(0.05)
