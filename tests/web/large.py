"""A large journal, made of what a rehearsal of a few hosts wrote, told again for as many hosts and rollouts as are wanted."""

from __future__ import annotations

import functools
import itertools
import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tools.make_fleet import text as fleet_text

from seatrial.engine.rehearse import rehearse
from seatrial.fleetfile import parse
from seatrial.journal.store import Journal
from seatrial.model.event import Event, Kind
from seatrial.model.rehearsed import RehearsedFault, RehearsedFaults

BEGAN = datetime(2026, 1, 5, 9, tzinfo=UTC)
# Every host of the rehearsal is one template; one in a hundred of them goes wrong.
TEMPLATES = 100
Row = tuple[str, str, str, str, str, str]


@functools.cache
def rehearsed() -> tuple[list[Event], dict[str, list[Event]]]:
    """What a rehearsal of a hundred hosts wrote: what is of no host, and the Events of each host."""
    fleet = parse(fleet_text(TEMPLATES, 2), filename="templates")
    faults = RehearsedFaults(
        seed=7,
        faults=(
            RehearsedFault(kind="answers-lost", percent=1.0),
            RehearsedFault(kind="panic", percent=1.0),
        ),
    )
    done = rehearse(fleet, faults, begin=BEGAN)
    by_host: dict[str, list[Event]] = defaultdict(list)
    for event in done.events:
        by_host[event.host].append(event)
    return by_host.pop(""), by_host


def rows(
    hosts: int, name: str, begin: datetime, *, share: float, candidate: str, text: str, step: float = 20.0
) -> Iterator[Row]:
    """The Events of one rollout, of which `share` of the hosts are through; ten of the others are on trial."""
    general, templates = rehearsed()
    kinds = list(templates.values())
    names = [f"h{number:05d}" for number in range(1, hosts + 1)]
    first = {
        "candidate": candidate,
        "hosts": names,
        "roles": {host: ["cache"] for host in names},
        "fleet": text,
        "why": "security update",
    }
    at = begin

    def row(event: Event, host: str, data: dict[str, Any] | None = None) -> Row:
        said = json.dumps(data or dict(event.data), ensure_ascii=False, separators=(",", ":"))
        old = event.host
        return (_stamp(at), event.kind, name, host, event.by, said.replace(old, host) if old else said)

    for event in general:
        if event.kind == Kind.ROLLOUT_STARTED:
            yield row(event, "", first)
        elif event.kind == Kind.GATE_OPENED:
            yield row(event, "")
    through = int(hosts * share)
    # Side by side, as they run: fifty hosts at once, so that the Events of one are far from each other.
    for block in range(0, through, 50):
        told = [
            [(event, host) for event in kinds[place % len(kinds)]]
            for place, host in enumerate(names[block : min(block + 50, through)], start=block)
        ]
        for pair in itertools.chain(*itertools.zip_longest(*told)):
            if pair is not None:
                event, host = pair
                at += timedelta(seconds=step / 50)
                yield row(event, host)
    for place, host in enumerate(names[through : through + 10]):
        for event in kinds[place][: 10 + place]:
            at += timedelta(seconds=step / 50)
            yield row(event, host)
    if share >= 1.0:
        ended = next(event for event in general if event.kind == Kind.ROLLOUT_ENDED)
        yield row(ended, "")


def large(path: Path, *, hosts: int, events: int) -> int:
    """Write such a journal: rollouts of all hosts one after another, the last one under way. The number of Events."""
    store = Journal(f"sqlite:///{path}")
    general, templates = rehearsed()
    each = len(general) + sum(map(len, templates.values())) * hosts / TEMPLATES
    whole, part = divmod(events / each, 1.0)
    text = fleet_text(hosts, max(2, hosts // 50))
    begin = BEGAN
    plan = [1.0] * int(whole) + [max(part, 0.02)]
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous=OFF")
    for number, share in enumerate(plan, start=1):
        name = store.new_rollout()
        wanted = rows(hosts, name, begin, share=share, candidate=f"6.1.0-{55 + number}-amd64", text=text)
        with connection:
            connection.executemany(
                'INSERT INTO events (at, kind, rollout, host, "by", data) VALUES (?, ?, ?, ?, ?, ?)', wanted
            )
        begin += timedelta(days=30)
    (number_of,) = connection.execute("SELECT max(seq) FROM events").fetchone()
    connection.close()
    store.close()
    return int(number_of)


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")


def copied(path: Path, url: str) -> None:
    """The same journal in a PostgreSQL."""
    import psycopg

    Journal(url).close()
    connection = sqlite3.connect(path)
    with psycopg.connect(url.replace("+psycopg", "")) as there, there.cursor() as cursor:
        (rollouts,) = connection.execute("SELECT count(*) FROM rollouts").fetchone()
        cursor.execute(
            "INSERT INTO rollouts (at) SELECT '2026-01-01' FROM generate_series(1, %s)", (rollouts,)
        )
        with cursor.copy('COPY events (seq, at, kind, rollout, host, "by", data) FROM STDIN') as copy:
            for row in connection.execute('SELECT seq, at, kind, rollout, host, "by", data FROM events'):
                copy.write_row(row)
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence('events', 'seq'), (SELECT max(seq) FROM events))"
        )
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as there:
        there.execute("ANALYZE events")
    connection.close()
