"""How states and outcomes are shown: a word, a mark and a tone, so that colour is never the only sign."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from seatrial.model.text import safe
from seatrial.model.trial import State
from seatrial.report.narrate import Line

# Tones are classes of the style sheet: rest, busy, good, warn, bad.
STATES: Mapping[State, tuple[str, str]] = MappingProxyType(
    {
        State.PLANNED: ("○", "rest"),
        State.PREFLIGHT: ("●", "busy"),
        State.DRAINED: ("●", "busy"),
        State.ARMED: ("●", "busy"),
        State.REBOOTING: ("↻", "busy"),
        State.ON_TRIAL: ("●", "busy"),
        State.EXERCISED: ("●", "busy"),
        State.SOAKING: ("●", "busy"),
        State.BLESSED: ("✓", "good"),
        State.REVERTING: ("↺", "warn"),
        State.REVERTED: ("✗", "bad"),
        State.REFUSED: ("–", "warn"),
        State.UNDONE: ("–", "warn"),
        State.STUCK: ("!", "bad"),
    }
)
OUTCOMES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "blessed": ("✓", "good"),
        "reverted": ("✗", "bad"),
        "refused": ("–", "warn"),
        "undone": ("–", "warn"),
        "aborted": ("–", "warn"),
        "stuck": ("!", "bad"),
        "moved": ("✓", "good"),
        "back": ("✗", "bad"),
    }
)
MARKS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "ok": ("✓", "good"),
        "pass": ("✓", "good"),
        "FAIL": ("✗", "bad"),
        "fail": ("✗", "bad"),
        "UNKNOWN": ("?", "warn"),
        "unknown": ("?", "warn"),
        "skip": ("–", "rest"),
        "skipped": ("–", "rest"),
    }
)


def state_shown(state: State) -> dict[str, str]:
    """A trial's state: word, mark, tone."""
    mark, tone = STATES[state]
    return {"word": "waiting" if state is State.PLANNED else str(state), "mark": mark, "tone": tone}


def outcome_shown(outcome: str, otherwise: str = "running") -> dict[str, str]:
    """An outcome, "" while it runs: word, mark, tone."""
    mark, tone = OUTCOMES.get(outcome, ("●", "busy"))
    return {"word": safe(outcome) or otherwise, "mark": mark, "tone": tone}


def mark_shown(mark: str) -> dict[str, str]:
    """The mark of a line or of a Result: word, mark, tone."""
    sign, tone = MARKS.get(mark, ("", "rest"))
    return {"word": safe(mark), "mark": sign, "tone": tone}


def moment(at: datetime | None) -> str | None:
    """RFC 3339 in UTC, as everything that programs read."""
    return None if at is None else at.isoformat(timespec="seconds").replace("+00:00", "Z")


def plain(value: Any) -> str:
    """Text from anywhere, with what could hide or reorder it made visible."""
    return safe(value)


def line_shown(line: Line, name: str = "", place: int = 0) -> dict[str, Any]:
    """A line of the story; `name` is what it belongs to, `place` its Event's."""
    return {
        "at": moment(line.at),
        "of": plain(name),
        "host": plain(line.host),
        "step": plain(line.step.strip()),
        "text": plain(line.text),
        "mark": mark_shown(line.mark),
        "seconds": line.seconds,
        "detail": [plain(one) for one in line.detail],
        "seq": place,
    }
