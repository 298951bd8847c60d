"""Real servers on loopback for the checks that ask them, with certificates of their own, ended with the test.

Each server is started through setpriv, so that the kernel ends it when the test is killed. What is not in: any fake.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from seatrial.clock import monotonic, sleep_blocking
from seatrial.model.fleet import Fleet
from seatrial.model.result import Result
from seatrial.perform.asking import ask_checks
from seatrial.perform.world import open_world

from ...vantage.grounds import program, running

PATIENCE = 120.0  # seconds; a slow machine makes these tests slow, not red


def ask(**checks: Mapping[str, Any]) -> dict[str, Result]:
    """The Results of checks that are really asked from this machine, which is called vm."""
    fleet = Fleet.model_validate(
        {
            "version": 1,
            "name": "one",
            "stages": ({"name": "staging"},),
            "hosts": {"vm": {"stage": "staging", "roles": ("server",), "reach": {"local": True}}},
            "checks": {name: {"from": "vm", "timeout": 30.0, **check} for name, check in checks.items()},
        }
    )

    async def once() -> dict[str, Result]:
        world = open_world(fleet)
        try:
            return {result.check: result for result in await ask_checks(world, fleet.checks)}
        finally:
            await world.close()

    return asyncio.run(once())


@contextlib.contextmanager
def serving(
    argv: Sequence[str], log: Path, *ports: int, address: str = "127.0.0.1"
) -> Iterator[subprocess.Popen[bytes]]:
    """A server that runs meanwhile and listens on `ports`; `log` gets what it says."""
    held = [program("setpriv"), "--pdeathsig", "KILL", program(argv[0]), *argv[1:]]
    with log.open("ab") as said, running(held, stdout=said, stderr=said, stdin=subprocess.DEVNULL) as process:
        end = monotonic() + PATIENCE
        while not all(_listens(address, port) for port in ports):
            assert process.poll() is None, log.read_text()
            assert monotonic() < end, log.read_text()
            sleep_blocking(0.05)
        yield process


def _listens(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=5).close()
    except OSError:
        return False
    return True


class Authority:
    """Certificates of an authority that nobody but the test trusts."""

    def __init__(self, room: Path) -> None:
        self.room = room
        room.mkdir(exist_ok=True)
        self.file = room / "ca.pem"
        self._openssl(
            *(
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "60",
            ),
            *("-subj", "/O=Example/CN=Test Authority", "-keyout", room / "ca.key", "-out", self.file),
        )

    def issue(
        self, path: Path, name: str = "service.example.org", *, days: int = 30, names: str = ""
    ) -> Path:
        """A certificate at `path`, its key beside it with the suffix .key; `names` as openssl's subjectAltName."""
        request, extensions = path.with_suffix(".csr"), path.with_suffix(".ext")
        extensions.write_text(f"subjectAltName={names or f'DNS:{name},IP:127.0.0.1'}\n")
        key = path.with_suffix(".key")
        self._openssl(
            *(
                "req",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-subj",
                f"/CN={name}",
            ),
            *("-keyout", key, "-out", request),
        )
        self._openssl(
            *("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self.room / "ca.key"),
            *("-CAcreateserial", "-days", str(days), "-extfile", extensions, "-out", path),
        )
        return path

    def _openssl(self, *words: str | Path) -> None:
        done = subprocess.run(
            [program("openssl"), *map(str, words)],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stderr


def nginx(room: Path, body: str) -> list[str]:
    """The command line of an nginx of one process with this text in its http section, its files all in `room`."""
    temporary = " ".join(
        f"{kind}_temp_path {room}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (room / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {room}/nginx.pid; error_log stderr;\nevents {{}}\n"
        f"http {{ access_log off; {temporary}\n{body}\n}}\n"
    )
    return ["nginx", "-p", str(room), "-c", str(room / "nginx.conf"), "-e", "stderr"]


@contextlib.contextmanager
def postgres(room: Path, pem: Path | None, port: int) -> Iterator[None]:
    """A Postgres, with `pem` one that speaks TLS when it is asked for it. It will not run as root, so it is nobody in its own eyes."""
    (binaries,) = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1:]
    nobody = [program("unshare"), "--user", "--map-user=65534", "--map-group=65534", "--"]
    subprocess.run(
        [*nobody, str(binaries / "initdb"), "-N", "-A", "trust", "-D", str(room / "data")],
        check=True,
        capture_output=True,
        timeout=PATIENCE,
    )
    settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "fsync": "off"}
    if pem is not None:
        key = pem.with_suffix(".key")
        key.chmod(0o600)
        settings |= {"ssl": "on", "ssl_cert_file": str(pem), "ssl_key_file": str(key)}
    words = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
    # Entering a user namespace takes back the word to the kernel that it ends with the test, so it is given again.
    again = [program("setpriv"), "--pdeathsig", "KILL"]
    argv = [*nobody, *again, str(binaries / "postgres"), "-D", str(room / "data"), *words]
    with serving(argv, room / "log", port):
        yield
