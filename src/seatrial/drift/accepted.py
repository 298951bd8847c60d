"""Findings that somebody lives with: marked with who and why, and back again when their day is over."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from fnmatch import fnmatchcase

from seatrial.drift.questions import all_names
from seatrial.errors import InputError
from seatrial.model.finding import Audit, Finding
from seatrial.model.fleet import Accepted


def check_names(accepted: Iterable[Accepted]) -> None:
    """Raises InputError for one that names no finding: it would accept nothing, and nobody would notice."""
    known = all_names()
    for one in accepted:
        if one.finding not in known:
            near = difflib.get_close_matches(one.finding, known, n=1)
            meant = f"did you mean {near[0]}? " if near else ""
            raise InputError(
                f"accepted: there is no finding {one.finding!r}",
                hint=f"{meant}docs/drift.md lists all of them",
            )


def with_accepted(audit: Audit, accepted: Sequence[Accepted], today: date) -> Audit:
    """The audit with what was accepted marked so; an acceptance that is over says so in the finding."""
    return replace(audit, findings=tuple(_marked(found, accepted, today) for found in audit.findings))


def _marked(found: Finding, accepted: Sequence[Accepted], today: date) -> Finding:
    fitting = [one for one in accepted if _fits(found, one)]
    valid = next(
        (one for one in fitting if one.until is None or today <= date.fromisoformat(one.until)), None
    )
    if valid is not None:
        until = f" until {valid.until}" if valid.until else ""
        return replace(found, accepted=f"{valid.who}{until}: {valid.why}")
    if fitting:
        over = fitting[0]
        return replace(
            found, because=f"{found.because} ({over.who} accepted it until {over.until}: {over.why})"
        )
    return found


def _fits(found: Finding, one: Accepted) -> bool:
    return (
        found.name == one.finding
        and one.host in (None, found.host)
        and (one.what is None or fnmatchcase(found.what, one.what))
    )
