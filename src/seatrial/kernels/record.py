"""What a verdict on a kernel is remembered with: written once, into the Event that makes it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from seatrial.model.fold import RolloutState, TrialState
from seatrial.model.result import Outcome
from seatrial.model.trial import State

# What is kept of each trial; its journal has all of it.
_MOST = 40


def is_verdict(to: State, facts: Mapping[str, Any]) -> bool:
    """Whether that move of a trial says something about its kernel: blessed, or on its way back because of it."""
    return to is State.BLESSED or (to is State.REVERTING and facts.get("cause") in ("failed", "died"))


def record_of(state: RolloutState, trial: TrialState) -> dict[str, Any]:
    """Hardware, checks and evidence as plain JSON; `trial` is as it stood before the move."""
    packages = trial.described.get("packages", {})
    return {
        "package": str(packages.get(state.candidate, "")),
        "good": str(trial.facts.get("good", "")),
        "hardware": {
            key: trial.described.get(key) for key in ("product", "bios", "cpu", "nics") if trial.described
        },
        "checks": list(_checks(trial))[:_MOST],
        "evidence": _evidence(trial),
    }


def _checks(trial: TrialState) -> Iterator[dict[str, str]]:
    """What failed comes first, so that a bound cuts off what was fine."""
    rounds = [trial.rounds[purpose] for purpose in ("exercise", "soak") if purpose in trial.rounds]
    results = [result for found in rounds for result in found.results]
    for result in sorted(results, key=lambda one: one.get("outcome") == Outcome.PASS):
        yield {key: str(result.get(key, ""))[:300] for key in ("check", "outcome", "because")}


def _evidence(trial: TrialState) -> dict[str, Any]:
    figures = [
        result.get("evidence", {})
        for purpose in ("exercise", "soak")
        if purpose in trial.rounds
        for result in trial.rounds[purpose].results
    ]
    return {
        "diagnosis": str(trial.diagnosis.get("because", "")),
        "probes_sent": sum(_whole(one.get("sent")) for one in figures),
        "probes_answered": sum(_whole(one.get("answered")) for one in figures),
        "measured": str(trial.verdict.get("because", "")),
        "measured_seconds": trial.loaded("candidate"),
    }


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
