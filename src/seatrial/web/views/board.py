"""The first page: what runs now, the fleet by stage and group, and what is known of kernels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from seatrial.model.fleet import Fleet
from seatrial.model.fold import RolloutState, TrialState
from seatrial.model.trial import State
from seatrial.web.following import Following, Told
from seatrial.web.views.words import moment, outcome_shown, plain, state_shown

MOST_ROLLOUTS = 25
# Of a stage; those that something happens to come first, and the others are counted.
MOST_HOSTS = 120
_QUIET = frozenset({State.PLANNED, State.BLESSED})


def board(following: Following) -> dict[str, Any]:
    """Everything of the first page."""
    names = list(following.rollouts)
    running = [name for name in names if not following.rollouts[name].state.ended]
    latest = running[-1] if running else names[-1] if names else None
    return {
        "rollouts": [summary(following.rollouts[name].state) for name in reversed(names[-MOST_ROLLOUTS:])],
        "more_rollouts": max(len(names) - MOST_ROLLOUTS, 0),
        "latest": latest,
        "fleet": fleet_shown(following.rollouts[latest]) if latest else None,
        "kernels": kernels(following)["kernels"][:8],
        "problem": plain(following.problem),
        "seq": following.seq,
    }


def summary(state: RolloutState) -> dict[str, Any]:
    """One rollout in a line."""
    counted = Counter(str(trial.state) for trial in state.trials.values())
    return {
        "name": state.id,
        "candidate": plain(state.candidate),
        "outcome": outcome_shown(state.outcome),
        "because": plain(state.because),
        "by": plain(state.by),
        "why": plain(state.why),
        "started": moment(state.started),
        "ended": moment(state.ended),
        "hosts": len(state.trials),
        "states": [
            {**state_shown(one), "number": counted[str(one)]} for one in State if counted.get(str(one))
        ],
        "paused": state.is_paused,
        "aborted": state.is_aborted,
    }


def fleet_shown(told: Told) -> dict[str, Any]:
    """The hosts of a rollout by stage and group, each with its kernel and state."""
    state, fleet = told.state, told.fleet
    if fleet is None:
        return {"name": "", "stages": [_stage("", "", list(state.trials.values()), state, None)]}
    stages = []
    for stage in fleet.stages:
        trials = [state.trials[host] for host in fleet.hosts_in(stage.name) if host in state.trials]
        stages.append(_stage(stage.name, stage.gate, trials, state, fleet))
    return {"name": plain(fleet.name), "stages": stages}


def _stage(
    name: str, gate: str, trials: list[TrialState], state: RolloutState, fleet: Fleet | None
) -> dict[str, Any]:
    counted = Counter(trial.state for trial in trials)
    first = sorted(trials, key=lambda trial: trial.state in _QUIET)[:MOST_HOSTS]
    chosen = {trial.host for trial in first}
    groups: dict[str, list[dict[str, Any]]] = {}
    for trial in trials:
        if trial.host in chosen:
            group = (fleet.group_of(trial.host) or "") if fleet else ""
            groups.setdefault(group, []).append(host_shown(trial, state.candidate))
    opened = name in state.gates
    wants = gate == "approval" and name not in state.approved
    return {
        "name": name,
        "gate": "open" if opened else "wants a person's approval" if wants else "closed",
        "opened": opened,
        "wants_approval": wants and not state.ended,
        "groups": [{"name": group, "hosts": hosts} for group, hosts in groups.items()],
        "number": len(trials),
        "left_out": len(trials) - len(chosen),
        "states": [{**state_shown(one), "number": counted[one]} for one in State if counted.get(one)],
    }


def host_shown(trial: TrialState, candidate: str) -> dict[str, Any]:
    """One host: state, and the kernel that it runs as far as the journal knows."""
    return {
        "name": trial.host,
        "state": state_shown(trial.state),
        "kernel": plain(kernel_of(trial, candidate)),
        "since": moment(trial.since),
        "because": plain(trial.because or trial.problem),
    }


_ON_CANDIDATE = frozenset({State.ON_TRIAL, State.EXERCISED, State.SOAKING, State.BLESSED})


def kernel_of(trial: TrialState, candidate: str) -> str:
    """What a host runs by the journal; "" where it was not looked at."""
    if trial.state in _ON_CANDIDATE:
        return candidate
    return str(trial.facts.get("good", ""))


def kernels(following: Following) -> dict[str, Any]:
    """What finished trials have taught, the newest first."""
    verdicts = sorted(following.verdicts.values(), key=lambda one: one.at, reverse=True)
    return {"kernels": [_verdict(one) for one in verdicts], "seq": following.seq}


def _verdict(one: Any) -> Mapping[str, Any]:
    return {
        "kernel": plain(one.kernel),
        "role": plain(one.role),
        "good": one.good,
        "shown": outcome_shown("blessed" if one.good else "reverted")
        | {"word": "good" if one.good else "bad"},
        "because": plain(one.because),
        "rollout": one.rollout,
        "host": plain(one.host),
        "at": moment(one.at),
    }
