"""The scripts that checks send to a vantage on stdin, as bytes. What is not in: running them."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

_SHARED = re.compile(r"^from seatrial\.onhost\.(wire|rest) import \([^)]*\)\n", re.MULTILINE)


@cache
def script(name: str) -> bytes:
    """One self-contained script: where it imports what several share, the text itself is put."""
    folder = resources.files("seatrial") / "onhost"

    def read(which: str) -> str:
        return (folder / f"{which}.py").read_text(encoding="utf-8")

    return _SHARED.sub(lambda found: read(found[1]), read(name)).encode()


@cache
def shell(name: str) -> bytes:
    """One script for sh, as it is."""
    return (resources.files("seatrial") / "onhost" / f"{name}.sh").read_bytes()
