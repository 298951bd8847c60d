"""How values are said to people: durations, and text from outside made harmless. Pure."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """A duration as people say it: 4 s, 1 m 52 s, 2 h 05 m."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02d} s" if whole % 60 else f"{whole // 60} m"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} m"


def safe(text: object) -> str:
    """Text from anywhere with what could move a terminal's cursor made visible."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(text))
