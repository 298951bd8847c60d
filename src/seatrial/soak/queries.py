"""What a Prometheus answers to a policy's query, as series: one for each label set.

What is in: reading the whole answer of onhost/prometheus.py. What is not in: asking (perform/queried.py).
"""

from __future__ import annotations

import json
import re

from seatrial.soak.readings import number_of

Rows = list[tuple[float, ...]]
# The script tells of no more: what gives a series for each client of thousands is no question about a host.
MOST_SERIES = 50
_LONGEST_NAME = 300


def read_query(name: str, text: str, *, called: str, ends: float) -> tuple[dict[str, Rows], str]:
    """Series `promql.NAME{labels}` with rows (t, value), and what went wrong ("" if nothing).

    `called` is what the host is called in the query: in labels it is `$host`, so that the series of two hosts have one
    name. `ends` is when it was asked, in seconds since 1970. What the server had no sample of has no row.
    """
    try:
        said = json.loads(text)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        return {}, "the answer is not understood"
    if said.get("error") or said.get("status") != 200:
        return {}, str(said.get("error") or f"HTTP {said.get('status')}")
    told, count = said.get("series"), number_of(said.get("count"))
    if not isinstance(told, list) or count is None:
        return {}, f"it gives {str(said.get('type'))[:40]}, not one number for each series"
    if count > MOST_SERIES:
        return {}, f"it gives {count:.0f} series, more than {MOST_SERIES}: sum some of them"
    series: dict[str, Rows] = {}
    for one in told:
        if not isinstance(one, dict) or not isinstance(one.get("labels"), dict):
            return {}, "the answer is not understood"
        key = _name(name, one["labels"], called)
        if key in series:
            return {}, f"two of its series have the same labels but for the host: {key}"
        if rows := list(_rows(one.get("values"), ends)):
            series[key] = rows
    return series, "" if series else "there is no series of it, or none with numbers"


def _name(name: str, labels: dict[str, object], called: str) -> str:
    host = re.compile(rf"(?<![\w.-]){re.escape(called)}(?![\w-])")
    inner = ",".join(f'{key}="{host.sub("$host", str(labels[key]))}"' for key in sorted(labels))
    return f"promql.{name}{{{inner}}}"[:_LONGEST_NAME] if inner else f"promql.{name}"


def _rows(values: object, ends: float) -> list[tuple[float, ...]]:
    found: list[tuple[float, ...]] = []
    for row in values if isinstance(values, list) else ():
        numbers = [number_of(one) for one in row] if isinstance(row, list) and len(row) == 2 else []
        if len(numbers) == 2 and numbers[0] is not None and numbers[1] is not None:
            found.append((round(ends + numbers[0], 3), numbers[1]))
    return found
