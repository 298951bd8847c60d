"""The application: which address shows what. What is not in: looks (templates), who may (access.py), serving.py."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from seatrial.clock import Clock
from seatrial.engine.reboots import Reboots
from seatrial.errors import InputError, SeatrialError
from seatrial.web.access import COOKIE, Access
from seatrial.web.described import description
from seatrial.web.fleetlock import FleetLocked
from seatrial.web.following import Following
from seatrial.web.guarding import Guarded
from seatrial.web.metrics import exposed
from seatrial.web.pages import Document, Kept, as_json, page, shown, status_of, wrong
from seatrial.web.views.board import board
from seatrial.web.views.drift import drift
from seatrial.web.views.failover import failover, failovers
from seatrial.web.views.known import kernels
from seatrial.web.views.line import timeline
from seatrial.web.views.rollout import rollout
from seatrial.web.views.soak import soak_drawn
from seatrial.web.wishes import fields_of, wished

MOST_CONNECTIONS = 1_000
PING = 15
PICTURE = "default-src 'none'; style-src 'unsafe-inline'"


def make_app(
    following: Following,
    access: Access,
    clock: Clock,
    *,
    any_name: bool,
    ending: anyio.Event,
    reboots: Reboots | None = None,
) -> ASGIApp:
    """Pages, their `.json`, wishes and the live line. `ending` is set when the server is to stop.

    `reboots` are the slots of hosts that ask before they reboot by themselves; without them nobody is given any.
    """

    kept = Kept(lambda: (following.seq, following.problem))

    async def wish(request: Request) -> Response:
        return await wished(request, following.journal, access)

    async def live(request: Request) -> Response:
        async def lines() -> AsyncIterator[dict[str, str]]:
            async for seq in following.changes():
                yield {"event": "changed", "id": str(seq), "data": str(seq)}

        return EventSourceResponse(lines(), ping=PING, shutdown_event=ending)

    def soak(request: Request) -> Response:
        told, small = request.path_params, "small" in request.query_params
        text = kept.get(
            ("soak", request.url.path, small),
            lambda: soak_drawn(following, told["name"], told["host"], small=small),
        )
        # The picture brings its own rules of style, and nothing else.
        return Response(text, media_type="image/svg+xml", headers={"content-security-policy": PICTURE})

    def metrics(request: Request) -> Response:
        body, media_type = exposed(following, clock, request.headers.get("accept", ""))
        return Response(body, headers={"content-type": media_type})

    async def sign_in(request: Request) -> Response:
        return await _sign_in(request, access)

    async def sign_out(request: Request) -> Response:
        return _sign_out(request, access)

    routes = [
        *_pages(following, clock, kept),
        Route("/rollouts/{name}/hosts/{host}/soak.svg", soak),
        Route("/rollouts/{name}/{wish}", wish, methods=["POST"]),
        Route("/metrics", metrics),
        Route("/live", live),
        Route("/sign-in", sign_in, methods=["GET", "POST"]),
        Route("/sign-out", sign_out, methods=["POST"]),
        *FleetLocked(reboots).routes(),
        Route("/openapi.json", as_json(kept, lambda _: description())),
        Mount("/static", StaticFiles(directory=Path(__file__).parent / "static")),
    ]
    app = Starlette(routes=routes, exception_handlers={SeatrialError: _told, HTTPException: _missing})
    return Guarded(app, access, any_name=any_name)


def _pages(following: Following, clock: Clock, kept: Kept) -> list[Route]:
    """Every page with its `.json`."""

    def one(request: Request) -> dict[str, Any]:
        told = request.path_params
        return rollout(following, told["name"], clock, told.get("host", ""))

    def lines(request: Request) -> dict[str, Any]:
        return timeline(following, request.path_params.get("name", ""), _number(request, "before"))

    def moved(request: Request) -> dict[str, Any]:
        return failover(following, request.path_params["name"], clock)

    def drifted(request: Request) -> dict[str, Any]:
        return drift(following, request.query_params.get("host", ""), _number(request, "page") or 1)

    pages: list[tuple[str, str, str, Document]] = [
        ("/", "board.html", "Seatrial", lambda _: board(following, clock)),
        ("/kernels", "kernels.html", "Kernels", lambda _: kernels(following, clock)),
        ("/drift", "drift.html", "Drift", drifted),
        ("/failovers", "failovers.html", "Failovers", lambda _: failovers(following)),
        ("/failovers/{name}", "failover.html", "Failover {name}", moved),
        ("/journal", "lines.html", "Journal", lines),
        ("/rollouts/{name}", "rollout.html", "Rollout {name}", one),
        ("/rollouts/{name}/journal", "lines.html", "Journal of {name}", lines),
        ("/rollouts/{name}/hosts/{host}", "rollout.html", "{host} in {name}", one),
    ]
    # The `.json` goes first: a name may have a dot in it.
    return [
        route
        for path, template, title, document in pages
        for route in (
            Route("/board.json" if path == "/" else f"{path}.json", as_json(kept, document)),
            Route(path, page(kept, template, title, document)),
        )
    ]


def _number(request: Request, name: str) -> int | None:
    """A number of the query. Raises InputError for what is none."""
    said = request.query_params.get(name)
    if said is None:
        return None
    if not said.isascii() or not said.isdigit() or len(said) > 15:
        raise InputError(f"?{name}= wants a number", hint=f"such as ?{name}=2")
    return int(said)


def _told(request: Request, error: Exception) -> Response:
    assert isinstance(error, SeatrialError)
    return wrong(request, error, status_of(error))


def _missing(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        return PlainTextResponse("not with that method\n", status_code=405, headers=error.headers)
    there_is_none = InputError("there is no such page", hint="begin at the first page")
    return wrong(request, there_is_none, error.status_code)


async def _sign_in(request: Request, access: Access) -> Response:
    if request.method == "GET":
        return shown(request, "sign-in.html", "Sign in", {"message": ""})
    person = access.by_token((await fields_of(request)).get("token", ""))
    if person is None:
        said = {"message": "Nobody has that token."}
        return shown(request, "sign-in.html", "Sign in", said, status=401)
    answer = RedirectResponse("/", status_code=303)
    answer.set_cookie(COOKIE, access.begin(person), httponly=True, samesite="strict")
    return answer


def _sign_out(request: Request, access: Access) -> Response:
    access.sessions.pop(request.cookies.get(COOKIE, ""), None)
    gone = RedirectResponse("/sign-in", status_code=303)
    gone.delete_cookie(COOKIE)
    return gone
