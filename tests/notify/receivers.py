"""Who is told in the tests: a webhook's receiver and a real IRC server with somebody in its channel, both on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Seconds: a slow machine makes these tests slow, not red.
PATIENCE = 240.0


def until(true: Callable[[], Any], what: str = "it") -> None:
    limit = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < limit, f"{what} did not come"
        time.sleep(0.05)


async def came(true: Callable[[], Any]) -> None:
    """The same, for whoever waits beside others."""
    await asyncio.to_thread(until, true)


@dataclass(slots=True, kw_only=True)
class Hook:
    """A receiver. `statuses` are answered one after the other, then 204; `hang` answers nothing until it is unset."""

    port: int = 0
    statuses: list[int] = field(default_factory=list)
    got: list[dict[str, Any]] = field(default_factory=list)
    tries: int = 0
    hang: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://bot:hunter2secret@127.0.0.1:{self.port}/hooks/t0ken-that-nobody-sees?key=s3cr3t"

    def about(self) -> list[tuple[str, str | None]]:
        return [(one["about"], one["host"]) for one in self.got]


@contextlib.contextmanager
def hook() -> Iterator[Hook]:
    made = Hook()
    made.hang.set()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            made.tries += 1
            made.hang.wait(PATIENCE)
            status = made.statuses.pop(0) if made.statuses else 204
            if status == 204:
                made.got.append(json.loads(body))
            with contextlib.suppress(OSError):
                self.send_response(status)
                self.send_header("location", "http://127.0.0.1:9/elsewhere")
                self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.port = server.server_address[1]
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        yield made
    finally:
        made.hang.set()
        server.shutdown()
        server.server_close()


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


CONF = """\
[Global]
Name = irc.example.org
Info = of a test
Listen = 127.0.0.1
Ports = {port}
Password = door-of-the-test
AdminInfo1 = nobody
[Limits]
ConnectRetry = 1
MaxConnectionsIP = 0
PingTimeout = 600
[Options]
DNS = no
Ident = no
PAM = no
SyslogFacility = local1
"""


@dataclass(slots=True, kw_only=True)
class Irc:
    """A server of ngircd, and what somebody in #ops reads there: (who, text)."""

    port: int
    said: list[tuple[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The server's password is in it."""
        return f"irc://seatrial:door-of-the-test@127.0.0.1:{self.port}/%23ops?mode=server"


def _read(sock: socket.socket, irc: Irc, joined: threading.Event) -> None:
    with sock.makefile("rb") as lines:
        for raw in lines:
            line = raw.decode("utf-8", "replace").rstrip("\r\n")
            if line.startswith("PING"):
                sock.sendall(line.replace("PING", "PONG", 1).encode() + b"\r\n")
            words = line.split(" ", 3)
            if len(words) == 4 and words[1] == "PRIVMSG":
                irc.said.append((words[0].removeprefix(":").partition("!")[0], words[3].removeprefix(":")))
            if len(words) > 1 and words[1] == "366":
                joined.set()


@contextlib.contextmanager
def irc_server(folder: Path) -> Iterator[Irc]:
    """It runs until the block ends."""
    program = shutil.which("ngircd", path="/usr/sbin:/usr/bin")
    assert program, "Debian's package ngircd is missing"
    irc = Irc(port=free_port())
    conf = folder / "ngircd.conf"
    conf.write_text(CONF.format(port=irc.port))
    # It gives root away at its start, and its file must be readable after that.
    conf.chmod(0o644)
    with (folder / "ngircd.log").open("w") as log:
        server = subprocess.Popen([program, "-n", "-f", str(conf)], stdout=log, stderr=log, stdin=subprocess.DEVNULL)  # fmt: skip
    try:
        sock: list[socket.socket] = []

        def connected() -> bool:
            assert server.poll() is None, (folder / "ngircd.log").read_text()
            with contextlib.suppress(OSError):
                sock.append(socket.create_connection(("127.0.0.1", irc.port)))
            return bool(sock)

        until(connected, "the IRC server")
        joined = threading.Event()
        threading.Thread(target=_read, args=(sock[0], irc, joined), daemon=True).start()
        sock[0].sendall(b"PASS door-of-the-test\r\nNICK reader\r\nUSER reader 0 * :reader\r\nJOIN #ops\r\n")
        assert joined.wait(PATIENCE)
        yield irc
        sock[0].close()
    finally:
        server.terminate()
        server.wait()
