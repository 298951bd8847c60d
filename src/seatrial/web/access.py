"""Who may look, approve and operate, and how a page knows who asks: off on loopback, tokens, or a proxy that says so.

What is in: roles, tokens (kept as hashes), sessions, and the mark that a form of ours carries. What is not: pages.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from seatrial.errors import InputError

COOKIE = "seatrial"
MOST_SESSIONS = 10_000
_ROW = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._@-]{0,62}) +(?P<role>view|approve|operate)(?: +(?P<hash>[0-9a-f]{64}))?"
)


class Role(enum.IntEnum):
    """What somebody may do; each may what the ones before it may."""

    VIEW = 1
    APPROVE = 2
    OPERATE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who asks, and what they may."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How people are known. Exactly one of `open_as`, `tokens` and `header` is given.

    `open_as`: everybody is this person (loopback only). `tokens`: people by the SHA-256 of their token. `header`: a
    reverse proxy on one of `proxies` puts the name there, and `people` says what each may.
    """

    open_as: Person | None = None
    tokens: Mapping[str, Person] = field(default_factory=dict)
    header: str = ""
    proxies: frozenset[str] = frozenset()
    people: Mapping[str, Person] = field(default_factory=dict)
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    sessions: dict[str, Person] = field(default_factory=dict)

    def by_token(self, token: str) -> Person | None:
        """Whose token that is."""
        return self.tokens.get(digest(token))

    def by_header(self, name: str, peer: str) -> Person | None:
        """Whom the proxy names; nobody where somebody else than a proxy says it."""
        return self.people.get(name) if self.header and peer in self.proxies else None

    def begin(self, person: Person) -> str:
        """A session of that person, as the value of a cookie."""
        while len(self.sessions) >= MOST_SESSIONS:
            self.sessions.pop(next(iter(self.sessions)))
        session = secrets.token_urlsafe(32)
        self.sessions[session] = person
        return session

    def mark(self, session: str) -> str:
        """What a form of ours carries, so that another site's form is told apart."""
        return hmac.new(self.secret, session.encode(), hashlib.sha256).hexdigest()

    def is_marked(self, session: str, mark: str) -> bool:
        """Whether a form came from a page of ours in this session."""
        return hmac.compare_digest(self.mark(session).encode(), mark.encode())


def digest(token: str) -> str:
    """The SHA-256 of a token in hex; tokens have 256 bits, so nothing slower is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_token() -> str:
    """A token of 256 bits; the prefix helps scanners for leaked secrets."""
    return f"seatrial_{secrets.token_urlsafe(32)}"


def read_people(path: Path, *, hashed: bool) -> dict[str, Person]:
    """People of a file, one a line: `NAME ROLE` and, with `hashed`, the hash of a token.

    The keys are hashes where `hashed`, names otherwise. Raises InputError with the line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InputError(
            f"{path}: cannot be read: {said}", hint="seatrial serve --new-token NAME makes one"
        ) from None
    found: dict[str, Person] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        row = _ROW.fullmatch(line.strip())
        if row is None or hashed is (row["hash"] is None):
            want = "NAME ROLE HASH" if hashed else "NAME ROLE"
            raise InputError(f"{path}:{number}: is not `{want}`", hint="roles are view, approve and operate")
        person = Person(name=row["name"], role=Role[row["role"].upper()])
        found[row["hash"] if hashed else row["name"]] = person
    if not found:
        raise InputError(f"{path}: names nobody", hint="seatrial serve --new-token NAME adds somebody")
    return found
