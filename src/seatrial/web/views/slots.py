"""Hosts that reboot by themselves: who has a slot since when, who is back and not proven, and why others have none."""

from __future__ import annotations

from typing import Any

from seatrial.model.slots import Slot
from seatrial.web.following import Following
from seatrial.web.views.words import moment, plain

MOST = 25


def slots(following: Following) -> dict[str, Any] | None:
    """The slots that are taken and the last no to each host that has none; None where nobody has ever asked."""
    away = following.away
    if not away.last:
        return None
    # Who waits for a person stands first.
    taken = sorted(away.slots.values(), key=lambda slot: (not slot.because, slot.wished is None, slot.at))
    return {
        "taken": [_slot(one) for one in taken[:MOST]],
        "more_taken": max(len(taken) - MOST, 0),
        "refused": [
            {"host": plain(host), "because": plain(because)}
            for host, because in list(away.refused.items())[:MOST]
        ],
        "more_refused": max(len(away.refused) - MOST, 0),
    }


def _slot(slot: Slot) -> dict[str, Any]:
    word, mark, tone = "away", "↻", "busy"
    if slot.wished is not None:
        word, mark, tone = ("not proven", "!", "bad") if slot.because else ("being proven", "●", "busy")
    return {
        "host": plain(slot.host),
        "group": plain(slot.group),
        "since": moment(slot.at),
        "back": moment(slot.wished),
        "state": {"word": word, "mark": mark, "tone": tone},
        "because": plain(slot.because),
    }
