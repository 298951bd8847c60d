"""What the last audits found: what the next boot, restart or failover of each host would change, worst first, with the fix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from seatrial.errors import InputError
from seatrial.model.event import Event
from seatrial.model.finding import Severity
from seatrial.web.following import Following
from seatrial.web.views.words import moment, plain

AT_ONCE = 100
_TONES: Mapping[str, tuple[str, str]] = {
    "danger": ("!", "bad"),
    "warning": ("▲", "warn"),
    "note": ("i", "rest"),
}
_RANKS = {str(one): one.rank for one in Severity}


def severities(following: Following) -> dict[str, int]:
    """How many findings stand, by severity: what nobody has accepted."""
    counted: Counter[str] = Counter()
    for event in list(following.audits.values()):
        counted.update(
            str(one.get("severity")) for one in event.data.get("findings", ()) if not one.get("accepted")
        )
    return {str(one): counted[str(one)] for one in Severity}


def counted(following: Following) -> list[dict[str, Any]]:
    """The same for a page."""
    return [severity_shown(word) | {"number": number} for word, number in severities(following).items()]


def drift(following: Following, host: str = "", number: int = 1) -> dict[str, Any]:
    """A page of findings, of all hosts or of one. Raises InputError for a host that was not audited."""
    audits = dict(following.audits)
    if host and host not in audits:
        raise InputError(
            f"there is no audit of {plain(host)[:80]!r}",
            hint="seatrial drift --keep writes down what it finds",
        )
    chosen = [audits[host]] if host else list(audits.values())
    findings = sorted(
        (
            (_rank(one), event.host, position)
            for event in chosen
            for position, one in enumerate(event.data.get("findings", ()))
        ),
    )
    pages = max(1, -(-len(findings) // AT_ONCE))
    number = min(max(number, 1), pages)
    shown = findings[(number - 1) * AT_ONCE : number * AT_ONCE]
    unread = [
        (event, one) for event in chosen for one in event.data.get("unread", ()) if not one.get("skipped")
    ]
    first = min((event.at for event in chosen), default=None)
    return {
        "host": plain(host),
        "hosts": len(chosen),
        "asked": sum(int(event.data.get("asked", 0)) for event in chosen),
        "oldest": moment(first),
        "severities": [
            severity_shown(word) | {"number": sum(1 for rank, _, _ in findings if rank == at)}
            for word, at in _RANKS.items()
        ],
        "accepted": sum(1 for rank, _, _ in findings if rank == len(_RANKS)),
        "findings": [_finding(audits[name], position) for _, name, position in shown],
        "unknown": [_unread(event, one) for event, one in unread[:AT_ONCE]],
        "number_unknown": len(unread),
        "page": number,
        "pages": pages,
        "problem": plain(following.problem),
        "seq": following.seq,
    }


def severity_shown(word: str) -> dict[str, str]:
    """A severity: word, mark, tone."""
    mark, tone = _TONES.get(word, ("?", "warn"))
    return {"word": plain(word), "mark": mark, "tone": tone}


def _rank(one: Mapping[str, Any]) -> int:
    # What somebody has accepted comes behind what nobody has.
    return len(_RANKS) if one.get("accepted") else _RANKS.get(str(one.get("severity")), 0)


def _finding(event: Event, position: int) -> dict[str, Any]:
    one = event.data["findings"][position]
    return {
        "host": plain(event.host),
        "severity": severity_shown(str(one.get("severity", ""))),
        "name": plain(one.get("name", "")),
        "when": plain(one.get("when", "")),
        "what": plain(one.get("what", "")),
        "because": plain(one.get("because", "")),
        "fix": plain(one.get("fix", "")),
        "instead": plain(one.get("instead") or ""),
        "accepted": plain(one.get("accepted") or ""),
        "at": moment(event.at),
    }


def _unread(event: Event, one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "host": plain(event.host),
        "name": plain(one.get("name", "")),
        "because": plain(one.get("because", "")),
        "hint": plain(one.get("hint") or ""),
    }
