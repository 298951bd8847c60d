"""What a person wishes through a page: approve, pause, resume, abort. Each is the same call as the verb's, and an Event."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from seatrial.engine import controller
from seatrial.errors import InputError, Refused
from seatrial.journal.store import Journal
from seatrial.model.text import safe
from seatrial.web.access import Access, Role
from seatrial.web.guarding import asking_of
from seatrial.web.pages import wants_json, wrong

MOST_BYTES = 8_192
MOST_TEXT = 2_000
WISHES: Mapping[str, Role] = {
    "approve": Role.APPROVE,
    "pause": Role.OPERATE,
    "resume": Role.OPERATE,
    "abort": Role.OPERATE,
}


async def wished(request: Request, journal: Journal, access: Access) -> Response:
    """Carry one wish out; who may not is told so. Raises InputError and Refused; then nothing was written."""
    wish, name = request.path_params["wish"], request.path_params["name"]
    role = WISHES.get(wish)
    if role is None:
        raise InputError(f"there is no wish {wish[:40]!r}", hint=f"there are {', '.join(WISHES)}")
    asking = asking_of(request)
    given = await fields_of(request)
    is_form = not request.headers.get("content-type", "").startswith("application/json")
    if is_form and not asking.by_token and not access.is_marked(asking.session, given.get("mark", "")):
        raise Refused(
            "the form is not from a page of this session", hint="load the page again and send it once more"
        )
    if not asking.may(role) or asking.person is None:
        who = asking.person.name if asking.person else "nobody"
        refused = Refused(f"{who} may not {wish}", hint=f"that wants the role {role.name.lower()}")
        return wrong(request, refused, 403)
    event = _carry_out(journal, wish, name, given, by=asking.person.name)
    if wants_json(request):
        return JSONResponse({"seq": event}, status_code=201)
    return RedirectResponse(f"/rollouts/{name}", status_code=303)


def _carry_out(journal: Journal, wish: str, name: str, given: Mapping[str, str], *, by: str) -> int | None:
    why = given.get("why", "").strip()
    if not why and wish in ("pause", "abort"):
        raise InputError(f"to {wish} wants a reason", hint="say in a few words why; it stands in the journal")
    match wish:
        case "approve":
            stage = given.get("stage", "")
            if not stage:
                raise InputError("approve wants a stage", hint="name the stage that is let in")
            ticket = given.get("ticket", "")
            return controller.approve(journal, name, stage=stage, by=by, why=why, ticket=ticket).seq
        case "pause":
            return controller.pause(journal, name, by=by, why=why).seq
        case "abort":
            return controller.abort(journal, name, by=by, why=why).seq
    controller.resume(journal, name, by=by, why=why)
    return None


async def fields_of(request: Request) -> dict[str, str]:
    """The fields of a form or of a JSON object, all texts. Raises InputError."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise InputError("that is too long", hint=f"at most {MOST_BYTES} bytes are read")
    hint = "send a form, or a JSON object whose values are texts"
    try:
        text = body.decode("utf-8")
        if request.headers.get("content-type", "").startswith("application/json"):
            found: Any = json.loads(text)
        else:
            found = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=20))
    except (ValueError, RecursionError):
        raise InputError("that cannot be read", hint=hint) from None
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise InputError("that is no object of texts", hint=hint)
    for key, value in found.items():
        if len(value) > MOST_TEXT:
            raise InputError(f"{safe(key)[:40]} is longer than {MOST_TEXT} characters", hint="be brief")
    # Lines and columns are spaces here, and what could move a cursor is made visible, as everywhere.
    return {str(key): safe(" ".join(value.split())) for key, value in found.items()}
