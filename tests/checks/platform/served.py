"""Real servers on loopback that end with the test, also when the test is killed: each dies with its parent."""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import signal
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from seatrial.clock import monotonic, sleep_blocking

PATIENCE = 120.0
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def until(wanted: Callable[[], bool], what: str) -> None:
    """Wait until something is so; a slow machine takes its time."""
    end = monotonic() + PATIENCE
    while not wanted():
        assert monotonic() < end, f"waited {PATIENCE:.0f} s for: {what}"
        sleep_blocking(0.05)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _die_with_parent() -> None:
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@contextlib.contextmanager
def running(argv: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A program that runs meanwhile."""
    process = subprocess.Popen(list(argv), stdin=subprocess.DEVNULL, preexec_fn=_die_with_parent, **options)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def answers(port: int, path: str = "/", ca: Path | None = None) -> bool:
    """Whether a web server on loopback says yes; with `ca` over TLS."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    if ca is not None:
        context = ssl.create_default_context(cafile=ca)
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def certificate(folder: Path, name: str = "localhost") -> tuple[Path, Path]:
    """A certificate that signed itself, for loopback, and its key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    argv += ["-keyout", str(key), "-out", str(cert), "-days", "2", "-subj", f"/CN={name}"]
    argv += ["-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1"]
    subprocess.run(argv, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    return cert, key
