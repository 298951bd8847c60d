"""What the checks by a client library share: the Command with the Python that has it, and why there is no answer.

What is not in: which library, and what its answer means.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from seatrial.checks.onhost import script
from seatrial.checks.reading import Said, Small, Words
from seatrial.model.command import Command


class Told(Said):
    """What every script by a client library may say."""

    error: Words = ""
    missing: Words = ""
    config: bool = False
    status: Small = 0
    seconds: float = 0.0


def library_command(
    name: str, text: str, spec: Mapping[str, Any], *, python: str | None, timeout: float
) -> Command:
    """The script `text` with its SPEC. Client libraries load slowly, so it may take longer than the question."""
    return Command(
        name=name,
        argv=(python or "python3", "-", json.dumps({**spec, "timeout": timeout}, separators=(",", ":"))),
        stdin=script(text),
        timeout=timeout + 20.0,
        limit=4 * 1024 * 1024,
        package="python3",
    )


def no_list(told: Told, place: str, of: str, package: str) -> tuple[str, str] | None:
    """Why the library gave no list `of` something, and what to do; None when it did."""
    if told.missing:
        hint = f"apt install {package}, or name a Python that has it with python:"
        return f"{place} has no Python library {told.missing}", hint
    if not told.error:
        return None
    because = f"{of} does not answer: {told.error}"
    if told.config:
        return because, f"look at the configuration on {place}"
    if told.status in (401, 403):
        return because, f"the login of {place} may not ask this"
    return because, f"look whether its API is reached from {place}"
