"""Which alerts were silenced lately, and by whom: a note beside a verdict. What is not in: any judgement of it."""

from __future__ import annotations

import json

from pydantic import Field

from seatrial.checks.onhost import script
from seatrial.checks.reading import Said, Small, Words, clean, understood, why_not
from seatrial.model.check.monitoring import AlertsCheck
from seatrial.model.command import Command, Output
from seatrial.model.silence import AlertmanagerSilence

# Whatever of the fleet file says where an Alertmanager is and how it is asked.
Server = AlertsCheck | AlertmanagerSilence


class Hushed(Said):
    """One silence; times are the server's, in RFC 3339."""

    by: Words = ""
    comment: Words = ""
    starts: Words = ""
    ends: Words = ""
    matchers: list[Words] = Field(default_factory=list, max_length=30)

    @property
    def sentence(self) -> str:
        """For people."""
        why = f" ({self.comment})" if self.comment else ""
        who = self.by or "somebody"
        return clean(f"{who} silenced {' '.join(self.matchers)} from {self.starts} to {self.ends}{why}", 500)


class Silences(Said):
    """What the script says."""

    error: Words = ""
    status: Small = 0
    count: Small | None = None
    silences: list[Hushed] = Field(default_factory=list, max_length=50)


def silences_command(server: Server, seconds: float) -> Command:
    """Ask an Alertmanager which silences were in force in the last `seconds`."""
    spec = {
        "url": server.url,
        "seconds": seconds,
        "token_file": server.token_file,
        "ca_file": server.ca_file,
        "timeout": server.timeout,
    }
    return Command(
        name="alertmanager.silences",
        argv=("python3", "-", "silences", json.dumps(spec, separators=(",", ":"))),
        stdin=script("alertmanager"),
        timeout=server.timeout + 10.0,
        limit=1024 * 1024,
        package="python3",
    )


def read_silences(server: Server, output: Output) -> tuple[Hushed, ...] | str:
    """The silences, or a text that says why they are not known."""
    if why := why_not(output, server.source_vantage):
        return why[0]
    said = understood(Silences, output, server.source_vantage)
    if isinstance(said, str):
        return said
    if said.error or said.status != 200 or said.count is None:
        return f"{server.url}: {said.error or f'HTTP {said.status}'}"
    return tuple(said.silences)
