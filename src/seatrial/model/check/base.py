"""CheckBase: what every check declares, whatever it asks."""

from __future__ import annotations

from pydantic import Field

from seatrial.model.declared import Declared, Duration, Name


class CheckBase(Declared):
    """What every check has."""

    stage: Name | None = Field(
        default=None, description="asked only for trials of this stage; absent: always"
    )
    source_vantage: Name = Field(alias="from", description="the vantage or host that asks")
    timeout: Duration = Field(default=10.0, description="after which there is no answer")
    retries: int = Field(
        default=0,
        ge=0,
        le=20,
        description="how often it is asked again when it does not pass; all answers count and are shown",
    )
    along: Name | None = Field(
        default=None,
        description="the flow whose way the question takes; a fault on that way explains this check as well",
    )
    over: tuple[Name, ...] = Field(
        default=(),
        description="what it shares with other checks and flows and can be blamed: a service, a certificate, a switch",
    )

    @property
    def subjects(self) -> tuple[str, ...]:
        """What a failure can be blamed on besides the way there, from wide to narrow, each in words.

        Checks with a subject in common are taken as evidence about the same thing: all checks that ask a machine
        share its address, all that ask its DNS server share "dns at" that address.
        """
        return (self.source_vantage,)
