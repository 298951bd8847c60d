"""Recorded observations as JSON, and the Diagnosis as JSON: the formats of `seatrial diagnose`.

What is in: both formats and what is wrong with a document. What is not in: files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from seatrial.errors import InputError
from seatrial.model.observation import Diagnosis, Observation

Component = Annotated[str, Field(min_length=1, max_length=300)]
MOST_PACKETS = 10**12  # beyond, likelihoods lose the digits that tell faults apart
HINT = (
    'such as {"observations": [{"id": "p1", "path": ["vm>gw", "gw>wan"], "sent": 40, "lost": 40}], '
    '"prior": {"gw>wan": 0.001}}'
)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Recorded(_Strict):
    id: str
    path: list[Component] = []
    paths: list[Annotated[list[Component], Field(min_length=1)]] = []
    sent: int = Field(ge=0, le=MOST_PACKETS)
    lost: int = Field(ge=0)

    @model_validator(mode="after")
    def _sense(self) -> _Recorded:
        if bool(self.path) == bool(self.paths):
            raise ValueError("exactly one of path and paths is wanted")
        if self.lost > self.sent:
            raise ValueError("more is lost than was sent")
        return self


class _Document(_Strict):
    observations: list[_Recorded]
    prior: dict[str, Annotated[float, Field(gt=0, lt=1)]] = {}


def read(text: str | bytes) -> tuple[tuple[Observation, ...], Mapping[str, float]]:
    """Observations and priors from a document. Raises InputError, which says where the document is wrong."""
    try:
        document = _Document.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise InputError(f"{where}: {first['msg']}", hint=HINT) from None
    found = tuple(
        Observation(
            id=one.id,
            path=tuple(one.path),
            paths=tuple(tuple(path) for path in one.paths),
            sent=one.sent,
            lost=one.lost,
        )
        for one in document.observations
    )
    return found, document.prior


def told(diagnosis: Diagnosis) -> dict[str, Any]:
    """A Diagnosis as plain JSON."""
    return {
        "suspects": [
            {
                "components": list(one.components),
                "same_evidence": [list(same) for same in one.same_evidence],
                "probability": one.probability,
                "because": one.because,
            }
            for one in diagnosis.suspects
        ],
        "next": [
            {"path": list(one.path), "splits": [list(part) for part in one.splits]} for one in diagnosis.next
        ],
    }
