"""The first page: what is wrong, on trial and wanted, then rollouts, the fleet by stage and group, and what is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from seatrial.clock import Clock
from seatrial.model.fleet import Fleet
from seatrial.model.fold import RolloutState, TrialState
from seatrial.model.trial import State
from seatrial.web.following import Following, Head
from seatrial.web.told import Told
from seatrial.web.views.drift import counted
from seatrial.web.views.failover import failovers
from seatrial.web.views.known import kernels
from seatrial.web.views.now import now
from seatrial.web.views.slots import slots
from seatrial.web.views.words import moment, outcome_shown, plain, state_shown

MOST_ROLLOUTS = 25
# Of a stage; those that something happens to come first, and the others are counted.
MOST_HOSTS = 120
_QUIET = frozenset({State.PLANNED, State.BLESSED})


def board(following: Following, clock: Clock) -> dict[str, Any]:
    """Everything of the first page."""
    with following.lock:
        heads = dict(following.heads)
    names = list(heads)
    latest = following.latest
    moved = failovers(following)["failovers"]
    known = kernels(following, clock, most=8)
    return {
        "now": now(following, clock),
        "rollouts": [headline(following, heads[name]) for name in reversed(names[-MOST_ROLLOUTS:])],
        "more_rollouts": max(len(names) - MOST_ROLLOUTS, 0),
        "latest": latest.state.id if latest else None,
        "fleet": fleet_shown(latest) if latest else None,
        "failovers": [one for one in moved if not one["trial"]][:5],
        "slots": slots(following),
        "drift": counted(following) if following.audits else None,
        "audited": len(following.audits),
        "kernels": known["kernels"],
        "more_kernels": known["more"],
        "problem": plain(following.problem),
        "seq": following.seq,
    }


def headline(following: Following, head: Head) -> dict[str, Any]:
    """One rollout in a line, as it runs or as it ended."""
    running = next((told for told in following.running if told.state.id == head.state.id), None)
    return summary(running.state) if running else _line(head.state, head.hosts, head.states)


def summary(state: RolloutState) -> dict[str, Any]:
    """One rollout in a line."""
    return _line(state, len(state.trials), Counter(trial.state for trial in state.trials.values()))


def _line(state: RolloutState, hosts: int, counted: Mapping[State, int]) -> dict[str, Any]:
    return {
        "name": state.id,
        "candidate": plain(state.candidate),
        "outcome": outcome_shown(state.outcome),
        "because": plain(state.because),
        "by": plain(state.by),
        "why": plain(state.why),
        "started": moment(state.started),
        "ended": moment(state.ended),
        "hosts": hosts,
        "states": [{**state_shown(one), "number": counted[one]} for one in State if counted.get(one)],
        "paused": state.is_paused,
        "aborted": state.is_aborted,
        "held": "" if state.ended else plain(state.held),
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
    chosen = frozenset(trial.host for trial in first)
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
        "forced": name in state.forced,
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
        "because": plain(trial.skipped or trial.because or trial.problem),
        "skipped": bool(trial.skipped),
        "wave": plain(trial.wave),
    }


_ON_CANDIDATE = frozenset({State.ON_TRIAL, State.EXERCISED, State.SOAKING, State.BLESSED})


def kernel_of(trial: TrialState, candidate: str) -> str:
    """What a host runs by the journal; "" where it was not looked at."""
    if trial.state in _ON_CANDIDATE:
        return candidate
    return str(trial.facts.get("good", ""))
