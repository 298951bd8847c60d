"""One TCP connection, made before any SSH is spoken. What is in: addresses tried one after the other within one
time limit. What is not: what is said on the connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket


async def dial(
    host: str, port: int, family: int, local: tuple[str, int] | None, *, timeout: float
) -> socket.socket:
    """A connected socket to `host`. Raises OSError (TimeoutError after `timeout` seconds)."""
    loop = asyncio.get_running_loop()
    flags = 0
    with contextlib.suppress(ValueError):
        # An address needs no resolver, and then no thread.
        ipaddress.ip_address(host)
        flags = socket.AI_NUMERICHOST
    async with asyncio.timeout(timeout):
        if flags:
            found = socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM, flags=flags)
        else:
            found = await loop.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
        refused: OSError = OSError(f"{host} has no address")
        for kind, _, protocol, _, address in found:
            sock = socket.socket(kind, socket.SOCK_STREAM, protocol)
            sock.setblocking(False)
            try:
                if local is not None:
                    sock.bind(local)
                await loop.sock_connect(sock, address)
            except OSError as error:
                sock.close()
                refused = error
            except BaseException:
                sock.close()
                raise
            else:
                return sock
        raise refused
