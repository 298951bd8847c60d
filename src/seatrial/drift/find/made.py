"""How a Finding is made here: the words in a fixed order, so that a question reads as a sentence. What is not in: any question."""

from __future__ import annotations

from seatrial.model.finding import Finding, Severity, When

DANGER, WARNING, NOTE = Severity.DANGER, Severity.WARNING, Severity.NOTE


def finding(
    name: str,
    severity: Severity,
    what: str,
    because: str,
    fix: str,
    *,
    instead: str = "",
    when: When = When.BOOT,
) -> Finding:
    """One Finding of a host that is named later."""
    return Finding(
        name=name, severity=severity, when=when, what=what, because=because, fix=fix, instead=instead
    )
