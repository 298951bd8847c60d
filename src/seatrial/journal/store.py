"""The one door to the database. What is in: appending and reading Events, numbering rollouts.

What is not: leases (leases.py), and what an Event means. SQLite is the default, in a file of its own under the user's state directory;
Postgres is a URL away. An Event is committed before `append` returns, so that whatever is done after it can be
found again by a controller that takes over.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from seatrial.clock import Clock, SystemClock
from seatrial.errors import CouldNotAct, InputError
from seatrial.journal.leases import Fence, Leases, check
from seatrial.journal.tables import BISECTS, BY_HOST, EVENTS, FAILOVERS, METADATA, ROLLOUTS, short, stamp
from seatrial.model.event import Event, Kind


def default_url() -> str:
    """Where the journal is when nobody says otherwise: $SEATRIAL_DATABASE, else a file in the user's state directory."""
    if url := os.environ.get("SEATRIAL_DATABASE"):
        return url
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "seatrial"
    return f"sqlite:///{state / 'journal.db'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which Events are asked for; see Journal.read."""

    rollout: str | None
    hosts: frozenset[str] | None
    after: int
    before: int | None
    kinds: frozenset[str]
    limit: int | None
    newest: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Unless:
    """That an Event of one of `kinds` stands behind place `after`, in `rollout` if one is named. Without kinds it is never true."""

    kinds: tuple[Kind, ...] = ()
    after: int = 0
    rollout: str | None = None


