"""Journals for the page to show: rehearsed stories, and one whose hosts say hostile things."""

from __future__ import annotations

from pathlib import Path

from seatrial.journal.store import Journal
from seatrial.model.event import Kind
from tests.engine.rehearsed import TEXT, controlled

HOSTILE = "<script>alert(1)</script>\"'&\x1b[2J\u202e</td>{{7*7}}"


def rehearsed(folder: Path, scenario: str) -> Path:
    """The journal of a rehearsed story that has ended."""
    assert controlled(folder, scenario) == 0
    return folder / "journal.db"


def begun(path: Path, *, hosts: tuple[str, ...] = ("gw-s1", "gw-p1", "gw-p2")) -> Journal:
    """A journal with a rollout that nobody controls, by the lab's own fleet file."""
    store = Journal(f"sqlite:///{path}")
    store.append(
        Kind.ROLLOUT_STARTED,
        rollout=store.new_rollout(),
        by="test",
        data={
            "candidate": "6.1.0-56-cloud-amd64",
            "hosts": list(hosts),
            "roles": {host: ["gateway"] for host in hosts},
            "fleet": TEXT,
            "why": "security update",
        },
    )
    return store


def hostile(path: Path) -> Journal:
    """A journal in which everything that a host or a person can say is an attack."""
    store = begun(path)
    store.append(
        Kind.TRIAL_MOVED,
        rollout="r1",
        host="gw-s1",
        data={"to": "preflight", "because": HOSTILE, "hint": HOSTILE, "facts": {"good": HOSTILE}},
    )
    result = {"check": HOSTILE, "outcome": "fail", "because": HOSTILE, "hint": HOSTILE, "evidence": {}}
    store.append(
        Kind.DIAGNOSIS,
        rollout="r1",
        host="gw-s1",
        data={
            "purpose": "exercise",
            "because": HOSTILE,
            "notes": [HOSTILE],
            "suspects": [
                {
                    "components": [HOSTILE],
                    "same_evidence": [[HOSTILE]],
                    "probability": 0.5,
                    "because": HOSTILE,
                }
            ],
        },
    )
    store.append(
        Kind.RESULTS,
        rollout="r1",
        host="gw-s1",
        data={"purpose": "exercise", "boot_id": "b", "seconds": 1.0, "results": [result], "summary": HOSTILE},
    )
    store.append(Kind.NOTE, rollout="r1", by=HOSTILE, data={"text": HOSTILE})
    store.append(Kind.ROLLOUT_PAUSED, rollout="r1", by=HOSTILE, data={"why": HOSTILE})
    return store
