"""Does an alert fire that must not? What is not in: why it fires, and whether it should."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pydantic import Field

from seatrial.checks.asked import made, unknown
from seatrial.checks.onhost import script
from seatrial.checks.reading import Said, Small, Words, clean, understood, why_not
from seatrial.model.check.monitoring import AlertsCheck
from seatrial.model.command import Command, Output
from seatrial.model.matcher import read_matcher
from seatrial.model.result import Outcome, Result

MOST_SHOWN = 3


class Alert(Said):
    """One alert that fires."""

    labels: dict[Words, Words] = Field(default_factory=dict, max_length=30)
    since: Words = ""
    summary: Words = ""


class Alerts(Said):
    """What the script says: how many fit, and the oldest of them; `watchdogs` is how many of those that fire always."""

    error: Words = ""
    status: Small = 0
    seconds: float = 0.0
    count: Small | None = None
    watchdogs: Small | None = None
    alerts: list[Alert] = Field(default_factory=list, max_length=20)


def commands(check: AlertsCheck) -> tuple[Command, ...]:
    """One question; of the token only the name of its file travels."""
    spec = {
        "url": check.url,
        "matchers": [str(read_matcher(text)) for text in check.matchers],
        "watchdog": [str(read_matcher(text)) for text in check.watchdog],
        "token_file": check.token_file,
        "ca_file": check.ca_file,
        "timeout": check.timeout,
    }
    return (
        Command(
            name="alertmanager.alerts",
            argv=("python3", "-", "alerts", json.dumps(spec, separators=(",", ":"))),
            stdin=script("alertmanager"),
            # Two requests where there is a watchdog.
            timeout=2 * check.timeout + 10.0,
            limit=1024 * 1024,
            package="python3",
        ),
    )


def judge(name: str, check: AlertsCheck, outputs: Sequence[Output]) -> Result:
    """PASS when no alert fits; UNKNOWN when the watchdog that was named is not among the alerts."""
    output = outputs[0] if outputs else None
    if why := why_not(output, check.source_vantage):
        return unknown(name, check, why)
    assert output is not None
    said = understood(Alerts, output, check.source_vantage)
    if isinstance(said, str):
        return unknown(name, check, (said, ""))
    if said.error or said.status != 200 or said.count is None:
        because = f"{check.url} does not say which alerts fire: {said.error or f'HTTP {said.status}'}"
        return unknown(name, check, (because, _hint(check, said)))
    evidence: dict[str, Any] = {
        "matchers": [clean(text) for text in check.matchers],
        "firing": said.count,
        "alerts": [
            {"labels": dict(one.labels), "since": one.since, "summary": one.summary}
            for one in said.alerts[:MOST_SHOWN]
        ],
    }
    if said.count:
        many = "1 alert fires" if said.count == 1 else f"{said.count} alerts fire"
        told = "; ".join(_told(one) for one in said.alerts[:MOST_SHOWN])
        hint = f"see to them, or silence what does not count: {clean(check.url)}"
        because = f"{many}: {told}"
        return made(name, check, Outcome.FAIL, because, hint=hint, seconds=said.seconds, evidence=evidence)
    if check.watchdog and not said.watchdogs:
        because = f"{check.url} has no alert {clean(' '.join(check.watchdog), 100)}, which should always fire"
        return unknown(name, check, (because, "look whether Prometheus reaches its Alertmanager"))
    because = f"no alert fires that fits {clean(' '.join(check.matchers), 200)}"
    return made(name, check, Outcome.PASS, because, seconds=said.seconds, evidence=evidence)


def _told(alert: Alert) -> str:
    where = alert.labels.get("instance", "") or alert.labels.get("job", "")
    parts = (
        alert.labels.get("alertname", "an alert"),
        f"on {where}" if where else "",
        f"since {alert.since}",
    )
    summary = f" ({alert.summary})" if alert.summary else ""
    return clean(" ".join(part for part in parts if part) + summary, 300)


def _hint(check: AlertsCheck, said: Alerts) -> str:
    if said.status in (401, 403):
        return (
            "give a token_file on the vantage"
            if not check.token_file
            else f"look at the token in {check.token_file}"
        )
    if said.status == 400:
        return "the matchers are not taken: try them with amtool alert query"
    if said.error.startswith("TLS:"):
        return "name the CA of its certificate with ca_file"
    return f"look whether {check.url} is reached from {check.source_vantage}"
