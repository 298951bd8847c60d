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
from seatrial.web.pages import Document, as_json, page, shown, status_of, wrong
from seatrial.web.views.board import board, kernels
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

    def one(request: Request) -> dict[str, Any]:
        told = request.path_params
        return rollout(following, told["name"], clock, told.get("host", ""))

    async def wish(request: Request) -> Response:
        return await wished(request, following.journal, access)

    async def live(request: Request) -> Response:
        async def lines() -> AsyncIterator[dict[str, str]]:
            async for seq in following.changes():
                yield {"event": "changed", "id": str(seq), "data": str(seq)}

        return EventSourceResponse(lines(), ping=PING, shutdown_event=ending)

    def soak(request: Request) -> Response:
        told = request.path_params
        text = soak_drawn(following, told["name"], told["host"])
        # The picture brings its own rules of style, and nothing else.
        return Response(text, media_type="image/svg+xml", headers={"content-security-policy": PICTURE})

    async def sign_in(request: Request) -> Response:
        return await _sign_in(request, access)

    async def sign_out(request: Request) -> Response:
        return _sign_out(request, access)

    host = "/rollouts/{name}/hosts/{host}"
    routes = [
        *_shown("/", "/board", "board.html", "Seatrial", lambda _: board(following)),
        *_shown("/kernels", "/kernels", "kernels.html", "Kernels", lambda _: kernels(following)),
        *_shown("/rollouts/{name}", "/rollouts/{name}", "rollout.html", "Rollout {name}", one),
        *_shown(host, host, "rollout.html", "{host} in {name}", one),
        Route(f"{host}/soak.svg", soak),
        Route("/rollouts/{name}/{wish}", wish, methods=["POST"]),
        Route("/live", live),
        Route("/sign-in", sign_in, methods=["GET", "POST"]),
        Route("/sign-out", sign_out, methods=["POST"]),
        *FleetLocked(reboots).routes(),
        Route("/openapi.json", as_json(lambda _: description())),
        Mount("/static", StaticFiles(directory=Path(__file__).parent / "static")),
    ]
    app = Starlette(routes=routes, exception_handlers={SeatrialError: _told, HTTPException: _missing})
    return Guarded(app, access, any_name=any_name)


def _shown(path: str, json_path: str, template: str, title: str, document: Document) -> list[Route]:
    # The `.json` goes first: a name may have a dot in it.
    return [
        Route(f"{json_path}.json", as_json(document)),
        Route(path, page(template, title, document)),
    ]


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
