"""How long may an answer take? Several are asked for, since one slow answer says nothing, and the median counts.

What is not in: the asking.
"""

from __future__ import annotations

from collections.abc import Sequence

TIMES = 5


def times(max_ms: float | None) -> int:
    """How often a question is asked so that its time can be judged."""
    return 1 if max_ms is None else TIMES


def median(values: Sequence[float]) -> float | None:
    """The one in the middle; None of nothing."""
    return sorted(values)[len(values) // 2] if values else None


def slow(milliseconds: float | None, max_ms: float | None) -> str:
    """Why a time is too long, as the end of a sentence; nothing when it is not."""
    if max_ms is None or milliseconds is None or milliseconds <= max_ms:
        return ""
    return f", but only after {milliseconds:.3g} ms (median), more than {max_ms:g} ms"
