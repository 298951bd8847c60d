"""What a person wishes through a page: approve, pause, abort, skip, force and so on. Each is the verb's call, and an Event."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote

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
# What is wanted has one of these at least: characters that nobody sees are no reason. (What JavaScript's \s and
# Python's strip() take for a blank differs in control characters only.)
VISIBLE = r"[^\s\x00-\x1f\x7f-\x9f]"
WISHES: Mapping[str, Role] = {
    "approve": Role.APPROVE,
    "pause": Role.OPERATE,
    "resume": Role.OPERATE,
    "abort": Role.OPERATE,
    "skip": Role.OPERATE,
    "force": Role.OPERATE,
    "force-stage": Role.OPERATE,
    "log": Role.APPROVE,
}
# What each wants, besides what it takes; `why` is a reason, which stands in the journal.
WANTED: Mapping[str, tuple[str, ...]] = {
    "approve": ("stage",),
    "pause": ("why",),
    "resume": (),
    "abort": ("why",),
    "skip": ("host", "why"),
    "force": ("host", "why"),
    "force-stage": ("stage", "why"),
    "log": ("text",),
}
TAKEN: Mapping[str, tuple[str, ...]] = {
    "approve": ("why", "ticket"),
    "resume": ("why",),
    "abort": ("ticket", "mode"),
    "skip": ("ticket",),
    "force": ("ticket",),
    "force-stage": ("ticket",),
}
MODES = ("revert", "finish", "hold")
_MISSING = {
    "why": ("a reason", "say in a few words why; it stands in the journal"),
    "stage": ("a stage", "name the stage that is let in"),
    "host": ("a host", "name the host"),
    "text": ("a line", "say what was seen or done"),
}


async def wished(request: Request, journal: Journal, access: Access) -> Response:
    """Carry one wish out; who may not is told so. Raises InputError and Refused; then nothing was written."""
    wish, name = request.path_params["wish"], request.path_params["name"]
    role = WISHES.get(wish)
    if role is None:
        raise InputError(f"there is no wish {safe(wish)[:40]!r}", hint=f"there are {', '.join(WISHES)}")
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
    host = given.get("host", "")
    return RedirectResponse(
        f"/rollouts/{quote(name)}" + (f"/hosts/{quote(host)}" if host else ""), status_code=303
    )


def _carry_out(journal: Journal, wish: str, name: str, given: Mapping[str, str], *, by: str) -> int | None:
    told = {key: value.strip() for key, value in given.items()}
    for key in WANTED[wish]:
        if not re.search(VISIBLE, told.get(key, "")):
            said, hint = _MISSING[key]
            raise InputError(f"to {wish} wants {said}", hint=hint)
    why, ticket, host, stage = (told.get(key, "") for key in ("why", "ticket", "host", "stage"))
    match wish:
        case "approve":
            return controller.approve(journal, name, stage=stage, by=by, why=why, ticket=ticket).seq
        case "pause":
            return controller.pause(journal, name, by=by, why=why).seq
        case "abort":
            return controller.abort(journal, name, by=by, why=why, ticket=ticket, mode=_mode(told)).seq
        case "skip":
            return controller.skip(journal, name, host=host, by=by, why=why, ticket=ticket).seq
        case "force":
            return controller.force(journal, name, host=host, by=by, why=why, ticket=ticket).seq
        case "force-stage":
            return controller.force_stage(journal, name, stage=stage, by=by, why=why, ticket=ticket).seq
        case "log":
            return controller.note(journal, name, text=told["text"], by=by).seq
    controller.resume(journal, name, by=by, why=why)
    return None


def _mode(told: Mapping[str, str]) -> str:
    mode = told.get("mode") or MODES[0]
    if mode not in MODES:
        raise InputError(f"an abort is not to {safe(mode)[:40]}", hint=f"it may {', '.join(MODES)}")
    return mode


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
