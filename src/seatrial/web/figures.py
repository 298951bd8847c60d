"""The figures over HTTP, for Prometheus: two addresses, read only, no login. Not: what the figures are."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from seatrial.web.listening import Bound
from seatrial.web.serving import is_address, served

# What one scraper and a few people need; more at once is no scraper.
MOST_CONNECTIONS = 64


@contextlib.asynccontextmanager
async def figures_served(
    bound: Bound, figures: Callable[[], str], media_type: str, *, any_name: bool
) -> AsyncIterator[None]:
    """Serve `figures` at /metrics meanwhile, where `bound` listens; `any_name` takes every Host."""

    async def answer(request: Request) -> Response:
        if not any_name and not is_address(request.url.hostname or ""):
            return PlainTextResponse("ask by address\n", status_code=421)
        if request.url.path == "/":
            return PlainTextResponse("Seatrial watches. Its figures for Prometheus are at /metrics.\n")
        return Response(figures(), headers={"content-type": media_type})

    app = Starlette(routes=[Route("/", answer), Route("/metrics", answer)])
    async with served(bound, app, most_connections=MOST_CONNECTIONS):
        yield
