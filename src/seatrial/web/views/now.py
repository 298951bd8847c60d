"""What a person wants to see in two seconds: is anything wrong, what is on trial, and what is wanted of them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from seatrial.clock import Clock
from seatrial.model.trial import State
from seatrial.web.following import Following
from seatrial.web.told import Told
from seatrial.web.views.drift import severities
from seatrial.web.views.failover import stuck_groups
from seatrial.web.views.guard import guard
from seatrial.web.views.words import plain, state_shown

# On the first page; the others are counted.
MOST = 6


def now(following: Following, clock: Clock) -> dict[str, Any]:
    """Three short lists, the most urgent first; each entry is a sentence with where it leads."""
    running = following.running
    return {
        "wrong": _cut(_wrong(following, running)),
        "on_trial": _cut([one for told in running for one in _on_trial(told, clock)]),
        "wanted": _cut(
            [
                *_after_failovers(following),
                *_not_proven(following),
                *(one for told in running for one in _wanted(told)),
            ]
        ),
        "waits": _cut([_waits(told) for told in running if told.state.held]),
    }


def _cut(some: list[dict[str, Any]]) -> dict[str, Any]:
    return {"number": len(some), "first": some[:MOST], "more": max(len(some) - MOST, 0)}


def _wrong(following: Following, running: list[Told]) -> list[dict[str, Any]]:
    wrong = []
    if following.problem:
        wrong.append(_said(f"the journal does not answer: {following.problem}", "/", "bad"))
    for told in running:
        for trial in told.state.trials.values():
            if trial.state is State.STUCK and not trial.seen_to:
                wrong.append(_said(f"{trial.host} is stuck: {trial.because}", _host(told, trial.host), "bad"))
            elif trial.state is State.REVERTING:
                wrong.append(
                    _said(f"{trial.host} goes back: {trial.because}", _host(told, trial.host), "bad")
                )
            elif trial.problem and trial.under_way:
                wrong.append(_said(f"{trial.host}: {trial.problem}", _host(told, trial.host), "warn"))
        back = sum(1 for trial in told.state.trials.values() if trial.state is State.REVERTED)
        if back:
            hosts = "1 host went" if back == 1 else f"{back} hosts went"
            wrong.append(
                _said(
                    f"{told.state.id}: {hosts} back to the good kernel", f"/rollouts/{told.state.id}", "bad"
                )
            )
    wrong += _last(following)
    for one in stuck_groups(list(following.failovers.values())):
        said = f"failover {one.id} of {one.group} is stuck: {one.because}"
        wrong.append(_said(said, f"/failovers/{one.id}", "bad"))
    if danger := severities(following)["danger"]:
        words = "1 danger" if danger == 1 else f"{danger} dangers"
        wrong.append(_said(f"{words} at the next boot, restart or failover", "/drift", "warn"))
    return wrong


def _last(following: Following) -> list[dict[str, Any]]:
    """The newest rollout, where it ended otherwise than blessed: it stands until another one begins."""
    with following.lock:
        last = next(reversed(following.heads.values()), None)
    if last is None or last.state.outcome in ("", "blessed"):
        return []
    tone = "bad" if last.state.outcome in ("reverted", "stuck") else "warn"
    said = f"{last.state.id} to {last.state.candidate} ended {last.state.outcome}: {last.state.because}"
    return [_said(said, f"/rollouts/{last.state.id}", tone)]


def _on_trial(told: Told, clock: Clock) -> list[dict[str, Any]]:
    return [
        {
            "host": plain(trial.host),
            "href": _host(told, trial.host),
            "candidate": plain(told.state.candidate),
            "state": state_shown(trial.state),
            "guard": guard(trial, clock),
        }
        for trial in told.state.trials.values()
        if trial.under_way and trial.state is not State.STUCK
    ]


def _after_failovers(following: Following) -> list[dict[str, Any]]:
    """What a failover that is stuck asks a person to do."""
    return [
        _said(f"{one.group}: {one.end_hint or 'see that it is served'}", f"/failovers/{one.id}", "bad")
        for one in stuck_groups(list(following.failovers.values()))
    ]


def _not_proven(following: Following) -> list[dict[str, Any]]:
    """Hosts that rebooted by themselves, are back, and whose checks do not pass: their peers wait for a person."""
    return [
        _said(f"look at {slot.host}, which rebooted by itself: {slot.because}", "/#slots", "bad")
        for slot in following.away.slots.values()
        if slot.because
    ]


def _wanted(told: Told) -> list[dict[str, Any]]:
    state, here = told.state, f"/rollouts/{told.state.id}"
    wanted = []
    if state.is_paused:
        wanted.append(
            _said(
                f"{state.id} is paused ({state.paused or 'no reason'}): let it go on, or abort it",
                here,
                "warn",
            )
        )
    for stage in stages_that_wait(told):
        wanted.append(_said(f"approve {stage} in {state.id}, or abort it", here, "warn"))
    for trial in state.trials.values():
        if trial.state is State.STUCK and not trial.seen_to:
            said = f"look at {trial.host}" + (f": {trial.hint}" if trial.hint else "")
            wanted.append(_said(said, _host(told, trial.host), "bad"))
    return wanted


def stages_that_wait(told: Told) -> list[str]:
    """The stage that a person's word is wanted for now: all before it are through, and nobody has approved it."""
    state, fleet = told.state, told.fleet
    if fleet is None or state.ended or state.is_aborted:
        return []
    going = {fleet.hosts[trial.host].stage for trial in state.trials.values() if not trial.over}
    for stage in fleet.stages:
        if (
            stage.gate == "approval"
            and stage.name not in state.approved | state.gates
            and stage.name in going
        ):
            return [stage.name]
        if stage.name in going:
            break
    return []


def _waits(told: Told) -> dict[str, Any]:
    return _said(f"{told.state.id} waits: {told.state.held}", f"/rollouts/{told.state.id}", "rest")


def _said(text: str, href: str, tone: str) -> dict[str, Any]:
    mark = {"bad": "✗", "warn": "▲"}.get(tone, "·")
    return {"says": plain(text), "href": href, "tone": tone, "mark": mark}


def _host(told: Told, host: str) -> str:
    return f"/rollouts/{told.state.id}/hosts/{quote(host)}"
