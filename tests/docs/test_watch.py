"""The page of the watch has every metric and every event that there is, as the code says them."""

from __future__ import annotations

import re
from pathlib import Path

from seatrial.report.figures import METRICS

from .pages import ROOT

PAGE = ROOT / "docs" / "watch.md"


def test_every_metric_is_in_the_table_as_it_is_exposed() -> None:
    rows = re.findall(
        r"^\| `(seatrial_\w+)` \| (\w+) \| ([^|]*) \| ([^|]*) \| (.+) \|$", PAGE.read_text(), re.MULTILINE
    )
    there = [(name, kind, labels.strip(), only.strip(), says) for name, kind, labels, only, says in rows]
    assert there == [(one.name, one.kind, one.labels, one.only, one.says) for one in METRICS]


def test_every_event_is_on_the_page() -> None:
    sources = ("report/watched.py", "cli/watch.py")
    text = "".join(Path(ROOT / "src" / "seatrial" / name).read_text() for name in sources)
    events = set(re.findall(r'event="([a-z.-]+)"', text))
    assert len(events) > 8
    assert [event for event in sorted(events) if f"`{event}`" not in PAGE.read_text()] == []