class Journal(Leases):
    """Events in the order in which they happened."""

    def __init__(
        self, url: str, *, clock: Clock | None = None, after_append: Callable[[Event], None] | None = None
    ) -> None:
        """Open the database at `url` and make its tables. Raises InputError or CouldNotAct.

        `after_append` is called with each Event once it is committed: rehearsals kill their controller there.
        """
        super().__init__()
        self._clock = clock or SystemClock()
        self._after_append = after_append
        self.url = url
        try:
            parsed = sa.make_url(url)
        except sa.exc.ArgumentError:
            raise InputError(
                "the database URL cannot be read",
                hint="sqlite:////path/journal.db or postgresql+psycopg://user@host/db",
            ) from None
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            make_private(Path(parsed.database))
        try:
            self._engine = sa.create_engine(url, pool_pre_ping=True)
            if parsed.get_backend_name() == "sqlite":
                sa.event.listen(self._engine, "connect", _settle_sqlite)
            METADATA.create_all(self._engine)
            BY_HOST.create(self._engine, checkfirst=True)
        except (sa.exc.SQLAlchemyError, OSError, ImportError) as error:
            raise CouldNotAct(
                f"the journal cannot be opened at {parsed.render_as_string(hide_password=True)}: {short(error)}",
                hint="is there room on the disk, may this user write there, does the database answer?",
            ) from error

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def set_clock(self, clock: Clock) -> None:
        """Stamp further Events by this clock: a rehearsal's own."""
        self._clock = clock

    def append(
        self,
        kind: Kind,
        *,
        rollout: str,
        host: str = "",
        by: str = "",
        data: Mapping[str, Any] | None = None,
        under: Fence | None = None,
    ) -> Event:
        """Commit one Event and return it with its place. Raises CouldNotAct when the database will not take it.

        A controller that slept too long, and whose work was taken over, holds the leases of `under` no more. Raises
        Refused then.
        """
        event = self._append(Unless(), kind, rollout, host, by, data, under)
        assert event is not None
        return event

    def append_unless(
        self,
        unless: Unless,
        kind: Kind,
        *,
        rollout: str,
        host: str = "",
        by: str = "",
        data: Mapping[str, Any] | None = None,
        under: Fence | None = None,
    ) -> Event | None:
        """The same, in one transaction with a look at what has come meanwhile: None when `unless` is true by then.

        Whoever decides by the journal up to some place is never surprised by what somebody else decided since.
        """
        return self._append(unless, kind, rollout, host, by, data, under)

    def _append(
        self,
        unless: Unless,
        kind: Kind,
        rollout: str,
        host: str,
        by: str,
        data: Mapping[str, Any] | None,
        under: Fence | None,
    ) -> Event | None:
        told = {"kind": str(kind), "rollout": rollout, "host": host, "by": by}
        fields: dict[str, Any] = {"at": self._clock.now(), **told, "data": dict(data or {})}
        event = self._keep(fields, under, unless)
        if event is not None and self._after_append is not None:
            self._after_append(event)
        return event

    def _keep(self, fields: Mapping[str, Any], under: Fence | None, unless: Unless) -> Event | None:
        """Give an Event its place, and keep it."""
        said = json.dumps(fields["data"], ensure_ascii=False, separators=(",", ":"))
        row = {**fields, "at": stamp(fields["at"]), "data": said}
        try:
            with self._engine.begin() as connection:
                self._queue_up(connection)
                if under is not None:
                    check(connection, under)
                if unless.kinds and _has_come(connection, unless):
                    return None
                seq = connection.execute(EVENTS.insert().values(**row).returning(EVENTS.c.seq)).scalar_one()
        except sa.exc.SQLAlchemyError as error:
            raise CouldNotAct(
                f"the journal took no event: {short(error)}",
                hint="nothing goes on without the journal: make room or bring the database back, then seatrial rollout resume",
            ) from error
        return Event(seq=seq, **fields)

    def read(
        self,
        rollout: str | None = None,
        *,
        host: str | Sequence[str] | None = None,
        after: int = 0,
        before: int | None = None,
        kinds: Sequence[Kind] = (),
        limit: int | None = None,
        newest: bool = False,
    ) -> list[Event]:
        """The Events of one rollout (or of all) behind place `after`, oldest first, at most `limit` of them.

        `host`: of that host only ("": of none), or of several. `before`: up to, and without, that place. `newest`: where there are more than
        `limit`, the last ones. Raises CouldNotAct when the database cannot be read.
        """
        sought = Sought(
            rollout=rollout,
            hosts=None if host is None else frozenset((host,) if isinstance(host, str) else host),
            after=after,
            before=before,
            kinds=frozenset(map(str, kinds)),
            limit=limit,
            newest=newest,
        )
        return self._found(sought)

    def _found(self, sought: Sought) -> list[Event]:
        place = EVENTS.c.seq
        query = sa.select(EVENTS).where(place > sought.after).limit(sought.limit)
        query = query.order_by(place.desc() if sought.newest else place)
        if sought.before is not None:
            query = query.where(place < sought.before)
        if sought.rollout is not None:
            query = query.where(EVENTS.c.rollout == sought.rollout)
        if sought.hosts is not None:
            query = query.where(EVENTS.c.host.in_(sorted(sought.hosts)))
        if sought.kinds:
            query = query.where(EVENTS.c.kind.in_(sorted(sought.kinds)))
        found = self._events(query)
        return found[::-1] if sought.newest else found

    def moves(self, to: Sequence[str]) -> list[Event]:
        """The moves of all trials into one of these states, oldest first. Raises CouldNotAct."""
        # As the data is written: compact. What else has these letters in it is left out below.
        said = [EVENTS.c.data.contains(f'"to":"{state}"') for state in to]
        query = sa.select(EVENTS).where(EVENTS.c.kind == str(Kind.TRIAL_MOVED), sa.or_(*said))
        found = self._events(query.order_by(EVENTS.c.seq))
        return [event for event in found if event.data.get("to") in to]

    def latest(self, kind: Kind) -> list[Event]:
        """The newest Event of that kind of each host, oldest first. Raises CouldNotAct."""
        last = sa.select(sa.func.max(EVENTS.c.seq)).where(EVENTS.c.kind == str(kind))
        query = sa.select(EVENTS).where(EVENTS.c.seq.in_(last.group_by(EVENTS.c.host)))
        return self._events(query.order_by(EVENTS.c.seq))

    def without(self, began: Kind, ended: Kind) -> list[str]:
        """The names of what has begun and has not ended, in the order in which it began. Raises CouldNotAct."""
        over = sa.select(EVENTS.c.rollout).where(EVENTS.c.kind == str(ended))
        query = sa.select(EVENTS.c.rollout).where(EVENTS.c.kind == str(began), EVENTS.c.rollout.not_in(over))
        with self._transaction() as connection:
            return list(connection.execute(query.order_by(EVENTS.c.seq)).scalars())

    def _events(self, query: sa.Select[Any]) -> list[Event]:
        try:
            with self._engine.connect() as connection:
                rows = connection.execute(query).all()
        except sa.exc.SQLAlchemyError as error:
            raise CouldNotAct(
                f"the journal cannot be read: {short(error)}",
                hint="does the database answer? whatever is on trial is watched by its own guard meanwhile",
            ) from error
        return [
            Event(
                seq=seq,
                at=datetime.fromisoformat(at),
                kind=kind,
                rollout=rollout,
                host=host,
                by=by,
                data=json.loads(data),
            )
            for seq, at, kind, rollout, host, by, data in rows
        ]

    def _queue_up(self, connection: sa.Connection) -> None:
        """Let Events become visible in the order of their places, or who reads on from the last one would miss some."""
        if self._engine.dialect.name == "sqlite":
            # Python's driver would begin with the first word that writes: what was read before could have changed then.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        if self._engine.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _APPEND_LOCK})

    def rollouts(self) -> list[str]:
        """Names of all rollouts, oldest first."""
        return self._names(ROLLOUTS, "r")

    def new_rollout(self) -> str:
        """A name that no rollout has had: r1, r2, ..."""
        return self._new_name(ROLLOUTS, "r")

    def failovers(self) -> list[str]:
        """Names of all failovers, oldest first."""
        return self._names(FAILOVERS, "f")

    def new_failover(self) -> str:
        """A name that no failover has had: f1, f2, ..."""
        return self._new_name(FAILOVERS, "f")

    def bisects(self) -> list[str]:
        """Names of all searches for a first bad kernel, oldest first."""
        return self._names(BISECTS, "b")

    def new_bisect(self) -> str:
        """A name that no search has had: b1, b2, ..."""
        return self._new_name(BISECTS, "b")

    def _names(self, table: sa.Table, letter: str) -> list[str]:
        with self._engine.connect() as connection:
            numbers = connection.execute(sa.select(table.c.number).order_by(table.c.number))
            return [f"{letter}{number}" for number in numbers.scalars().all()]

    def _new_name(self, table: sa.Table, letter: str) -> str:
        with self._engine.begin() as connection:
            insert = table.insert().values(at=stamp(self._clock.now())).returning(table.c.number)
            return f"{letter}{connection.execute(insert).scalar_one()}"


# The word for appending, among the advisory locks of the database.
_APPEND_LOCK = 0x5EA7


def _has_come(connection: sa.Connection, unless: Unless) -> bool:
    come = (EVENTS.c.seq > unless.after) & EVENTS.c.kind.in_(sorted(map(str, unless.kinds)))
    if unless.rollout is not None:
        come &= EVENTS.c.rollout == unless.rollout
    return connection.execute(sa.select(EVENTS.c.seq).where(come).limit(1)).first() is not None


def make_private(path: Path) -> None:
    """A file for a database that only this user reads, whatever the umask; SQLite gives its other files its mode."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
    except OSError as error:
        raise CouldNotAct(
            f"the journal cannot be made at {path}: {error.strerror}",
            hint="name another place with --database",
        ) from error


def _settle_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # FULL: an event that was followed by an act must be there after a power cut.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA busy_timeout=30000")
    cursor.close()
