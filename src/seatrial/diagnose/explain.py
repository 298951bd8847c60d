"""What the counts of a round's flows mean: where traffic is lost, as a Diagnosis and as a sentence.

What is in: the one call that the engine makes. What is not in: the search (localise.py), the names of components
(paths.py), the words (sentence.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seatrial.diagnose.localise import localise
from seatrial.diagnose.paths import could_ask, observations, priors
from seatrial.diagnose.sentence import in_words
from seatrial.model.fleet import Fleet
from seatrial.model.observation import Diagnosis, FlowCount, Observation


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A Diagnosis, the sentence for people ("" when nothing is lost), and the Observations it was made from."""

    diagnosis: Diagnosis
    sentence: str
    observations: tuple[Observation, ...]


def explain(fleet: Fleet, counts: Sequence[FlowCount], *, carrier: str | None = None) -> Explanation:
    """Where the flows' losses are. `carrier` is the host on trial, which is suspected first.

    Raises KeyError for a flow that the fleet does not have.
    """
    seen = observations(fleet, counts, carrier)
    askable = could_ask(fleet, counts, carrier)
    diagnosis = localise(seen, priors(fleet, seen, carrier), candidates=tuple(askable))
    return Explanation(diagnosis=diagnosis, sentence=in_words(diagnosis, seen, askable), observations=seen)


def diagnose(fleet: Fleet, counts: Sequence[FlowCount], carrier: str | None = None) -> tuple[Diagnosis, str]:
    """The Diagnosis and its sentence."""
    explanation = explain(fleet, counts, carrier=carrier)
    return explanation.diagnosis, explanation.sentence
