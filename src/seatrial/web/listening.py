"""An address to listen on, read, judged and bound before any server runs, so that what is wrong is one sentence.

What is in: loopback unless somebody says otherwise. What is not: what is served there.
"""

from __future__ import annotations

import errno
import ipaddress
import re
import socket
from dataclasses import dataclass

from seatrial.errors import CouldNotAct, InputError

SHAPE = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+|localhost)):(\d{1,5})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """An address of this machine and a port; port 0 is one that is free."""

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return ipaddress.ip_address(self.host).is_loopback

    @property
    def shown(self) -> str:
        """As it stands in a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A socket that listens, and where: with the port that it really has."""

    sock: socket.socket
    listen: Listen


def parse(text: str) -> Listen:
    """`127.0.0.1:9464`, `[::1]:9464` or `localhost:9464`. Raises InputError."""
    hint = "an address and a port, such as 127.0.0.1:9464 or [::1]:9464; port 0 is one that is free"
    found = SHAPE.fullmatch(text)
    if found is None or int(found[3]) > 65535:
        raise InputError(f"--listen {text}: is no address to listen on", hint=hint)
    host = found[1] or found[2].replace("localhost", "127.0.0.1")
    try:
        return Listen(host=str(ipaddress.ip_address(host)), port=int(found[3]))
    except ValueError:
        raise InputError(f"--listen {text}: is no address to listen on", hint=hint) from None


def bind(listen: Listen, *, exposed: bool) -> Bound:
    """Listen there. Raises InputError beyond loopback unless `exposed`, and CouldNotAct."""
    if not listen.loopback and not exposed:
        raise InputError(
            f"{listen.shown} can be reached from other machines, and nobody has to log in",
            hint="say --exposed if that is wanted: the figures name hosts and flows and say what is broken",
        )
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        # Connections that have just ended must not keep a restart from its port.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((listen.host, listen.port))
        sock.listen(64)
    except OSError as problem:
        sock.close()
        raise _why(listen, problem) from None
    return Bound(sock=sock, listen=Listen(host=listen.host, port=int(sock.getsockname()[1])))


def _why(listen: Listen, problem: OSError) -> InputError | CouldNotAct:
    if problem.errno == errno.EADDRINUSE:
        return CouldNotAct(
            f"{listen.shown} is taken by another program",
            hint=f"`ss -ltnp 'sport = :{listen.port}'` shows which; --listen with port 0 takes a free one",
        )
    if problem.errno == errno.EADDRNOTAVAIL:
        return InputError(f"{listen.host} is no address of this machine", hint="`ip address` shows them")
    return CouldNotAct(
        f"cannot listen on {listen.shown}: {problem.strerror or problem}",
        hint="ports below 1024 are for root; choose another one",
    )
