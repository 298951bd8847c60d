"""Which components explain the losses: the most probable sets of faults, given what crossed them.

What is in: `localise`, which reads Observations and priors and knows nothing of fleets, and what it says of what was
found. What is not in: the model (evidence.py), the searches (few.py, many.py), how a flow becomes Observations
(paths.py) and how a Diagnosis becomes a sentence (sentence.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from seatrial.diagnose import few
from seatrial.diagnose.evidence import NOISE, Evidence, Faults, gather
from seatrial.model.observation import Diagnosis, NextProbe, Observation, Suspect

MOST_NEXT = 3
# What the search among few is quick with: classes of components, and pairs of a class and an observation.
FEW_CLASSES = 40
FEW_PAIRS = 1500


def localise(
    observations: Iterable[Observation],
    prior: Mapping[str, float] | None = None,
    candidates: Sequence[tuple[str, ...]] = (),
) -> Diagnosis:
    """What explains `observations`, the most probable first; nothing when no fault is worth its price.

    `prior` is the probability of a fault by component (evidence.PRIOR for others). `candidates` are paths of probes
    that could be sent next; without any, beginnings of the observed paths are proposed. The order of `observations`
    does not matter. Small inputs are searched exactly for up to three faults, large ones greedily (few.py, many.py).
    """
    evidence = gather(observations, prior or {})
    ranked = few.rank(evidence) if _is_small(evidence) else _rank_many(evidence)
    if not ranked:
        return Diagnosis()
    suspects = tuple(_suspect(evidence, faults, probability) for faults, probability in ranked)
    return Diagnosis(suspects=suspects, next=_next_probes(evidence, ranked[0][0], candidates))


def _is_small(evidence: Evidence) -> bool:
    return len(evidence.alike) <= FEW_CLASSES and sum(len(one.seen) for one in evidence.alike) <= FEW_PAIRS


def _rank_many(evidence: Evidence) -> list[tuple[Faults, float]]:
    # numpy takes longer to load than a small case takes altogether.
    from seatrial.diagnose.many import rank

    return rank(evidence)


def _suspect(evidence: Evidence, faults: Faults, probability: float) -> Suspect:
    first = tuple(evidence.alike[fault].members[0] for fault in faults)
    same = [
        (*first[:place], other, *first[place + 1 :])
        for place, fault in enumerate(faults)
        for other in evidence.alike[fault].members[1:]
    ]
    return Suspect(
        components=first,
        same_evidence=tuple(same),
        probability=round(probability, 4),
        because=_because(evidence, faults),
    )


def _because(evidence: Evidence, faults: Faults) -> str:
    """What speaks for it and what does not, in numbers."""
    crossing = {number for fault in faults for number in evidence.alike[fault].seen}
    lossy = {number for number, one in enumerate(evidence.seen) if one.lost > NOISE * one.sent}
    sent = sum(evidence.seen[number].sent for number in crossing & lossy)
    lost = sum(evidence.seen[number].lost for number in crossing & lossy)
    words = f"{len(crossing & lossy)} of {len(lossy)} lossy observations cross it and lost {lost} of {sent}"
    if sound := len(crossing - lossy):
        words += f"; {sound} that cross it lost nothing"
    return words


def _next_probes(
    evidence: Evidence, faults: Faults, candidates: Sequence[tuple[str, ...]]
) -> tuple[NextProbe, ...]:
    """Probes that split what cannot be told apart, the most even split first."""
    found: list[tuple[int, NextProbe]] = []
    for fault in faults:
        members = evidence.alike[fault].members
        if len(members) < 2:
            continue
        for path in sorted(set(candidates or _beginnings(evidence, fault))):
            within = tuple(name for name in members if name in path)
            without = tuple(name for name in members if name not in path)
            if within and without:
                evenness = abs(len(within) - len(without))
                found.append((evenness, NextProbe(path=path, splits=(within, without))))
    found.sort(key=lambda one: (one[0], len(one[1].path), one[1].path))
    return tuple(probe for _, probe in found[:MOST_NEXT])


def _beginnings(evidence: Evidence, fault: int) -> Iterable[tuple[str, ...]]:
    members = set(evidence.alike[fault].members)
    for number in evidence.alike[fault].seen:
        one = evidence.seen[number]
        for path in one.paths or (one.path,):
            for end in range(1, len(path)):
                if path[end] in members or path[end - 1] in members:
                    yield path[:end]
