"""Notify: somebody who is told of what happens in rollouts, through which service, and of what. Frozen.

What is in: what the operator declares. What is not: the URL, which may have a password or a token and is therefore never in
the fleet file, whose text is in the journal; the wording (report/announced.py) and the sending (notify/).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from seatrial.model.declared import Declared, wrong

About = Literal[
    "started",
    "approval",
    "gate",
    "held",
    "wish",
    "on-trial",
    "blessed",
    "reverting",
    "reverted",
    "refused",
    "undone",
    "stuck",
    "ended",
]


class Notify(Declared):
    """One place that is told: a service that apprise knows, or a webhook that takes JSON."""

    through: Literal["apprise", "webhook"] = Field(
        default="apprise",
        description="apprise: any of its services, by its URLs (irc, mailto, slack ...); webhook: JSON by POST",
    )
    url_file: Annotated[str, StringConstraints(pattern=r"^/[!-~]{1,499}$")] | None = Field(
        default=None, description="the file on the controller that has the URL in its only line"
    )
    url_env: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,99}$")] | None = Field(
        default=None, description="the variable of the controller's environment that has the URL"
    )
    about: tuple[About, ...] = Field(
        default=("approval", "reverted", "stuck", "ended"),
        min_length=1,
        description="what is told: held has all that a rollout waits for besides approvals, wish what people decide",
    )
    form: Literal["text", "sal"] = Field(
        default="text", description="sal: lines of a server admin log, `!log PERSON: what (ROLLOUT) TICKET`"
    )

    @model_validator(mode="after")
    def _one_url(self) -> Notify:
        if (self.url_file is None) == (self.url_env is None):
            raise wrong("through", "exactly one of url_file and url_env is wanted")
        return self
