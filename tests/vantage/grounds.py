"""Real grounds for the vantages: sshd on loopback with keys of its own, namespaces, and an agent.

Everything that is started here is ended by its pid. sshd runs as the user who runs the tests, who is the only one
who can log in; its home over there is empty, because a shell's start-up files would dominate.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from seatrial.clock import monotonic, sleep_blocking

# Shell text for a Command: puts into $pid what is above it, its sh or its sshd. A login shell may stand between.
ABOVE = """
    up() { while read -r key value; do [ "$key" = PPid: ] && pid=$value; done </proc/$pid/status; }
    pid=$PPID; up
    until case $(cat /proc/$pid/comm) in %s*) ;; *) false ;; esac; do up; done
"""


def program(name: str) -> str:
    """Where a program is, also for users who have no sbin in their PATH."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    assert found, f"these tests need {name}"
    return found


def until(wanted: Callable[[], bool], what: str) -> None:
    """Wait until something is so; an hour-glass for tests that would hang otherwise."""
    end = monotonic() + 30
    while not wanted():
        assert monotonic() < end, f"waited 30 s for: {what}"
        sleep_blocking(0.01)


def gone(pid: int) -> bool:
    """Whether a process has ended; nobody may have asked for its status yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def free_port(address: str = "127.0.0.1") -> int:
    with socket.socket() as sock:
        sock.bind((address, 0))
        return int(sock.getsockname()[1])


@contextlib.contextmanager
def running(argv: Sequence[str], **options: object) -> Iterator[subprocess.Popen[bytes]]:
    """A program that runs meanwhile, with its children ended as well."""
    process = subprocess.Popen(list(argv), start_new_session=True, **options)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        for child in children(process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        process.kill()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
        process.wait()


def children(pid: int) -> list[int]:
    """All that came from a process and is still below it."""
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for child in map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
            found += [child, *children(child)]
    return found


def make_key(path: Path, *, passphrase: str = "") -> Path:
    argv = [
        program("ssh-keygen"),
        "-q",
        "-t",
        "ed25519",
        "-N",
        passphrase,
        "-C",
        "seatrial-test",
        "-f",
        str(path),
    ]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    return path


class Sshd:
    """One sshd on one address of loopback."""

    def __init__(self, room: Path, *, address: str = "127.0.0.1", options: str = "") -> None:
        self.room = room
        self.address = address
        room.mkdir()
        (room / "home").mkdir()
        self.port = free_port(address)
        self.key = make_key(room / "host_key")
        self.log = room / "log"
        self.authorized = room / "authorized_keys"
        self.authorized.touch()
        (room / "sshd_config").write_text(
            f"ListenAddress {address}:{self.port}\nHostKey {self.key}\nAuthorizedKeysFile {self.authorized}\n"
            f"PidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
            f"PermitRootLogin prohibit-password\nMaxStartups 100\nSetEnv HOME={room / 'home'}\n{options}"
        )
        self.process: subprocess.Popen[bytes] | None = None

    @contextlib.contextmanager
    def up(self) -> Iterator[Sshd]:
        argv = [program("sshd"), "-D", "-f", str(self.room / "sshd_config"), "-E", str(self.log)]
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        with running(argv) as self.process:
            until(self._listens, f"sshd on {self.address}:{self.port}")
            yield self

    def _listens(self) -> bool:
        assert self.process and self.process.poll() is None, self.log.read_text()
        try:
            socket.create_connection((self.address, self.port), timeout=1).close()
        except OSError:
            return False
        return True

    @property
    def sessions(self) -> list[int]:
        """The sshd processes of connections."""
        assert self.process
        return [pid for pid in children(self.process.pid) if _name(pid).startswith("sshd")]

    @property
    def public(self) -> str:
        """The host key as known_hosts has it: kind and key."""
        return " ".join(self.key.with_suffix(".pub").read_text().split()[:2])

    @property
    def lookup(self) -> str:
        """The host as known_hosts writes it."""
        return f"[{self.address}]:{self.port}"

    def admit(self, key: Path) -> None:
        with self.authorized.open("a") as file:
            file.write(key.with_name(key.name + ".pub").read_text())


def _name(pid: int) -> str:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/comm").read_text()
    return ""


class Client:
    """The operator's side: a key, known_hosts and an ssh config."""

    def __init__(self, room: Path) -> None:
        self.room = room
        self.key = make_key(room / "user_key")
        self.known = room / "known_hosts"
        self.known.touch()
        self.config = room / "ssh_config"
        self.config.touch()

    def knows(self, sshd: Sshd, *, public: str = "", mark: str = "") -> None:
        with self.known.open("a") as file:
            file.write(f"{mark} {sshd.lookup} {public or sshd.public}\n".lstrip())

    def host(self, alias: str, sshd: Sshd, *more: str, identity: Path | None = None) -> None:
        lines = (
            f"Host {alias}",
            f"HostName {sshd.address}",
            f"Port {sshd.port}",
            f"UserKnownHostsFile {self.known}",
            "GlobalKnownHostsFile /dev/null",
            f"IdentityFile {identity or self.key}",
            *more,
        )
        with self.config.open("a") as file:
            file.write("\n  ".join(lines) + "\n")


@contextlib.contextmanager
def namespace() -> Iterator[tuple[str, str | None]]:
    """A network namespace, as (netns, userns): what Reach has. An ordinary user makes it in a user namespace."""
    root = os.geteuid() == 0
    argv = [program("unshare"), "-n" if root else "-Urn", "sh", "-c", "echo made; exec cat"]
    with running(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout and holder.stdout.readline() == b"made\n"
        yield f"/proc/{holder.pid}/ns/net", None if root else f"/proc/{holder.pid}/ns/user"


@contextlib.contextmanager
def agent(room: Path, key: Path) -> Iterator[Path]:
    """An ssh-agent that holds one key."""
    path = room / "agent"
    with running([program("ssh-agent"), "-D", "-a", str(path)], stdout=subprocess.DEVNULL):
        until(path.exists, "the agent's socket")
        argv = [program("ssh-add"), "-q", str(key)]
        subprocess.run(
            argv, check=True, env={**os.environ, "SSH_AUTH_SOCK": str(path)}, stdin=subprocess.DEVNULL
        )
        yield path


@contextlib.contextmanager
def black_hole() -> Iterator[int]:
    """A port on loopback that answers no SYN: its queue is full, and nobody takes anything out of it."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(8):
            sock = stack.enter_context(socket.socket())
            sock.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                sock.connect(listener.getsockname())
        yield int(listener.getsockname()[1])
