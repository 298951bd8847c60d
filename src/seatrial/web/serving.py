"""An application served where somebody listens already, for as long as a verb runs; signals stay the verb's."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections.abc import AsyncIterator, Iterator

import uvicorn
from starlette.types import ASGIApp

from seatrial.web.listening import Bound

FAREWELL = 2


class _Server(uvicorn.Server):
    """Signals are the verb's: it ends the server with everything else."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def served(bound: Bound, app: ASGIApp, *, most_connections: int) -> AsyncIterator[None]:
    """Serve `app` meanwhile; more connections than that at once are turned away."""
    config = uvicorn.Config(
        app,
        lifespan="off",
        http="h11",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=most_connections,
        timeout_graceful_shutdown=FAREWELL,
    )
    server = _Server(config)
    serving = asyncio.ensure_future(server.serve(sockets=[bound.sock]))
    try:
        yield
    finally:
        # A client that holds its connection open must not hold up the end.
        server.should_exit = server.force_exit = True
        with contextlib.suppress(TimeoutError, asyncio.CancelledError):
            async with asyncio.timeout(FAREWELL):
                await serving
        bound.sock.close()


def is_address(host: str) -> bool:
    """Whether a request's Host is an address or localhost.

    A web page in a browser on this machine that had its own name point here would read along otherwise.
    """
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host == "localhost"
    return True
