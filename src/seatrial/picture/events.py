"""Events of a person's own for the time line: `t,text` as CSV, or JSON lines of `{"t": ..., "text": ...}`. Pure.

t is in seconds on the samples' clock, or a time such as 2017-06-29T18:45:00Z where that clock is the time of day.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime

from seatrial.errors import InputError
from seatrial.picture.values import Clock, Mark

HINT = 'lines such as 3600,failover with a header t,text, or {"t": 3600, "text": "failover"}'
# More signs than that nobody tells apart.
MOST = 200
LONGEST = 200


def read(data: bytes, *, filename: str) -> list[Mark]:
    """The events of a file, in the order of time. Raises InputError with the line."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{filename}:{line}: that is not UTF-8", hint=HINT) from error
    is_json = text.lstrip().startswith("{")
    rows = _of_json(text, filename) if is_json else _of_csv(text, filename)
    marks = [
        Mark(t=_seconds(t, f"{filename}:{line}"), text=_words(said, f"{filename}:{line}"))
        for line, t, said in rows
    ]
    if len(marks) > MOST:
        raise InputError(
            f"{filename} has {len(marks)} events, more than {MOST}", hint="keep the ones that matter"
        )
    return sorted(marks, key=lambda mark: mark.t)


def within(marks: list[Mark], begin: float, end: float, clock: Clock, *, filename: str) -> list[Mark]:
    """The events, if they are on the clock of the samples. Raises InputError for one that is far away."""
    for mark in marks:
        if not begin - (end - begin) <= mark.t <= end + (end - begin):
            raise InputError(
                f"{filename}: the event {mark.text[:40]!r} at {mark.t:.12g} is far from the samples,"
                f" which go from {begin:.12g} to {end:.12g}",
                hint="t is in seconds on the samples' clock"
                + (" or a time such as 2017-06-29T18:45:00Z" if clock is Clock.UTC else ""),
            )
    return marks


def _of_csv(text: str, filename: str) -> Iterator[tuple[int, object, object]]:
    rows = csv.reader(io.StringIO(text, newline=""))
    try:
        header = [name.strip() for name in next(rows, [])]
        if header != ["t", "text"]:
            raise InputError(f"{filename}:1: the header is {','.join(header)[:80]}", hint=HINT)
        for row in rows:
            if not row:
                continue
            if len(row) != 2:
                raise InputError(f"{filename}:{rows.line_num}: {len(row)} columns, not 2", hint=HINT)
            yield rows.line_num, row[0], row[1]
    except csv.Error as error:
        raise InputError(f"{filename}:{rows.line_num}: {error}", hint=HINT) from error


def _of_json(text: str, filename: str) -> Iterator[tuple[int, object, object]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{filename}:{number}: that is no JSON", hint=HINT) from error
        if not isinstance(found, dict) or "t" not in found or "text" not in found:
            raise InputError(f"{filename}:{number}: there is no t or no text", hint=HINT)
        yield number, found["t"], found["text"]


def _seconds(t: object, where: str) -> float:
    seconds = math.nan
    if isinstance(t, int | float | str) and not isinstance(t, bool):
        try:
            seconds = float(t)
        except (ValueError, OverflowError):
            seconds = _since_1970(str(t))
    if not math.isfinite(seconds):
        raise InputError(f"{where}: t is {str(t)[:40]!r}, which is no moment", hint=HINT)
    return seconds


def _since_1970(text: str) -> float:
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        return math.nan
    # A time without a zone is UTC, as all times of Seatrial are.
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _words(text: object, where: str) -> str:
    if not isinstance(text, str) or not text.strip():
        raise InputError(f"{where}: an event needs a text", hint=HINT)
    return text.strip()[:LONGEST]
