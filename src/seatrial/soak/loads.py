"""What a load says of its own work, as series: how long each operation took, with how often it was done as work.

What is in: reading the lines of onhost/load.py and onhost/flowload.py. What is not in: making load.
"""

from __future__ import annotations

import json
import re

from seatrial.soak.readings import number_of

Rows = list[tuple[float, ...]]
_OPERATION = re.compile(r"[a-z]{1,20}\Z")
MOST_LINES = 1000


def read_load(name: str, text: str, *, at: float) -> tuple[dict[str, Rows], str]:
    """Series `load.NAME.OPERATION` with rows (t, ms in the mean, how often a second), and what went wrong ("" if nothing).

    `load.NAME.failed` has what could not be done of all that was tried, as rows (t, failed, tried). `at` is when the load began, in seconds since 1970; its own clock is only compared with itself. Seconds in which
    nothing was done have no row: a gap is no zero.
    """
    series: dict[str, Rows] = {}
    began: float | None = None
    last: float | None = None
    problem = ""
    for line in text.splitlines()[:MOST_LINES]:
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if not isinstance(said, dict):
            continue
        problem = problem or str(said.get("problem") or "")[:200]
        t, done = number_of(said.get("t")), said.get("done")
        if t is None or not isinstance(done, dict) or (last is not None and t <= last):
            continue
        # A line is said at the end of its second.
        began = t - 1.0 if began is None else began
        step = t - (t - 1.0 if last is None else last)
        last = t
        told = {str(key): row for key, row in done.items() if _OPERATION.match(str(key)) and _is_row(row)}
        when = round(at + t - began, 3)
        for operation, row in told.items():
            if row[0] > 0:
                held = series.setdefault(f"load.{name}.{operation}", [])
                held.append((when, row[1] / row[0], row[0] / step))
        tried = sum(row[0] + row[3] for row in told.values())
        if tried:
            failed = sum(row[3] for row in told.values())
            series.setdefault(f"load.{name}.failed", []).append((when, failed, tried))
    return series, problem


def _is_row(row: object) -> bool:
    if not isinstance(row, list) or len(row) != 4:
        return False
    numbers = [number_of(one) for one in row]
    return all(one is not None and one >= 0 for one in numbers)
