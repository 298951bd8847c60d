"""Leases in the journal's database: who controls what, for as long as he says that he lives.

What is in: taking, keeping and dropping them, and the fence that an Event is written behind. What is not: Events.
"""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from seatrial.clock import SystemClock, monotonic
from seatrial.errors import CouldNotAct, Refused
from seatrial.journal.tables import LEASES, short, stamp

LEASE_SECONDS = 30.0
# The lease of a group is named after it, so that two failovers of one group never run at once.
FAILOVER_LEASE = "failover "


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
class _Watched:
    """What this process has seen of a lease: its newest beat, since when, and whether it was seen to come."""

    beat: str
    since: float
    came: bool


class Leases:
    """The leases of a database, each with the time at which its holder said last that it lives: its beat.

    Whoever has seen a beat come counts from there on a clock that nobody sets: neither a holder whose clock was set back
    nor a reader whose clock was is taken for what it is not. At the first look there is nothing but what the clocks say.
    """

    _engine: sa.Engine

    def __init__(self) -> None:
        self._watched: dict[str, _Watched] = {}

    def _is_silent(self, row: sa.RowMapping) -> bool:
        """Whether nothing was heard of a lease's holder for LEASE_SECONDS."""
        now, seen, beat = monotonic(), self._watched.get(row["name"]), row["beat"]
        if seen is None or seen.beat != beat:
            came = seen is not None and now - seen.since < 2 * LEASE_SECONDS
            seen = self._watched[row["name"]] = _Watched(beat=beat, since=now, came=came)
        if now - seen.since >= LEASE_SECONDS:
            return True
        by_clock = SystemClock().now() - datetime.fromisoformat(beat)
        return not seen.came and by_clock >= timedelta(seconds=LEASE_SECONDS)

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
        for LEASE_SECONDS.
        """
        now = SystemClock().now()  # a lease is about real processes, also when a rehearsal's clock runs fast
        mine = {
            "machine": me.machine,
            "pid": me.pid,
            "started": me.started,
            "holder": me.holder,
            "beat": stamp(now),
        }
        with self._transaction() as connection:
            row = connection.execute(sa.select(LEASES).where(LEASES.c.name == name)).mappings().one_or_none()
            if row is None:
                try:
                    connection.execute(LEASES.insert().values(name=name, **mine))
                except sa.exc.IntegrityError:
                    raise _held(name, "another controller that came first") from None
                return
            holder = _holder(row)
            if holder.holder != me.holder and not holder.is_gone() and not self._is_silent(row):
                raise _held(name, f"process {holder.pid} on {holder.machine.split()[0]}")
            # Comparing the beat makes this an atomic exchange: of two that saw the same stale row one wins.
            changed = connection.execute(
                LEASES.update().where(LEASES.c.name == name, LEASES.c.beat == row["beat"]).values(**mine)
            )
            if changed.rowcount != 1:
                raise _held(name, "another controller that came first")

    def keep_lease(self, name: str, me: Holder) -> bool:
        """Say that this controller lives. False when somebody else has the lease now."""
        with self._transaction() as connection:
            changed = connection.execute(
                LEASES.update()
                .where(LEASES.c.name == name, LEASES.c.holder == me.holder)
                .values(beat=stamp(SystemClock().now()))
            )
        return changed.rowcount == 1

    def keep_leases(self, me: Holder) -> frozenset[str]:
        """Say for all leases of this controller that it lives, and return their names. Raises CouldNotAct."""
        mine = LEASES.c.holder == me.holder
        with self._transaction() as connection:
            connection.execute(LEASES.update().where(mine).values(beat=stamp(SystemClock().now())))
            return frozenset(connection.execute(sa.select(LEASES.c.name).where(mine)).scalars())

    def leased(self) -> frozenset[str]:
        """The names of all leases that somebody alive has. Raises CouldNotAct."""
        with self._transaction() as connection:
            rows = connection.execute(sa.select(LEASES)).mappings().all()
        holders = {row["name"]: _holder(row) for row in rows}
        gone = {holder: holder.is_gone() for holder in holders.values()}
        silent = {row["name"] for row in rows if self._is_silent(row)}
        return frozenset(name for name, who in holders.items() if name not in silent and not gone[who])

    def drop_lease(self, name: str, me: Holder) -> None:
        """Let another controller go on."""
        with self._transaction() as connection:
            connection.execute(LEASES.delete().where(LEASES.c.name == name, LEASES.c.holder == me.holder))

    def lease_holder(self, name: str) -> Holder | None:
        """Who controls `name` now, None when nobody alive does."""
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(LEASES).where(LEASES.c.name == name)).mappings().one_or_none()
        if row is None:
            return None
        holder = _holder(row)
        return None if holder.is_gone() or self._is_silent(row) else holder


def check(connection: sa.Connection, fence: Fence) -> None:
    """Raises Refused unless all of its leases are held; they stay so until the end of the transaction."""
    mine = LEASES.c.name.in_(fence.leases) & (LEASES.c.holder == fence.holder.holder)
    held = set(
        connection.execute(
            sa.select(LEASES.c.name).where(mine).order_by(LEASES.c.name).with_for_update()
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
        f"the journal does not answer: {short(error)}",
        hint="nothing goes on without the journal: make room or bring the database back, then seatrial rollout resume",
    )


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
