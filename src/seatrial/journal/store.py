"""The one door to the database. What is in: appending and reading Events, numbering rollouts.

What is not: leases (leases.py), and what an Event means. SQLite is the default, in a file of its own under the user's state directory;
Postgres is a URL away. An Event is committed before `append` returns, so that whatever is done after it can be
found again by a controller that takes over.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from seatrial.clock import Clock, SystemClock
from seatrial.errors import CouldNotAct, InputError
from seatrial.journal.leases import Fence, Leases, check
from seatrial.journal.tables import BISECTS, EVENTS, FAILOVERS, METADATA, ROLLOUTS, short, stamp
from seatrial.model.event import Event, Kind


def default_url() -> str:
    """Where the journal is when nobody says otherwise: $SEATRIAL_DATABASE, else a file in the user's state directory."""
    if url := os.environ.get("SEATRIAL_DATABASE"):
        return url
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "seatrial"
    return f"sqlite:///{state / 'journal.db'}"


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
        event = self._appended(_fields(self._clock.now(), kind, rollout, host, by, data), under, None)
        assert event is not None
        return event

    def append_unless(
        self,
        kind: Kind,
        *,
        rollout: str,
        host: str,
        by: str,
        data: Mapping[str, Any],
        since: int,
        kinds: Sequence[Kind],
    ) -> Event | None:
        """The same, unless the rollout has an Event of one of `kinds` behind place `since`: then nothing is written.

        Whoever decides by what was read up to there is never surprised by what somebody else decided meanwhile.
        """
        fields = _fields(self._clock.now(), kind, rollout, host, by, data)
        return self._appended(fields, None, (since, frozenset(map(str, kinds))))

    def _appended(
        self, fields: Mapping[str, Any], under: Fence | None, unless: tuple[int, frozenset[str]] | None
    ) -> Event | None:
        event = self._keep(fields, under, unless)
        if event is not None and self._after_append is not None:
            self._after_append(event)
        return event

    def _keep(
        self, fields: Mapping[str, Any], under: Fence | None, unless: tuple[int, frozenset[str]] | None
    ) -> Event | None:
        """Give an Event its place, and keep it."""
        said = json.dumps(fields["data"], ensure_ascii=False, separators=(",", ":"))
        row = {**fields, "at": stamp(fields["at"]), "data": said}
        try:
            with self._engine.begin() as connection:
                self._queue_up(connection)
                if under is not None:
                    check(connection, under)
                if unless is not None and _has_come(connection, fields["rollout"], *unless):
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
        after: int = 0,
        kinds: Sequence[Kind] = (),
        limit: int | None = None,
    ) -> list[Event]:
        """The Events of one rollout (or of all) behind place `after`, oldest first, at most `limit` of them.

        Raises CouldNotAct when the database cannot be read.
        """
        return self._found(rollout, after, frozenset(map(str, kinds)), limit)

    def _found(
        self, rollout: str | None, after: int, kinds: frozenset[str], limit: int | None
    ) -> list[Event]:
        query = sa.select(EVENTS).where(EVENTS.c.seq > after).order_by(EVENTS.c.seq).limit(limit)
        if rollout is not None:
            query = query.where(EVENTS.c.rollout == rollout)
        if kinds:
            query = query.where(EVENTS.c.kind.in_(sorted(kinds)))
        try:
            with self._engine.connect() as connection:
                rows = connection.execute(query).mappings().all()
        except sa.exc.SQLAlchemyError as error:
            raise CouldNotAct(
                f"the journal cannot be read: {short(error)}",
                hint="does the database answer? whatever is on trial is watched by its own guard meanwhile",
            ) from error
        return [
            Event(
                seq=row["seq"],
                at=datetime.fromisoformat(row["at"]),
                kind=row["kind"],
                rollout=row["rollout"],
                host=row["host"],
                by=row["by"],
                data=json.loads(row["data"]),
            )
            for row in rows
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


def _fields(
    at: datetime, kind: Kind, rollout: str, host: str, by: str, data: Mapping[str, Any] | None
) -> dict[str, Any]:
    told = {"kind": str(kind), "rollout": rollout, "host": host, "by": by}
    return {"at": at, **told, "data": dict(data or {})}


def _has_come(connection: sa.Connection, rollout: str, since: int, kinds: frozenset[str]) -> bool:
    mine = (EVENTS.c.rollout == rollout) & (EVENTS.c.seq > since) & EVENTS.c.kind.in_(sorted(kinds))
    return connection.execute(sa.select(EVENTS.c.seq).where(mine).limit(1)).first() is not None


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
