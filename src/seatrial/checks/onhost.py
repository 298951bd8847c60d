"""The scripts that checks send to a vantage on stdin, as bytes. What is not in: running them."""

from __future__ import annotations

from functools import cache

from seatrial.ha.scripts import script as text_of


@cache
def script(name: str) -> bytes:
    """One self-contained script in Python."""
    return text_of(f"{name}.py").encode()


@cache
def shell(name: str) -> bytes:
    """One script for sh, as it is."""
    return text_of(f"{name}.sh").encode()
