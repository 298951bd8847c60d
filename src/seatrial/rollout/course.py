"""The course of a rollout: which trial is next, when a gate opens, when it is over. Pure, like decide.

Stages go in the order of the file. Inside a stage the hosts go in the order of the file, except that of a group the
hosts that do not carry the traffic go first. One host at a time: the first that is not blessed ends the rollout,
and what comes behind it is not touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from seatrial.model.fleet import Fleet
from seatrial.model.fold import RolloutState
from seatrial.model.trial import FINAL, State


@dataclass(frozen=True, slots=True, kw_only=True)
class StartTrial:
    """Put this host on trial now."""

    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenGate:
    """The stage may be entered: write it down."""

    stage: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Wait for a person."""

    because: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The rollout is over."""

    outcome: str
    because: str


Step = StartTrial | OpenGate | Hold | End


def next_step(state: RolloutState, fleet: Fleet, carriers: Mapping[str, frozenset[str] | None]) -> Step:
    """What a rollout does next. `carriers` says for each group which hosts carry its traffic (None: unknown)."""
    for trial in state.trials.values():
        if trial.over and trial.state is not State.BLESSED:
            stopped = state.is_aborted and trial.state in (State.UNDONE, State.REVERTED)
            outcome = "aborted" if stopped else str(trial.state)
            return End(outcome=outcome, because=f"{trial.host}: {trial.cause or trial.because}")
    running = [t.host for t in state.trials.values() if not t.over and t.state is not State.PLANNED]
    if running:
        return StartTrial(host=running[0])
    before = ""
    for stage in fleet.stages:
        left = [
            h for h in fleet.hosts_in(stage.name) if h in state.trials and state.trials[h].state not in FINAL
        ]
        if not left:
            before = stage.name
            continue
        if state.is_aborted:
            return End(outcome="aborted", because=state.abort or "a person said so")
        if state.is_paused:
            return Hold(
                because=f"paused: {state.paused or 'a person said so'}",
                hint=f"seatrial rollout resume {state.id}",
            )
        if stage.gate == "approval" and stage.name not in state.approved:
            return Hold(
                because=f"stage {stage.name} wants a person's approval",
                hint=f"seatrial rollout approve {state.id} --stage {stage.name}",
            )
        if stage.name not in state.gates:
            return OpenGate(stage=stage.name, because=_evidence(state, fleet, before))
        return StartTrial(host=_first(left, fleet, carriers))
    blessed = sum(1 for trial in state.trials.values() if trial.state is State.BLESSED)
    return End(
        outcome="blessed",
        because=f"{state.candidate} is the default on {blessed} of {len(state.trials)} hosts",
    )


def order(
    fleet: Fleet, hosts: tuple[str, ...], carriers: Mapping[str, frozenset[str] | None]
) -> tuple[str, ...]:
    """The order in which `hosts` would go on trial, as far as it can be said now."""
    ordered: list[str] = []
    for stage in fleet.stages:
        left = [host for host in fleet.hosts_in(stage.name) if host in hosts]
        while left:
            ordered.append(_first(left, fleet, carriers))
            left.remove(ordered[-1])
    return tuple(ordered)


def _first(left: list[str], fleet: Fleet, carriers: Mapping[str, frozenset[str] | None]) -> str:
    resting = [host for host in left if host not in (carriers.get(fleet.group_of(host) or "") or ())]
    return (resting or left)[0]


def _evidence(state: RolloutState, fleet: Fleet, before: str) -> str:
    if not before:
        return "it is the first stage"
    blessed = [
        h for h in fleet.hosts_in(before) if h in state.trials and state.trials[h].state is State.BLESSED
    ]
    return f"{before}: {', '.join(blessed)} blessed" if blessed else f"{before} has no host in this rollout"
