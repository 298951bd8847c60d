"""What the answers to checks say of the things they are about, beside what the flows say of the ways.

What is in: Results of checks as Observations, whose components are the way of the flow that the check names, what it
shares with others (`over`) and its subjects; and the words for those. What is not in: the search, and the flows' own
observations (paths.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from seatrial.diagnose.paths import carrier_of, is_translated, ways_of
from seatrial.model.check import Check
from seatrial.model.fleet import Fleet, Flow
from seatrial.model.observation import FlowCount, Observation
from seatrial.model.result import Outcome, Result

# One answer is held to be as telling as so many packets of a flow: what was asked has had its own repeats.
WEIGHT = 8
PRIORS = {"machine": 0.001, "subject": 0.004, "answer": 0.0005}


def observations_of(
    fleet: Fleet, results: Iterable[Result], counts: Sequence[FlowCount] = (), carrier: str | None = None
) -> tuple[Observation, ...]:
    """One Observation for each check that passed or failed; UNKNOWN and SKIP say nothing of what they are about.

    Results of anything but checks of the fleet are passed over. `counts` are those of the same round, which tell
    whether a flow's sender is translated.
    """
    known = [(one, fleet.checks[one.check]) for one in results if one.check in fleet.checks]
    shared = _shared([(one.check, check) for one, check in known])
    senders = {one.flow: one.sender for one in counts}
    found = []
    for result, check in known:
        asked = int(result.evidence.get("asked", 1))
        failed = int(result.evidence.get("failed", result.outcome is Outcome.FAIL))
        heard = asked - int(result.evidence.get("unknown", result.outcome is Outcome.UNKNOWN))
        if result.outcome is Outcome.SKIP or heard <= 0:
            continue
        path = (*_way(fleet, check, senders, carrier), *check.over, *check.subjects)
        if check.subjects[-1] in shared:
            path = (*path, answer_of(result.check))
        found.append(
            Observation(
                id=f"{result.check}:check",
                path=tuple(dict.fromkeys(path)),
                sent=WEIGHT * heard,
                lost=WEIGHT * min(failed, heard),
            )
        )
    return tuple(found)


def answer_of(check: str) -> str:
    """The component of one question alone: at fault when others about the same thing are answered well."""
    return f"what {check} asks for"


def priors_of(fleet: Fleet, results: Iterable[Result]) -> Mapping[str, float]:
    """How probable a fault of each subject is before anything was seen."""
    found: dict[str, float] = {}
    for one in results:
        if (check := fleet.checks.get(one.check)) is None:
            continue
        found.update(dict.fromkeys(check.subjects[:-1], PRIORS["machine"]))
        found[check.subjects[-1]] = PRIORS["subject"]
        found[answer_of(one.check)] = PRIORS["answer"]
    return found


def words_of(fleet: Fleet, results: Iterable[Result]) -> Mapping[str, str]:
    """For each component that only checks have, what is said of it when it is named: what the first failing check said."""
    words: dict[str, str] = {}
    for one in results:
        if (check := fleet.checks.get(one.check)) is None or one.outcome is not Outcome.FAIL:
            continue
        for name in (*check.over, *check.subjects):
            words.setdefault(name, f"The fault is with {name}: {one.because}")
        words.setdefault(answer_of(one.check), f"{one.check} fails alone: {one.because}")
    return words


def _way(fleet: Fleet, check: Check, senders: Mapping[str, str], carrier: str | None) -> tuple[str, ...]:
    """The components of the flow that the check goes along, without what only probes of that flow cross."""
    if check.along is None:
        return ()
    flow: Flow = fleet.flows[check.along]
    by = carrier_of(fleet, flow, carrier)
    translated = is_translated(flow, senders.get(check.along, ""))
    ways = ways_of(flow, by, translated)
    own = (f"{by}:{flow.protocol}", f"{by}:large packets")
    return tuple(name for name in (*ways.out, *ways.home) if not name.startswith(own))


def _shared(checks: Sequence[tuple[str, Check]]) -> set[str]:
    """The narrowest subjects that more than one check has."""
    seen: dict[str, set[str]] = {}
    for name, check in checks:
        seen.setdefault(check.subjects[-1], set()).add(name)
    return {subject for subject, names in seen.items() if len(names) > 1}
