"""The scripts that this room sends to hosts, as bytes. What is not in: running them."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def script(name: str) -> str:
    """One text of the onhost folder as it is."""
    return (resources.files("seatrial") / "onhost" / name).read_text(encoding="utf-8")
