"""The tables of the journal. What is in: their columns, and how a time is written in them. What is not: any query."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa

METADATA = sa.MetaData()
EVENTS = sa.Table(
    "events",
    METADATA,
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
BY_HOST = sa.Index("ix_events_rollout_host", EVENTS.c.rollout, EVENTS.c.host, EVENTS.c.seq)


def _numbered(name: str) -> sa.Table:
    """Each row is a number that is given once."""
    return sa.Table(
        name,
        METADATA,
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", sa.String(32), nullable=False),
    )


ROLLOUTS, FAILOVERS, BISECTS = map(_numbered, ("rollouts", "failovers", "bisects"))
LEASES = sa.Table(
    "leases",
    METADATA,
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("holder", sa.String(64), nullable=False),
    sa.Column("machine", sa.String(200), nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("started", sa.String(64), nullable=False),
    sa.Column("beat", sa.String(32), nullable=False),
)


def stamp(at: datetime) -> str:
    """A time as it is kept: RFC 3339, UTC, milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def short(error: BaseException) -> str:
    """What a database said, in one line."""
    return str(getattr(error, "orig", None) or error).splitlines()[0][:200]
