"""CheckBase: what every check declares, whatever it asks."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from seatrial.model.declared import Declared, Duration, Name, wrong


class CheckBase(Declared):
    """What every check has."""

    stage: Name | None = Field(
        default=None, description="asked only for trials of this stage; absent: always"
    )
    source_vantage: Name = Field(
        default="", alias="from", description="the vantage or host that asks; either this or each is wanted"
    )
    each: Name | None = Field(
        default=None,
        description="a role: every host that has it asks; the check NAME becomes NAME@HOST, for trials of its stage",
    )
    timeout: Duration = Field(default=10.0, description="after which there is no answer")
    retries: int = Field(
        default=0,
        ge=0,
        le=20,
        description="how often it is asked again when it does not pass; all answers count and are shown",
    )
    along: Name | None = Field(
        default=None,
        description="the flow whose way the question takes; a fault on that way explains this check as well; "
        "absent: a flow from the same vantage to the same address, if there is one",
    )
    over: tuple[Name, ...] = Field(
        default=(),
        description="what it shares with other checks and flows and can be blamed: a service, a certificate, a switch",
    )

    @model_validator(mode="after")
    def _who_asks(self) -> Self:
        if bool(self.source_vantage) == (self.each is not None):
            raise wrong("from", "one of from and each is wanted: a vantage, or a role whose hosts ask")
        return self

    @property
    def subjects(self) -> tuple[str, ...]:
        """What a failure can be blamed on besides the way there, from wide to narrow, each in words.

        Checks with a subject in common are taken as evidence about the same thing: all checks that ask a machine
        share its address, all that ask its DNS server share "dns at" that address.
        """
        return (self.source_vantage,)
