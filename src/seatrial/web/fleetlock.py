"""FleetLock over HTTP: two addresses at which hosts ask before they reboot by themselves, and say that they are back.

What is in: the protocol's header, body and errors, and from where anybody may ask. What is not: who gets a slot
(engine/reboots.py). Nothing is written for a request that is not what the protocol says, or from somebody unknown.
"""

from __future__ import annotations

import json
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from seatrial.engine.reboots import Asking, Reboots
from seatrial.errors import SeatrialError
from seatrial.model.fleetlock import GROUP, MOST_NAME
from seatrial.model.text import safe
from seatrial.web.guarding import FOR_HOSTS

MOST_BYTES = 8_192
# Hosts that may wait for an answer at once; more are told to come back.
MOST_WAITING = 64
# All of them are answered here, so that each no is what the protocol says.
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_GROUP = re.compile(GROUP.removesuffix("$"))


class _Wrong(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, kind: str, value: str) -> None:
        super().__init__(value)
        self.status, self.kind, self.value = status, kind, value


class FleetLocked:
    """The protocol's two addresses for these slots; without slots everybody is told that there are none."""

    def __init__(self, reboots: Reboots | None) -> None:
        self._reboots = reboots
        self._waiting = 0

    def routes(self) -> list[Route]:
        """Both addresses."""
        return [Route(path, self._asked, methods=_METHODS) for path in FOR_HOSTS]

    async def _asked(self, request: Request) -> Response:
        self._waiting += 1
        try:
            return await self._answer(request)
        except _Wrong as wrong:
            allow = {"allow": "POST"} if wrong.status == 405 else None
            return JSONResponse({"kind": wrong.kind, "value": wrong.value}, wrong.status, headers=allow)
        except SeatrialError as error:
            return JSONResponse({"kind": "failed_journal", "value": safe(error.message)}, 503)
        finally:
            self._waiting -= 1

    async def _answer(self, request: Request) -> Response:
        if request.method != "POST":
            raise _Wrong(405, "failed_method", "POST is wanted")
        if self._reboots is None:
            raise _Wrong(
                404, "failed_no_slots", "this server was started without --fleet, so it gives no slots"
            )
        peer = request.client.host if request.client else ""
        if not self._reboots.may_ask(peer):
            raise _Wrong(403, "failed_address", "this address may not ask: fleetlock.networks names who may")
        if request.headers.get("fleet-lock-protocol") != "true":
            raise _Wrong(400, "failed_header", "the header fleet-lock-protocol: true is missing")
        if self._waiting > MOST_WAITING:
            raise _Wrong(503, "failed_busy", "too many ask at once; ask again")
        asking = _asking_of(await _body_of(request), peer)
        lock = request.url.path == FOR_HOSTS[0]
        answer = await (self._reboots.pre_reboot(asking) if lock else self._reboots.steady_state(asking))
        if answer.kind:
            raise _Wrong(403 if answer.who else 409, answer.kind, answer.value)
        return JSONResponse({"value": answer.value})


async def _body_of(request: Request) -> Any:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise _Wrong(413, "failed_body", f"at most {MOST_BYTES} bytes are read")
    try:
        return json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise _Wrong(400, "failed_body", "the body is not JSON") from None


def _asking_of(document: Any, peer: str) -> Asking:
    params = document.get("client_params") if isinstance(document, dict) else None
    if not isinstance(params, dict):
        raise _Wrong(400, "failed_body", "the body has no object client_params")
    texts: dict[str, str] = {}
    for key in ("id", "group"):
        value = params.get(key)
        if not isinstance(value, str) or not value or len(value) > MOST_NAME:
            raise _Wrong(
                400, "failed_body", f"client_params.{key} is not a text of 1 to {MOST_NAME} characters"
            )
        texts[key] = value
    if not _GROUP.fullmatch(texts["group"]):
        raise _Wrong(400, "failed_group", f"client_params.group does not match {GROUP}")
    return Asking(id=texts["id"], group=texts["group"], address=peer)
