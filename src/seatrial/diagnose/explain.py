"""What the answers of a round mean: where traffic is lost or what is broken, as a Diagnosis and as a sentence.

What is in: the one call that the engine makes. What is not in: the search (localise.py), the names of components
(paths.py for flows, answers.py for checks), the words (sentence.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seatrial.diagnose.answers import kinds_of, observations_of, owners_of, priors_of, words_of
from seatrial.diagnose.localise import localise
from seatrial.diagnose.paths import could_ask, observations, priors
from seatrial.diagnose.sentence import in_words
from seatrial.model.fleet import Fleet
from seatrial.model.observation import Diagnosis, FlowCount, Observation
from seatrial.model.result import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A Diagnosis, the sentence for people ("" when nothing is lost), and the Observations it was made from."""

    diagnosis: Diagnosis
    sentence: str
    observations: tuple[Observation, ...]


def explain(
    fleet: Fleet,
    counts: Sequence[FlowCount],
    *,
    results: Sequence[Result] = (),
    carrier: str | None = None,
) -> Explanation:
    """Where the flows' losses are, and what the failing checks have in common.

    `carrier` is the host on trial, which is suspected first; `results` are those of the same round's checks. Raises
    KeyError for a flow that the fleet does not have.
    """
    seen = (
        *observations(fleet, counts, carrier, owners_of(fleet, results)),
        *observations_of(fleet, results, counts, carrier),
    )
    askable = could_ask(fleet, counts, carrier)
    expected = {**priors(fleet, seen, carrier), **priors_of(fleet, results)}
    diagnosis = localise(seen, expected, candidates=tuple(askable))
    sentence = in_words(diagnosis, seen, askable, words_of(fleet, results), kinds_of(fleet, results))
    return Explanation(diagnosis=diagnosis, sentence=sentence, observations=seen)
