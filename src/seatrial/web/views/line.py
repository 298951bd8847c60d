"""The journal as a time line, page by page: of one rollout, or of everything."""

from __future__ import annotations

from typing import Any

from seatrial.web.following import Following
from seatrial.web.timeline import page
from seatrial.web.views.rollout import told_of
from seatrial.web.views.words import line_shown, plain


def timeline(following: Following, name: str = "", before: int | None = None) -> dict[str, Any]:
    """Lines, oldest first, in front of the place `before`. Raises InputError and CouldNotAct."""
    if name:
        told_of(following, name)
    found = page(following.journal, name or None, before=before)
    return {
        "of": plain(name),
        "lines": [line_shown(line, of, seq) for seq, of, line in found.lines],
        "earlier": found.earlier,
        "newest": before is None,
        "problem": plain(following.problem),
        "seq": following.seq,
    }
