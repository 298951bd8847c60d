"""What hosts say, without believing it: the settings of every shape, bounded numbers, and text without control characters.

What is in: what every reader of an answer is made of. What is not: any one answer.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

LONGEST_TEXT = 300


def clean(text: str, longest: int = LONGEST_TEXT) -> str:
    """Text of a host on one line, fit for a terminal: nothing that moves a cursor, and not without end."""
    shown = "".join(
        letter if letter.isprintable() else " " if letter.isspace() else "?" for letter in text[: 4 * longest]
    )
    shown = " ".join(shown.split())
    return shown if len(shown) <= longest else shown[: longest - 3] + "..."


Small = Annotated[int, Field(ge=0, le=2**32)]
Words = Annotated[str, Field(max_length=4096), AfterValidator(clean)]


class Said(BaseModel):
    """The settings of every shape of an answer: what is not known is passed over, so that a newer script may say more."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)
