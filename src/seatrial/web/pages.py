"""Pages and their `.json`: one document each, shown in one of two ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from seatrial import __version__
from seatrial.errors import InputError, SeatrialError
from seatrial.model.text import duration
from seatrial.web.access import Role
from seatrial.web.guarding import Asking, asking_of

Document = Callable[[Request], Mapping[str, Any]]

_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def _clock(stamp: str | None) -> str:
    """The time of day of an RFC 3339 moment, for people; the whole moment stands in the element's attribute."""
    return stamp[11:19] if stamp else ""


def _took(begun: str | None, ended: str | None) -> str:
    if not begun or not ended:
        return ""
    return duration((datetime.fromisoformat(ended) - datetime.fromisoformat(begun)).total_seconds())


_TEMPLATES.filters["clock"] = _clock
_TEMPLATES.filters["duration"] = duration
_TEMPLATES.globals.update(took=_took, version=__version__)


def page(template: str, title: str, document: Document) -> Callable[[Request], Response]:
    """A page that shows the document through a template."""

    def answer(request: Request) -> Response:
        return shown(request, template, title, document(request))

    return answer


def as_json(document: Document) -> Callable[[Request], Response]:
    """The same document for programs."""

    def answer(request: Request) -> Response:
        return JSONResponse(document(request))

    return answer


def shown(
    request: Request, template: str, title: str, document: Mapping[str, Any], status: int = 200
) -> Response:
    """The document in HTML, with who asks and the mark for forms."""
    asking = asking_of(request)
    text = _TEMPLATES.get_template(template).render(
        **document,
        title=title.format(**request.path_params) if request.path_params else title,
        here=request.url.path,
        who=asking.person.name if asking.person else "",
        may_approve=asking.may(Role.APPROVE),
        may_operate=asking.may(Role.OPERATE),
        signs_in=asking.signs_in,
        mark=asking.mark,
    )
    return HTMLResponse(text, status_code=status)


def wrong(request: Request, error: SeatrialError, status: int) -> Response:
    """An error as the asker wants it: a page with the hint, or JSON."""
    if wants_json(request):
        body = {"error": error.message, "hint": error.hint, "exit_code": error.exit_code}
        return JSONResponse(body, status_code=status)
    document = {"message": error.message, "hint": error.hint, "status": status}
    return shown(request, "wrong.html", "That did not work", document, status)


def status_of(error: SeatrialError) -> int:
    """The HTTP status that says the same as the exit code."""
    if isinstance(error, InputError):
        return 404 if error.message.startswith("there is no ") else 422
    return {3: 503, 4: 409}.get(error.exit_code, 500)


def wants_json(request: Request) -> bool:
    """Whether a program asks."""
    path, kind = request.url.path, request.headers.get("content-type", "")
    return path.endswith(".json") or kind.startswith("application/json") or _asking_is_by_token(request)


def _asking_is_by_token(request: Request) -> bool:
    asking: Asking | None = getattr(request.state, "asking", None)
    return asking is not None and asking.by_token
