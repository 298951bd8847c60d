"""Every request on its way in: whether its Host is ours, who asks, what they may; and on the way out, what browsers are told.

What is in: middleware. What is not: how people are known (access.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from seatrial.web.access import COOKIE, Access, Person, Role
from seatrial.web.serving import is_address

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "x-content-type-options": "nosniff",
    # Not `no-referrer`: with that browsers call the origin of our own forms null.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
# Where hosts ask, which do not sign in: web/fleetlock.py looks at their address and id.
FOR_HOSTS = ("/v1/pre-reboot", "/v1/steady-state")
# What somebody who is not known yet may see.
OPEN_PATHS = ("/sign-in", "/static/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who asks. `session` and `mark` are "" for programs with a token; `signs_in` where people log in with one."""

    person: Person | None
    session: str = ""
    mark: str = ""
    by_token: bool = False
    signs_in: bool = False

    def may(self, role: Role) -> bool:
        """Whether they may do that."""
        return self.person is not None and self.person.role >= role


def asking_of(request: Request) -> Asking:
    """Who sent this request, as the guard found out."""
    found = request.state.asking
    assert isinstance(found, Asking)
    return found


class Guarded:
    """The application behind its guard."""

    def __init__(self, app: ASGIApp, access: Access, *, any_name: bool) -> None:
        self._app = app
        self._access = access
        self._any_name = any_name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        request = Request(scope)
        # A host that asks every few minutes must not begin a session each time.
        is_host = request.url.path in FOR_HOSTS
        asking, new = (Asking(person=None), "") if is_host else self._who(request)
        request.state.asking = asking
        cookie = f"{COOKIE}={new}; Path=/; HttpOnly; SameSite=Strict" if new else ""

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if cookie:
                    headers.append("set-cookie", cookie)
            await send(message)

        refused = self._refused(request, asking)
        await (refused or self._app)(scope, receive, marked)

    def _who(self, request: Request) -> tuple[Asking, str]:
        """Who asks, and the session that begins with this request, "" where none does."""
        access = self._access
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and (person := access.by_token(token.strip())):
            return Asking(person=person, by_token=True), ""
        signs_in = bool(access.tokens)
        session = request.cookies.get(COOKIE, "")
        if access.header:
            peer = request.client.host if request.client else ""
            person = access.by_header(request.headers.get(access.header, ""), peer)
        else:
            person = access.sessions.get(session) if signs_in else access.open_as
        new = ""
        # A form's mark hangs on the session, so people who need not log in have one as well.
        if person is not None and access.sessions.get(session) != person:
            session = new = access.begin(person)
        mark = access.mark(session) if person is not None else ""
        return Asking(person=person, session=session, mark=mark, signs_in=signs_in), new

    def _refused(self, request: Request, asking: Asking) -> Response | None:
        path = request.url.path
        if not self._any_name and not is_address(request.url.hostname or ""):
            return PlainTextResponse("ask by address\n", status_code=421)
        if request.method not in ("GET", "HEAD") and _is_from_elsewhere(request):
            return JSONResponse(
                {"error": "that came from another site", "hint": "use the forms of this page"},
                status_code=403,
            )
        if asking.person is None and path not in FOR_HOSTS and not path.startswith(OPEN_PATHS):
            if (
                self._access.tokens
                and request.method == "GET"
                and "text/html" in request.headers.get("accept", "")
            ):
                return RedirectResponse("/sign-in", status_code=303)
            hint = (
                "send a token: Authorization: Bearer ..." if self._access.tokens else "ask through the proxy"
            )
            return JSONResponse(
                {"error": "it is not known who asks", "hint": hint},
                status_code=401,
                headers={"www-authenticate": "Bearer"},
            )
        return None


def _is_from_elsewhere(request: Request) -> bool:
    """Whether a browser says that another site had it send this."""
    site = request.headers.get("sec-fetch-site", "none")
    origin = request.headers.get("origin")
    if site not in ("none", "same-origin"):
        return True
    return origin is not None and origin.partition("://")[2] != request.headers.get("host", "")
