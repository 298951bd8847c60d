"""The rules of a soak that measures: when there is enough of the good kernel, and what a verdict means for a trial. Pure.

What is in: the part of `decide` that a policy's `measure` adds. What is not: the verdict itself, which the soak room
makes and the journal keeps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seatrial.model.fleet import Policy
from seatrial.model.fold import TrialState
from seatrial.model.measure import BEFORE, PEER
from seatrial.model.result import Outcome
from seatrial.model.text import duration

# Stretches that could not be measured, one after the other, before it is given up.
MAX_UNMEASURED = 3


def lacks_peer(policy: Policy, peers: Sequence[str], good: Sequence[str]) -> str:
    """Why a host that is to be measured against a peer cannot be, since no verdict would ever come; "" if it can.

    `good` are those of the peers that have the good kernel. Against both, the last of a group has who carried the work
    before to be compared with, and that is enough.
    """
    if policy.measure is None or PEER not in policy.measure.comparisons:
        return ""
    if not peers:
        return "it has none"
    return "" if good or policy.measure.against != PEER else "none of its peers has the good kernel any more"


def lacks_good(trial: TrialState, policy: Policy) -> bool:
    """Whether more of the good kernel has to be measured before the host may be touched."""
    measure = policy.measure
    return measure is not None and BEFORE in measure.comparisons and trial.loaded("good") < measure.baseline


def kept_good(host: str, earlier: Sequence[Mapping[str, Any]], policy: Policy) -> list[Mapping[str, Any]]:
    """The stretches of the good kernel that can still be compared with when who carries the work has the candidate already.

    Those of the host itself, if there are enough of them, or else of all; none when that is not enough either.
    """
    measure = policy.measure
    for some in ([one for one in earlier if one.get("place") == host], list(earlier)):
        if measure is not None and sum(float(one.get("loaded", 0.0)) for one in some) >= measure.baseline:
            return some
    return []


def hopeless(trial: TrialState, policy: Policy, tries: int) -> str:
    """Why there will never be enough of the good kernel to compare with; "" while there may be.

    `tries` is how often it was begun to measure in this state.
    """
    measure = policy.measure
    if measure is None:
        return ""
    stretches = [one for one in trial.samples if one.get("arm") == "good"]
    if tries - len(stretches) >= MAX_UNMEASURED:
        return f"the good kernel could not be measured: {trial.problem or 'no answer'}"
    spent = sum(float(one.get("seconds", 0.0)) for one in stretches)
    if spent < measure.most:
        return ""
    what = f"{measure.load.of} of {measure.load.least:g}/s" if measure.load else "load"
    return (
        f"only {duration(trial.loaded('good'))} of {duration(spent)} had enough load ({what}),"
        f" and {duration(measure.baseline)} are needed to compare with"
    )


def verdict_of(trial: TrialState) -> tuple[Outcome, str]:
    """What the soak of this boot of the candidate means so far, and why; UNKNOWN before anything was measured."""
    said: Mapping[str, Any] = trial.verdict
    if not said or said.get("boot_id") != trial.facts.get("trial_boot_id"):
        return Outcome.UNKNOWN, trial.problem or "nothing was measured yet"
    return Outcome(said["outcome"]), str(said.get("because", ""))


def is_used_up(trial: TrialState, policy: Policy) -> bool:
    """Whether there is no sample of the good kernel left that the candidate's could still be compared with."""
    measure = policy.measure
    if measure is None or measure.against != BEFORE:
        return False
    boot_id = trial.facts.get("trial_boot_id")
    mine = sum(float(one.get("loaded", 0.0)) for one in trial.samples if one.get("boot_id") == boot_id)
    return mine >= max(trial.loaded("good"), measure.least)


def longest(policy: Policy) -> float:
    """How long a soak may take at most, in seconds."""
    return max(policy.soak, policy.measure.most if policy.measure else 0.0)
