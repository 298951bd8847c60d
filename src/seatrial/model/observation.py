"""What a flow probe saw, and the components it crossed: the values that checks make and diagnose reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """`sent` probes crossed the components of `path`, and `lost` of them did not come through.

    `paths` gives equal-cost alternatives instead of `path` (each a tuple of components).
    """

    id: str
    path: tuple[str, ...] = ()
    sent: int
    lost: int
    paths: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """One explanation: `components` are the faults held to be present together.

    `same_evidence` lists what the observations cannot tell apart from them; `probability` is in 0..1.
    """

    components: tuple[str, ...]
    same_evidence: tuple[tuple[str, ...], ...] = ()
    probability: float = 0.0
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextProbe:
    """A probe that would split what cannot be told apart yet."""

    path: tuple[str, ...]
    splits: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What explains the observations, the most probable first, and what to ask next."""

    suspects: tuple[Suspect, ...] = ()
    next: tuple[NextProbe, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowCount:
    """How a round of probes of one flow went, in packets: what the near end, the carrier and the far end saw.

    `arrived` is None when the beacon could not be asked; `carried` is None when the carrier could not be asked.
    `sources` counts the source addresses that the far end saw; `answered` is how many answers came back. `asked` is
    how many were to be sent: `errors` counts by errno name what the near end's own kernel refused or was told.
    `connected` is how many TCP connections the near end saw made. `problem` says in a sentence what could not be
    found out, with `hint`; `size` is the largest packet really made, in bytes, 0 when that is not known.
    """

    flow: str
    sent: int
    arrived: int | None
    answered: int
    sources: Mapping[str, int] = field(default_factory=dict)
    carried: Mapping[str, int | None] = field(default_factory=dict)
    sender: str = ""
    problem: str = ""
    rtt_ms: tuple[float, ...] = ()
    asked: int = 0
    connected: int = 0
    size: int = 0
    errors: Mapping[str, int] = field(default_factory=dict)
    hint: str = ""
