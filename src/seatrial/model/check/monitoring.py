"""Checks of what monitoring and people say already: alerts that fire, and files that mean stop."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints

from seatrial.model.check.base import CheckBase
from seatrial.model.matcher import MatcherText

File = Annotated[str, StringConstraints(pattern=r"^/\S{0,499}$")]
LockFile = Annotated[str, StringConstraints(pattern=r"^/[^\s\x00]{0,400}[^\s\x00/]$")]
Url = Annotated[str, StringConstraints(pattern=r"^https?://\S{1,490}$")]


class AlertsCheck(CheckBase):
    """No alert that fits the matchers fires, by Alertmanager (API v2); what is silenced or inhibited there does not count."""

    kind: Literal["alerts"]
    url: Url = Field(description="the Alertmanager, with the path that is in front of /api/v2")
    matchers: tuple[MatcherText, ...] = Field(
        min_length=1,
        max_length=20,
        description='what the alerts are that count, such as severity="page"; an alert must fit all of them',
    )
    watchdog: tuple[MatcherText, ...] = Field(
        default=(),
        max_length=20,
        description='an alert that fires always, such as alertname="Watchdog": without it nobody knows whether others would arrive',
    )
    token_file: File | None = Field(
        default=None,
        description="a file on the vantage with a bearer token; it is read there and stays there",
    )
    ca_file: File | None = Field(
        default=None, description="a file on the vantage with the CA that signed the server's certificate"
    )

    @property
    def subjects(self) -> tuple[str, ...]:
        """The alerts; Alertmanager itself only tells of them."""
        return (f"alerts {' '.join(self.matchers)[:100]} at {urlsplit(self.url).netloc}",)


class AbsentCheck(CheckBase):
    """A file is not there: a lock, or what people put somewhere to say stop. Its directory must be."""

    kind: Literal["absent"]
    path: LockFile = Field(description="the file; its first line is shown when it is there")

    @property
    def subjects(self) -> tuple[str, ...]:
        """The place, then the file."""
        return (self.source_vantage, f"the file {self.path} on {self.source_vantage}")


MonitoringCheck = AlertsCheck | AbsentCheck
