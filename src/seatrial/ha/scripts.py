"""The scripts that are sent to vantages and hosts, as texts. What is not in: running them."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

_SHARED = re.compile(r"^from seatrial\.onhost\.(\w+) import \([^)]*\)\n", re.MULTILINE)


@cache
def script(name: str) -> str:
    """One self-contained text of the onhost folder: where it imports what several share, that text itself is put."""
    text = (resources.files("seatrial") / "onhost" / name).read_text(encoding="utf-8")
    return _SHARED.sub(lambda shared: script(f"{shared.group(1)}.py"), text)
