"""Findings in the formats that programs read: JSON, Prometheus and Nagios. Pure. What is not in: text, which is the command line's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seatrial.model.finding import Audit, Finding, Severity, Unread, in_order
from seatrial.model.text import safe
from seatrial.report.figures import Metric, Sample, exposed_as
from seatrial.report.formats import NAGIOS_LINE, NAGIOS_LINES, NAGIOS_TEXT, plugin_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What all audits come to. `code` is the exit code: 1 for findings as bad as was asked for, 3 for what is not known."""

    code: int
    standing: tuple[Finding, ...]
    accepted: tuple[Finding, ...]
    unknown: tuple[Unread, ...]


def answer(audits: Mapping[str, Audit], fail_on: Severity) -> Answer:
    """All findings of all hosts in order of danger, and the exit code that they mean."""
    standing = in_order(found for one in audits.values() for found in one.standing)
    accepted = in_order(found for one in audits.values() for found in one.findings if found.accepted)
    unknown = tuple(missing for one in audits.values() for missing in one.unknown)
    bad = any(found.severity.rank <= fail_on.rank for found in standing)
    return Answer(
        code=1 if bad else 3 if unknown else 0, standing=standing, accepted=accepted, unknown=unknown
    )


def as_document(audits: Mapping[str, Audit], fail_on: Severity) -> dict[str, Any]:
    """One JSON document, findings in order of danger."""
    told = answer(audits, fail_on)
    return {
        "outcome": {0: "pass", 1: "fail", 3: "unknown"}[told.code],
        "findings": [_finding(one) for one in (*told.standing, *told.accepted)],
        "unknown": [_unread(one) for one in told.unknown],
        "hosts": {
            host: {
                **one.identity,
                "asked": one.asked,
                "findings": len(one.standing),
                "restarts": list(one.restarts),
                "skipped": [_unread(missing) for missing in one.unread if missing.skipped],
            }
            for host, one in audits.items()
        },
    }


def _finding(one: Finding) -> dict[str, Any]:
    return {
        "host": one.host,
        "name": one.name,
        "severity": str(one.severity),
        "when": str(one.when),
        "what": one.what,
        "because": one.because,
        "fix": one.fix,
        "instead": one.instead or None,
        "accepted": one.accepted or None,
    }


def _unread(one: Unread) -> dict[str, Any]:
    return {"host": one.host, "name": one.name, "because": one.because, "hint": one.hint or None}


def as_kept(audit: Audit) -> dict[str, Any]:
    """An audit as the journal keeps it, for the page and its figures."""
    return {
        "findings": [_finding(one) for one in audit.findings],
        "unread": [{**_unread(one), "skipped": one.skipped} for one in audit.unread if not one.skipped],
        "asked": audit.asked,
    }


METRICS: tuple[Metric, ...] = (
    Metric(
        name="seatrial_drift_findings",
        kind="gauge",
        labels="host, severity",
        says="Findings on a host that nobody has accepted.",
    ),
    Metric(
        name="seatrial_drift_accepted",
        kind="gauge",
        labels="host",
        says="Findings on a host that somebody has accepted.",
    ),
    Metric(
        name="seatrial_drift_unknown",
        kind="gauge",
        labels="host",
        says="Questions that should have been answered and were not.",
    ),
    Metric(
        name="seatrial_drift_finding",
        kind="gauge",
        labels="host, name, severity, when",
        says="How often a finding stands on a host.",
    ),
)


def as_prometheus(audits: Mapping[str, Audit]) -> str:
    """The figures, for a textfile collector; a host without a finding has its zeroes."""
    samples: list[Sample] = []
    for host, one in audits.items():
        counted = Counter(found.severity for found in one.standing)
        for severity in Severity:
            labels = {"host": host, "severity": str(severity)}
            samples.append(("seatrial_drift_findings", labels, counted[severity]))
        samples.append(("seatrial_drift_accepted", {"host": host}, len(one.findings) - len(one.standing)))
        samples.append(("seatrial_drift_unknown", {"host": host}, len(one.unknown)))
        named = Counter((found.name, str(found.severity), str(found.when)) for found in one.standing)
        for (name, word, when), number in sorted(named.items()):
            labels = {"host": host, "name": name, "severity": word, "when": when}
            samples.append(("seatrial_drift_finding", labels, number))
    return exposed_as(METRICS, samples)


def as_nagios(audits: Mapping[str, Audit]) -> tuple[int, str]:
    """The plugin's exit status and its output: dangers are critical, warnings are warnings, notes are fine."""
    told = answer(audits, Severity.NOTE)
    worst = min((found.severity.rank for found in told.standing), default=Severity.NOTE.rank)
    code, word = {0: (2, "CRITICAL"), 1: (1, "WARNING")}.get(worst, (0, "OK"))
    if code < 2 and told.unknown:
        code, word = 3, "UNKNOWN"
    lines = [_line(found) for found in told.standing] + [f"{one.name}: {one.because}" for one in told.unknown]
    counted = Counter(found.severity for found in told.standing)
    figures = " ".join(f"{severity}={counted[severity]}" for severity in Severity)
    head = (
        "; ".join(lines[:3])
        or f"the next boot changes nothing on {len(audits)} host{'' if len(audits) == 1 else 's'}"
    )
    shown = [f"DRIFT {word} - {plugin_text(head, NAGIOS_LINE)} | {figures} unknown={len(told.unknown)}"]
    shown += [plugin_text(line, NAGIOS_TEXT) for line in lines[:NAGIOS_LINES]]
    if len(lines) > NAGIOS_LINES:
        shown.append(f"and {len(lines) - NAGIOS_LINES} more")
    return code, "\n".join(shown)


def _line(found: Finding) -> str:
    return safe(f"{found.host}: {found.because}")


def lines_of(findings: Sequence[Finding]) -> list[str]:
    """Findings as a report lists them: the sentence, then the fix."""
    return [f"{found.severity}: {found.because} ({found.fix})" for found in findings]
