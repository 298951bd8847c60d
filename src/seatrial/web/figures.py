"""The figures over HTTP, for Prometheus: two addresses, read only, no login. Not: what the figures are."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections.abc import AsyncIterator, Callable, Iterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from seatrial.web.listening import Bound

# What one scraper and a few people need; more at once is no scraper.
MOST_CONNECTIONS = 64
FAREWELL = 2


class _Server(uvicorn.Server):
    """Signals are the verb's: it ends the server with everything else."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def figures_served(
    bound: Bound, figures: Callable[[], str], media_type: str, *, any_name: bool
) -> AsyncIterator[None]:
    """Serve `figures` at /metrics meanwhile, where `bound` listens.

    Unless `any_name`, the Host of a request must be an address or localhost: a web page in a browser on this machine
    that had its own name point here would read along otherwise.
    """

    async def answer(request: Request) -> Response:
        if not any_name and not _is_address(request.url.hostname or ""):
            return PlainTextResponse("ask by address\n", status_code=421)
        if request.url.path == "/":
            return PlainTextResponse("Seatrial watches. Its figures for Prometheus are at /metrics.\n")
        return Response(figures(), headers={"content-type": media_type})

    config = uvicorn.Config(
        Starlette(routes=[Route("/", answer), Route("/metrics", answer)]),
        lifespan="off",
        http="h11",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
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


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host == "localhost"
    return True
