"""Samples as they are recorded: the CSV of `seatrial soak judge`, and the Series that it becomes.

What is in: the format of values, that of counts, and what is wrong with a file. What is not in: reading files, and
what is wrong with a single series of a readable file (faults.py).
"""

from __future__ import annotations

import csv
import io
import itertools
import operator
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from seatrial.errors import InputError
from seatrial.soak.memory import Floats

VALUES = ("series", "arm", "t", "value")
WORK = (*VALUES, "work")
COUNTS = ("series", "arm", "t", "failed", "sent")
ARMS = ("good", "candidate")
# Small enough to stay in a processor's cache, which made reading a third faster than 100,000.
_PIECE = 2_000
# Files whose arms alternate are sorted first: runs shorter than this cost more than that.
_MIXED = 8
_KEY = operator.itemgetter(0, 1)
_COMMAS = operator.methodcaller("count", ",")
_PLAIN = re.compile(r"[0-9.eE+,-]+")
HINT = (
    "the header is series,arm,t,value (a column work, the rate of work, may follow) or series,arm,t,failed,sent; "
    "arm is good or candidate, t is in seconds, more is worse"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One side of a series, in the order of the file; each array is (n). `t` in seconds, `work` in anything a second."""

    t: Floats
    value: Floats
    work: Floats | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CountArm:
    """One side of a series of counts: what was sent since the sample before, and what of it failed. Each array is (n)."""

    t: Floats
    failed: Floats
    sent: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One metric on both sides. More is worse."""

    name: str
    good: Arm
    candidate: Arm


@dataclass(frozen=True, slots=True, kw_only=True)
class CountSeries:
    """Failures of what was sent, on both sides."""

    name: str
    good: CountArm
    candidate: CountArm


def read(data: bytes, *, filename: str) -> list[Series] | list[CountSeries]:
    """The series of a CSV file, in the order in which they begin. Raises InputError with the line."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{filename}:{line}: that is not UTF-8", hint=HINT) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError(f"{filename}:{line}: there is a zero byte, so it is no CSV", hint=HINT)
    rows = csv.reader(io.StringIO(text, newline=""))
    header = _header(rows, filename)
    try:
        columns = _plain_columns(text, header) or _columns(rows, header, filename)
    except csv.Error as error:
        raise InputError(f"{filename}:{rows.line_num}: {error}", hint=HINT) from error
    if not columns:
        raise InputError(f"{filename} has a header and no samples", hint=HINT)
    arms = {key: [np.concatenate(pieces) for pieces in held] for key, held in columns.items()}
    empty = [np.empty(0) for _ in header[2:]]
    names = dict.fromkeys(name for name, _ in arms)
    sides = {name: [arms.get((name, arm), empty) for arm in ARMS] for name in names}
    if header == COUNTS:
        return [
            CountSeries(name=name, good=_counts(good), candidate=_counts(candidate))
            for name, (good, candidate) in sides.items()
        ]
    return [
        Series(name=name, good=_values(good), candidate=_values(candidate))
        for name, (good, candidate) in sides.items()
    ]


def _header(rows: Iterator[list[str]], filename: str) -> tuple[str, ...]:
    try:
        header = tuple(name.strip() for name in next(rows, []))
    except csv.Error as error:
        raise InputError(f"{filename}:1: {error}", hint=HINT) from error
    if not header:
        raise InputError(f"{filename} is empty", hint=HINT)
    if header not in (VALUES, WORK, COUNTS):
        twice = sorted({name for name in header if header.count(name) > 1})
        said = f"the column {twice[0]} is there twice" if twice else f"the header is {','.join(header)[:200]}"
        raise InputError(f"{filename}:1: {said}", hint=HINT)
    return header


def _plain_columns(text: str, header: tuple[str, ...]) -> dict[tuple[str, str], list[list[Floats]]] | None:
    """What `_columns` would give, for a third of the time: of files without quotes, with long runs of one arm.

    None for any file that is not plain to the last letter: then it is read with care, and what is wrong is named.
    """
    if '"' in text or "\r" in text:
        return None
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    found: dict[tuple[str, str], list[list[Floats]]] = {}
    commas = {len(header) - 3}
    at = 1
    while at < len(lines):
        name, _, rest = lines[at].partition(",")
        arm, _, _ = rest.partition(",")
        prefix = f"{name},{arm},"
        run = list(itertools.takewhile(operator.methodcaller("startswith", prefix), lines[at : at + _PIECE]))
        numbers = [line[len(prefix) :] for line in run]
        if (
            (len(run) < _MIXED and (name, arm) not in found)
            or arm not in ARMS
            or not name.strip()
            or set(map(_COMMAS, numbers)) != commas
        ):
            return None
        table = _plain_numbers(",".join(numbers))
        if table is None or len(table) != len(run) * (len(header) - 2):
            return None
        held = found.setdefault((name, arm), [[] for _ in header[2:]])
        for column, part in zip(held, table.reshape(len(run), -1).T, strict=True):
            column.append(part)
        at += len(run)
    return found


def _plain_numbers(text: str) -> Floats | None:
    """Numbers between commas as `float` has them, or None if one is anything but digits, a point and an exponent."""
    if not _PLAIN.fullmatch(text):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return np.fromstring(text, dtype=np.float64, sep=",")
        except (DeprecationWarning, ValueError):
            return None


def _columns(
    rows: Iterator[list[str]], header: tuple[str, ...], filename: str
) -> dict[tuple[str, str], list[list[Floats]]]:
    """For each series and arm, and for each column after the second: its numbers, in pieces."""
    found: dict[tuple[str, str], list[list[Floats]]] = {}
    line = 2
    # Whole columns at a time, since a large file has millions of samples; sorting keeps the order within an arm.
    while piece := list(itertools.islice(rows, _PIECE)):
        kept = _whole(piece, header, filename, line)
        groups = [(key, list(group)) for key, group in itertools.groupby(kept, key=_KEY)]
        for key in dict.fromkeys(key for key, _ in groups):
            if key not in found:
                _check_key(key, header, piece, filename, line)
                found[key] = [[] for _ in header[2:]]
        if _MIXED * len(groups) > len(kept):
            kept.sort(key=_KEY)
            groups = [(key, list(group)) for key, group in itertools.groupby(kept, key=_KEY)]
        for key, group in groups:
            texts = list(zip(*group, strict=True))[2:]
            for name, column, held in zip(header[2:], texts, found[key], strict=True):
                held.append(_numbers(column, name, (key, header, piece, filename, line)))
        line += len(piece)
    return found


def _whole(piece: list[list[str]], header: tuple[str, ...], filename: str, line: int) -> list[list[str]]:
    """The rows without the empty lines. Raises InputError for the first that has another number of columns."""
    if set(map(len, piece)) == {len(header)}:
        return piece.copy()
    for number, row in enumerate(piece):
        if row and len(row) != len(header):
            raise InputError(f"{filename}:{line + number}: {len(row)} columns, not {len(header)}", hint=HINT)
    return [row for row in piece if row]


def _check_key(
    key: tuple[str, str], header: tuple[str, ...], piece: list[list[str]], filename: str, line: int
) -> None:
    name, arm = key
    if arm in ARMS and name.strip():
        return
    at = next(number for number, row in enumerate(piece) if tuple(row[:2]) == key)
    where = f"{filename}:{line + at}"
    if tuple(piece[at]) == header:
        raise InputError(
            f"{where}: the header is there a second time", hint="join files without their headers"
        )
    if arm not in ARMS:
        raise InputError(f"{where}: the arm is {arm[:40]!r}", hint="arm is good or candidate")
    raise InputError(f"{where}: the series has no name", hint=HINT)


def _numbers(
    texts: Sequence[str],
    name: str,
    place: tuple[tuple[str, str], tuple[str, ...], list[list[str]], str, int],
) -> Floats:
    try:
        return np.fromiter(map(float, texts), dtype=np.float64, count=len(texts))
    except ValueError as error:
        key, header, piece, filename, line = place
        column = header.index(name)
        for number, row in enumerate(piece):
            if tuple(row[:2]) == key and not _is_number(row[column]):
                said = f"{filename}:{line + number}: {name} is {row[column][:40]!r}, which is no number"
                raise InputError(said, hint=HINT) from error
        raise


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _values(columns: list[Floats]) -> Arm:
    return Arm(t=columns[0], value=columns[1], work=columns[2] if len(columns) > 2 else None)


def _counts(columns: list[Floats]) -> CountArm:
    return CountArm(t=columns[0], failed=columns[1], sent=columns[2])
