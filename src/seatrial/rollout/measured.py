"""The rules of a soak that measures: when there is enough of the good kernel, and what a verdict means for a trial. Pure.

What is in: the part of `decide` that a policy's `measure` adds. What is not: the verdict itself, which the soak room
makes and the journal keeps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seatrial.model.fleet import Policy
from seatrial.model.fold import TrialState
from seatrial.model.result import Outcome
from seatrial.model.text import duration

# Stretches that could not be measured, one after the other, before it is given up.
MAX_UNMEASURED = 3


def lacks_peer(policy: Policy, peers: Sequence[str]) -> bool:
    """Whether it is to be measured against a peer, and there is none: then no verdict would ever come."""
    return policy.measure is not None and policy.measure.against == "peer" and not peers


def lacks_good(trial: TrialState, policy: Policy) -> bool:
    """Whether more of the good kernel has to be measured before the host may be touched."""
    measure = policy.measure
    return measure is not None and measure.against == "before" and trial.loaded("good") < measure.baseline


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
    if measure is None or measure.against != "before":
        return False
    boot_id = trial.facts.get("trial_boot_id")
    mine = sum(float(one.get("loaded", 0.0)) for one in trial.samples if one.get("boot_id") == boot_id)
    return mine >= max(trial.loaded("good"), measure.least)


def longest(policy: Policy) -> float:
    """How long a soak may take at most, in seconds."""
    return max(policy.soak, policy.measure.most if policy.measure else 0.0)
