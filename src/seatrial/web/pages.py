"""Pages and their `.json`: one document each, shown in one of two ways, and made once for all who look at the same moment."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import Any

import jinja2
from markupsafe import escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from seatrial import __version__
from seatrial.clock import monotonic
from seatrial.errors import InputError, SeatrialError
from seatrial.model.text import duration
from seatrial.web.access import Role
from seatrial.web.guarding import Asking, asking_of

Document = Callable[[Request], Mapping[str, Any]]
# What else a page depends on than its address and who asks: the place of the newest Event.
Stamp = Callable[[], object]

_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
# Who asks and the mark of their forms are put into a page that was made for everybody. Nobody can say these words.
_WHO, _MARK = token_hex(16), token_hex(16)
MOST_KEPT = 64
# Seconds; a page that nothing happened to has clocks that count.
FRESH = 1.0


def _clock(stamp: str | None) -> str:
    """The time of day of an RFC 3339 moment, for people; the whole moment stands in the element's attribute."""
    return stamp[11:19] if stamp else ""


def _took(begun: str | None, ended: str | None) -> str:
    if not begun or not ended:
        return ""
    return duration((datetime.fromisoformat(ended) - datetime.fromisoformat(begun)).total_seconds())


def _quiet(shown: Mapping[str, Any]) -> dict[str, Any]:
    """What there is none of: it is said, and in no colour."""
    return {**shown, "tone": "rest"}


_TEMPLATES.filters["clock"] = _clock
_TEMPLATES.filters["quiet"] = _quiet
_TEMPLATES.filters["duration"] = duration
_TEMPLATES.globals.update(took=_took, version=__version__)


class Kept:
    """What was made last, so that two hundred viewers of one page cost as much as one. Errors are not kept."""

    def __init__(self, stamp: Stamp) -> None:
        self._stamp = stamp
        self._made: OrderedDict[tuple[object, ...], tuple[float, object, str]] = OrderedDict()
        self._lock = threading.Lock()
        self._making: dict[tuple[object, ...], threading.Lock] = {}

    def get(self, key: tuple[object, ...], make: Callable[[], str]) -> str:
        """That, made now or a moment ago; of many who want the same at once one makes it."""
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            stamp, now = self._stamp(), monotonic()
            found = self._made.get(key)
            if found is not None and found[1] == stamp and now - found[0] < FRESH:
                return found[2]
            made = make()
            with self._lock:
                self._made[key] = (now, stamp, made)
                self._made.move_to_end(key)
                while len(self._made) > MOST_KEPT:
                    gone, _ = self._made.popitem(last=False)
                    self._making.pop(gone, None)
            return made


def page(kept: Kept, template: str, title: str, document: Document) -> Callable[[Request], Response]:
    """A page that shows the document through a template."""

    def answer(request: Request) -> Response:
        asking = asking_of(request)
        may = (asking.may(Role.APPROVE), asking.may(Role.OPERATE), asking.signs_in)
        text = kept.get(
            ("page", request.url.path, request.url.query, may),
            lambda: _rendered(request, template, title, document(request)),
        )
        return HTMLResponse(_personal(text, asking))

    return answer


def as_json(kept: Kept, document: Document) -> Callable[[Request], Response]:
    """The same document for programs."""

    def answer(request: Request) -> Response:
        body = kept.get(
            ("json", request.url.path, request.url.query),
            lambda: json.dumps(document(request), ensure_ascii=False, allow_nan=False, separators=(",", ":")),
        )
        return Response(body, media_type="application/json")

    return answer


def shown(
    request: Request, template: str, title: str, document: Mapping[str, Any], status: int = 200
) -> Response:
    """The document in HTML, with who asks and the mark for forms."""
    text = _rendered(request, template, title, document)
    return HTMLResponse(_personal(text, asking_of(request)), status_code=status)


def _rendered(request: Request, template: str, title: str, document: Mapping[str, Any]) -> str:
    asking = asking_of(request)
    return _TEMPLATES.get_template(template).render(
        **document,
        title=title.format(**request.path_params) if request.path_params else title,
        here=request.url.path,
        who=_WHO if asking.person else "",
        may_approve=asking.may(Role.APPROVE),
        may_operate=asking.may(Role.OPERATE),
        signs_in=asking.signs_in,
        mark=_MARK,
    )


def _personal(text: str, asking: Asking) -> str:
    who = str(escape(asking.person.name)) if asking.person else ""
    return text.replace(_WHO, who).replace(_MARK, asking.mark)


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
