"""Silence: what other people's monitoring is told of a host on trial, so that nobody is woken by a reboot that was meant.

What is in: what the operator declares. What is not: for how long, which is a trial's to say (rollout/silenced.py). A
silence never covers what judges the host: the fleet file is refused when it could.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from seatrial.model.declared import Declared, Duration, Name, Text, wrong
from seatrial.model.matcher import Matcher, MatcherText, read_matcher

# What stands for the host on trial.
HOST = "$host"
File = Annotated[str, StringConstraints(pattern=r"^/\S{0,499}$")]
Url = Annotated[str, StringConstraints(pattern=r"^https?://\S{1,490}$")]


class SilenceBase(Declared):
    """What every silence has."""

    source_vantage: Name = Field(alias="from", description="the vantage or host that tells the monitoring")
    url: Url = Field(description="the server, with the path that is in front of /api/v2 or /v1")
    roles: tuple[Name, ...] = Field(
        default=(), description="for hosts with one of these roles only; absent: for all"
    )
    hosts: dict[Name, Annotated[str, StringConstraints(pattern=r'^[^\s"\\]{1,200}$')]] = Field(
        default_factory=dict,
        description="what a host is called there, by host; for others it is the host's name",
    )
    ca_file: File | None = Field(
        default=None, description="a file on the vantage with the CA that signed the server's certificate"
    )
    timeout: Duration = Field(default=10.0, ge=1, le=60, description="after which there is no answer")

    def called(self, host: str) -> str:
        """What the host is called there."""
        return self.hosts.get(host, host)


class AlertmanagerSilence(SilenceBase):
    """A silence in Alertmanager (API v2) for alerts that are about the host."""

    kind: Literal["alertmanager"]
    matchers: tuple[MatcherText, ...] = Field(
        min_length=1,
        max_length=20,
        description='which alerts: one says $host, such as instance=~"$host(:[0-9]+)?", another which alerts of it,'
        ' such as alertname=~"HostDown|HostRebooted"',
    )
    token_file: File | None = Field(
        default=None,
        description="a file on the vantage with a bearer token; it is read there and stays there",
    )

    @model_validator(mode="after")
    def _of_the_host(self) -> Self:
        bound = [one for one in self._read if HOST in one.value and one.sign in ("=", "=~")]
        if not bound:
            raise wrong(
                "matchers", f"one of them must say {HOST}, or alerts of other hosts would be silenced too"
            )
        if len(bound) == len(self.matchers):
            raise wrong(
                "matchers", "one of them must say which alerts: all of a host would hide what judges it"
            )
        return self

    @property
    def _read(self) -> tuple[Matcher, ...]:
        return tuple(read_matcher(text) for text in self.matchers)

    def silenced(self, host: str) -> tuple[Matcher, ...]:
        """The matchers for one host."""
        name = self.called(host)
        return tuple(
            Matcher(
                label=one.label,
                sign=one.sign,
                # A dot of a name is no wildcard.
                value=one.value.replace(HOST, re.escape(name) if "~" in one.sign else name),
            )
            for one in self._read
        )


class IcingaDowntime(SilenceBase):
    """A fixed downtime in Icinga 2 (API v1) for the host, and for services of it by name; never for all of them."""

    kind: Literal["icinga2"]
    user: Annotated[str, StringConstraints(pattern=r"^[^:\s]{1,100}$")] = Field(description="the ApiUser")
    password_file: File = Field(
        description="a file on the vantage with its password; it is read there and stays there"
    )
    whole: bool = Field(
        default=True, alias="host", description="the host's own check is in the downtime: whether it is up"
    )
    services: tuple[Text, ...] = Field(
        default=(), max_length=100, description="services of the host that are in it as well"
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.whole and not self.services:
            raise wrong("host", "neither the host nor a service of it would be in the downtime")
        return self


Silence = Annotated[AlertmanagerSilence | IcingaDowntime, Field(discriminator="kind")]
