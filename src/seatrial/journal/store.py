"""The one door to the database. What is in: appending and reading Events, numbering rollouts, leases.

What is not: what an Event means. SQLite is the default, in a file of its own under the user's state directory;
Postgres is a URL away. An Event is committed before `append` returns, so that whatever is done after it can be
found again by a controller that takes over.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from seatrial.clock import Clock, SystemClock
from seatrial.errors import CouldNotAct, InputError, Refused
from seatrial.model.event import Event, Kind

_METADATA = sa.MetaData()
_EVENTS = sa.Table(
    "events",
    _METADATA,
    sa.Column(
        "seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True
    ),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("kind", sa.String(64), nullable=False, index=True),
    sa.Column("rollout", sa.String(64), nullable=False, index=True),
    sa.Column("host", sa.String(64), nullable=False),
    sa.Column("by", sa.String(200), nullable=False),
    sa.Column("data", sa.Text, nullable=False),
)
# A page shows one host of ten thousand, and a journal of an earlier release has no such index yet.
_BY_HOST = sa.Index("ix_events_rollout_host", _EVENTS.c.rollout, _EVENTS.c.host, _EVENTS.c.seq)


def _numbered(name: str) -> sa.Table:
    """Each row is a number that is given once."""
    return sa.Table(
        name,
        _METADATA,
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", sa.String(32), nullable=False),
    )


_ROLLOUTS, _FAILOVERS, _BISECTS = map(_numbered, ("rollouts", "failovers", "bisects"))
_LEASES = sa.Table(
    "leases",
    _METADATA,
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("holder", sa.String(64), nullable=False),
    sa.Column("machine", sa.String(200), nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("started", sa.String(64), nullable=False),
    sa.Column("beat", sa.String(32), nullable=False),
)

LEASE_SECONDS = 30.0
# The lease of a group is named after it, so that two failovers of one group never run at once.
FAILOVER_LEASE = "failover "


def default_url() -> str:
    """Where the journal is when nobody says otherwise: $SEATRIAL_DATABASE, else a file in the user's state directory."""
    if url := os.environ.get("SEATRIAL_DATABASE"):
        return url
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "seatrial"
    return f"sqlite:///{state / 'journal.db'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds a lease. `started` tells a process from a later one with the same pid on the same machine."""

    holder: str
    machine: str
    pid: int
    started: str

    @classmethod
    def here(cls) -> Holder:
        """This process."""
        started = _process_started(os.getpid())
        machine = f"{platform.node()} {_machine_boot()}"
        return cls(holder=f"{os.getpid()}.{started}", machine=machine, pid=os.getpid(), started=started)

    def is_gone(self) -> bool:
        """Whether the holder ran on this machine and has ended; False when that cannot be said."""
        here = Holder.here()
        return self.machine == here.machine and _process_started(self.pid) != self.started


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """Leases that whoever writes must hold at that moment, all of them: one whose work was taken over writes nothing."""

    holder: Holder
    leases: tuple[str, ...]

    def and_of(self, lease: str) -> Fence:
        """The same with one more lease."""
        return replace(self, leases=(*self.leases, lease))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which Events are asked for; see Journal.read."""

    rollout: str | None
    host: str | None
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


class Journal:
    """Events in the order in which they happened."""

    def __init__(
        self, url: str, *, clock: Clock | None = None, after_append: Callable[[Event], None] | None = None
    ) -> None:
        """Open the database at `url` and make its tables. Raises InputError or CouldNotAct.

        `after_append` is called with each Event once it is committed: rehearsals kill their controller there.
        """
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
            _METADATA.create_all(self._engine)
            _BY_HOST.create(self._engine, checkfirst=True)
        except (sa.exc.SQLAlchemyError, OSError, ImportError) as error:
            raise CouldNotAct(
                f"the journal cannot be opened at {parsed.render_as_string(hide_password=True)}: {_short(error)}",
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
        row = {**fields, "at": _stamp(fields["at"]), "data": said}
        try:
            with self._engine.begin() as connection:
                self._queue_up(connection)
                if under is not None:
                    _check(connection, under)
                if unless.kinds and _has_come(connection, unless):
                    return None
                seq = connection.execute(_EVENTS.insert().values(**row).returning(_EVENTS.c.seq)).scalar_one()
        except sa.exc.SQLAlchemyError as error:
            raise CouldNotAct(
                f"the journal took no event: {_short(error)}",
                hint="nothing goes on without the journal: make room or bring the database back, then seatrial rollout resume",
            ) from error
        return Event(seq=seq, **fields)

    def read(
        self,
        rollout: str | None = None,
        *,
        host: str | None = None,
        after: int = 0,
        before: int | None = None,
        kinds: Sequence[Kind] = (),
        limit: int | None = None,
        newest: bool = False,
    ) -> list[Event]:
        """The Events of one rollout (or of all) behind place `after`, oldest first, at most `limit` of them.

        `host`: of that host only ("": of none). `before`: up to, and without, that place. `newest`: where there are more than
        `limit`, the last ones. Raises CouldNotAct when the database cannot be read.
        """
        sought = Sought(
            rollout=rollout,
            host=host,
            after=after,
            before=before,
            kinds=frozenset(map(str, kinds)),
            limit=limit,
            newest=newest,
        )
        return self._found(sought)

    def _found(self, sought: Sought) -> list[Event]:
        place = _EVENTS.c.seq
        query = sa.select(_EVENTS).where(place > sought.after).limit(sought.limit)
        query = query.order_by(place.desc() if sought.newest else place)
        if sought.before is not None:
            query = query.where(place < sought.before)
        if sought.rollout is not None:
            query = query.where(_EVENTS.c.rollout == sought.rollout)
        if sought.host is not None:
            query = query.where(_EVENTS.c.host == sought.host)
        if sought.kinds:
            query = query.where(_EVENTS.c.kind.in_(sorted(sought.kinds)))
        found = self._events(query)
        return found[::-1] if sought.newest else found

    def moves(self, to: Sequence[str]) -> list[Event]:
        """The moves of all trials into one of these states, oldest first. Raises CouldNotAct."""
        # As the data is written: compact. What else has these letters in it is left out below.
        said = [_EVENTS.c.data.contains(f'"to":"{state}"') for state in to]
        query = sa.select(_EVENTS).where(_EVENTS.c.kind == str(Kind.TRIAL_MOVED), sa.or_(*said))
        found = self._events(query.order_by(_EVENTS.c.seq))
        return [event for event in found if event.data.get("to") in to]

    def latest(self, kind: Kind) -> list[Event]:
        """The newest Event of that kind of each host, oldest first. Raises CouldNotAct."""
        last = sa.select(sa.func.max(_EVENTS.c.seq)).where(_EVENTS.c.kind == str(kind))
        query = sa.select(_EVENTS).where(_EVENTS.c.seq.in_(last.group_by(_EVENTS.c.host)))
        return self._events(query.order_by(_EVENTS.c.seq))

    def without(self, began: Kind, ended: Kind) -> list[str]:
        """The names of what has begun and has not ended, in the order in which it began. Raises CouldNotAct."""
        over = sa.select(_EVENTS.c.rollout).where(_EVENTS.c.kind == str(ended))
        query = sa.select(_EVENTS.c.rollout).where(
            _EVENTS.c.kind == str(began), _EVENTS.c.rollout.not_in(over)
        )
        with self._transaction() as connection:
            return list(connection.execute(query.order_by(_EVENTS.c.seq)).scalars())

    def _events(self, query: sa.Select[Any]) -> list[Event]:
        try:
            with self._engine.connect() as connection:
                rows = connection.execute(query).all()
        except sa.exc.SQLAlchemyError as error:
            raise CouldNotAct(
                f"the journal cannot be read: {_short(error)}",
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
        return self._names(_ROLLOUTS, "r")

    def new_rollout(self) -> str:
        """A name that no rollout has had: r1, r2, ..."""
        return self._new_name(_ROLLOUTS, "r")

    def failovers(self) -> list[str]:
        """Names of all failovers, oldest first."""
        return self._names(_FAILOVERS, "f")

    def new_failover(self) -> str:
        """A name that no failover has had: f1, f2, ..."""
        return self._new_name(_FAILOVERS, "f")

    def bisects(self) -> list[str]:
        """Names of all searches for a first bad kernel, oldest first."""
        return self._names(_BISECTS, "b")

    def new_bisect(self) -> str:
        """A name that no search has had: b1, b2, ..."""
        return self._new_name(_BISECTS, "b")

    def _names(self, table: sa.Table, letter: str) -> list[str]:
        with self._engine.connect() as connection:
            numbers = connection.execute(sa.select(table.c.number).order_by(table.c.number))
            return [f"{letter}{number}" for number in numbers.scalars().all()]

    def _new_name(self, table: sa.Table, letter: str) -> str:
        with self._engine.begin() as connection:
            insert = table.insert().values(at=_stamp(self._clock.now())).returning(table.c.number)
            return f"{letter}{connection.execute(insert).scalar_one()}"

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except sa.exc.SQLAlchemyError as error:
            raise _silent(error) from error

    def take_lease(self, name: str, me: Holder) -> None:
        """Become the one controller of `name`. Raises Refused while another one lives.

        A holder on this machine whose process has ended is replaced at once; one elsewhere when it has been silent
        for LEASE_SECONDS, by the clock of this controller.
        """
        now = SystemClock().now()  # a lease is about real processes, also when a rehearsal's clock runs fast
        mine = {
            "machine": me.machine,
            "pid": me.pid,
            "started": me.started,
            "holder": me.holder,
            "beat": _stamp(now),
        }
        with self._transaction() as connection:
            row = (
                connection.execute(sa.select(_LEASES).where(_LEASES.c.name == name)).mappings().one_or_none()
            )
            if row is None:
                try:
                    connection.execute(_LEASES.insert().values(name=name, **mine))
                except sa.exc.IntegrityError:
                    raise _held(name, "another controller that came first") from None
                return
            holder = _holder(row)
            silent = now - datetime.fromisoformat(row["beat"])
            if (
                holder.holder != me.holder
                and not holder.is_gone()
                and silent < timedelta(seconds=LEASE_SECONDS)
            ):
                raise _held(name, f"process {holder.pid} on {holder.machine.split()[0]}")
            # Comparing the beat makes this an atomic exchange: of two that saw the same stale row one wins.
            changed = connection.execute(
                _LEASES.update().where(_LEASES.c.name == name, _LEASES.c.beat == row["beat"]).values(**mine)
            )
            if changed.rowcount != 1:
                raise _held(name, "another controller that came first")

    def keep_lease(self, name: str, me: Holder) -> bool:
        """Say that this controller lives. False when somebody else has the lease now."""
        with self._transaction() as connection:
            changed = connection.execute(
                _LEASES.update()
                .where(_LEASES.c.name == name, _LEASES.c.holder == me.holder)
                .values(beat=_stamp(SystemClock().now()))
            )
        return changed.rowcount == 1

    def keep_leases(self, me: Holder) -> frozenset[str]:
        """Say for all leases of this controller that it lives, and return their names. Raises CouldNotAct."""
        mine = _LEASES.c.holder == me.holder
        with self._transaction() as connection:
            connection.execute(_LEASES.update().where(mine).values(beat=_stamp(SystemClock().now())))
            return frozenset(connection.execute(sa.select(_LEASES.c.name).where(mine)).scalars())

    def leased(self) -> frozenset[str]:
        """The names of all leases that somebody alive has. Raises CouldNotAct."""
        with self._transaction() as connection:
            rows = connection.execute(sa.select(_LEASES)).mappings().all()
        holders = {row["name"]: (_holder(row), datetime.fromisoformat(row["beat"])) for row in rows}
        gone = {holder: holder.is_gone() for holder, _ in holders.values()}
        oldest = SystemClock().now() - timedelta(seconds=LEASE_SECONDS)
        return frozenset(name for name, (who, beat) in holders.items() if beat > oldest and not gone[who])

    def drop_lease(self, name: str, me: Holder) -> None:
        """Let another controller go on."""
        with self._transaction() as connection:
            connection.execute(_LEASES.delete().where(_LEASES.c.name == name, _LEASES.c.holder == me.holder))

    def lease_holder(self, name: str) -> Holder | None:
        """Who controls `name` now, None when nobody alive does."""
        with self._engine.connect() as connection:
            row = (
                connection.execute(sa.select(_LEASES).where(_LEASES.c.name == name)).mappings().one_or_none()
            )
        if row is None:
            return None
        holder = _holder(row)
        silent = SystemClock().now() - datetime.fromisoformat(row["beat"])
        return None if holder.is_gone() or silent >= timedelta(seconds=LEASE_SECONDS) else holder


# The word for appending, among the advisory locks of the database.
_APPEND_LOCK = 0x5EA7


def _has_come(connection: sa.Connection, unless: Unless) -> bool:
    come = (_EVENTS.c.seq > unless.after) & _EVENTS.c.kind.in_(sorted(map(str, unless.kinds)))
    if unless.rollout is not None:
        come &= _EVENTS.c.rollout == unless.rollout
    return connection.execute(sa.select(_EVENTS.c.seq).where(come).limit(1)).first() is not None


def _check(connection: sa.Connection, fence: Fence) -> None:
    """Raises Refused unless all of its leases are held; they stay so until the end of the transaction."""
    mine = _LEASES.c.name.in_(fence.leases) & (_LEASES.c.holder == fence.holder.holder)
    held = set(
        connection.execute(
            sa.select(_LEASES.c.name).where(mine).order_by(_LEASES.c.name).with_for_update()
        ).scalars()
    )
    if lost := [name for name in fence.leases if name not in held]:
        raise Refused(
            f"the lease of {lost[0]} has gone to another controller",
            hint="it goes on there; this one lets go of it",
        )


def _holder(row: sa.RowMapping) -> Holder:
    return Holder(holder=row["holder"], machine=row["machine"], pid=row["pid"], started=row["started"])


def _silent(error: Exception) -> CouldNotAct:
    return CouldNotAct(
        f"the journal does not answer: {_short(error)}",
        hint="nothing goes on without the journal: make room or bring the database back, then seatrial rollout resume",
    )


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


def _held(name: str, who: str) -> Refused:
    if name.startswith(FAILOVER_LEASE):
        return Refused(
            f"a failover of {name.removeprefix(FAILOVER_LEASE)} has a controller already: {who}",
            hint="it may be taken over when that process has ended: seatrial failover GROUP --resume",
        )
    return Refused(
        f"rollout {name} has a controller already: {who}",
        hint=f"watch it with: seatrial rollout status {name}; it may be taken over when that process has ended",
    )


def _settle_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # FULL: an event that was followed by an act must be there after a power cut.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA busy_timeout=30000")
    cursor.close()


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def _short(error: BaseException) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0][:200]


def _machine_boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _process_started(pid: int) -> str:
    """Clock ticks since boot at which `pid` started, "" when there is no such process (a zombie is none)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]
