"""The page of one rollout: stages with their gates, the trial on screen, and the time line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from seatrial.clock import Clock
from seatrial.errors import InputError
from seatrial.model.fold import TrialState
from seatrial.model.trial import State
from seatrial.report.narrate import Line
from seatrial.web.following import Following, Told
from seatrial.web.views.board import fleet_shown, kernel_of, summary
from seatrial.web.views.matrix import matrix
from seatrial.web.views.path import suspects
from seatrial.web.views.words import mark_shown, moment, plain, state_shown

MOST_LINES = 150
# The road of a trial that goes well; each is done, under way or to come.
ROAD = (
    State.PREFLIGHT,
    State.DRAINED,
    State.ARMED,
    State.REBOOTING,
    State.ON_TRIAL,
    State.EXERCISED,
    State.SOAKING,
    State.BLESSED,
)
_COUNTING = frozenset({State.ON_TRIAL, State.EXERCISED, State.SOAKING, State.REVERTING})


def told_of(following: Following, name: str) -> Told:
    """The rollout of that name. Raises InputError."""
    try:
        return following.rollouts[name]
    except KeyError:
        known = ", ".join(list(following.rollouts)[-5:]) or "none yet"
        raise InputError(
            f"there is no rollout {plain(name)[:80]!r}", hint=f"the latest are: {known}"
        ) from None


def rollout(following: Following, name: str, clock: Clock, host: str = "") -> dict[str, Any]:
    """Everything of a rollout's page; `host` chooses whose trial is on screen. Raises InputError."""
    told = told_of(following, name)
    state = told.state
    if host and host not in state.trials:
        raise InputError(
            f"there is no host {plain(host)[:80]!r} in {name}", hint="the page of the rollout names its hosts"
        )
    trial = state.trials[host] if host else on_screen(told)
    lines = [line for line in told.lines if not host or line.host == host]
    return {
        "rollout": summary(state),
        "paused_why": plain(state.paused),
        "fleet": fleet_shown(told),
        "trial": trial_shown(told, trial, clock) if trial else None,
        "chosen": bool(host),
        "lines": [line_shown(line) for line in lines[-MOST_LINES:]],
        "earlier_lines": max((len(lines) if host else told.number_of_lines) - MOST_LINES, 0),
        "problem": plain(following.problem),
        "seq": following.seq,
    }


def on_screen(told: Told) -> TrialState | None:
    """The trial that people want to see: the one under way, else the one that ended the rollout."""
    trials: Sequence[TrialState] = tuple(told.state.trials.values())
    under_way = [one for one in trials if not one.over and one.state is not State.PLANNED]
    ended = [one for one in trials if one.over and one.state is not State.BLESSED]
    asked = [one for one in trials if one.state is State.PLANNED and one.tries]
    blessed = [one for one in trials if one.state is State.BLESSED]
    # The last one that was blessed is what was looked at last.
    return next(iter((*under_way, *asked, *ended, *reversed(blessed))), None)


def trial_shown(told: Told, trial: TrialState, clock: Clock) -> dict[str, Any]:
    """One trial: its road, its guard, its flows, its suspects and what the soak means."""
    return {
        "host": trial.host,
        "state": state_shown(trial.state),
        "since": moment(trial.since),
        "because": plain(trial.because or trial.problem),
        "hint": plain(trial.hint or trial.problem_hint),
        "kernel": plain(kernel_of(trial, told.state.candidate)),
        "good": plain(trial.facts.get("good", "")),
        "doing": plain(trial.intent),
        "road": _road(trial),
        "guard": _guard(told, trial, clock),
        "flows": matrix(trial, told.fleet),
        "diagnosis": suspects(trial, told.fleet),
        "soak": _soak(
            trial, f"/rollouts/{told.state.id}/hosts/{quote(trial.host)}/soak.svg?{len(trial.samples)}"
        ),
    }


def _road(trial: TrialState) -> list[dict[str, str]]:
    reached = ROAD.index(trial.state) if trial.state in ROAD else -1
    # A trial that left the road keeps what it had reached: a round of flows shows that the candidate ran.
    if reached < 0:
        facts = (("trial_boot_id", State.ON_TRIAL), ("armed_boot_id", State.ARMED), ("good", State.PREFLIGHT))
        reached = next((ROAD.index(state) for fact, state in facts if fact in trial.facts), -1)
    road = []
    for place, state in enumerate(ROAD):
        here = place == reached and not trial.over and trial.state in ROAD
        word = "now" if here else "done" if place <= reached else "to come"
        road.append({"state": str(state), "word": word, "mark": {"now": "●", "done": "✓"}.get(word, "○")})
    return road


def _guard(told: Told, trial: TrialState, clock: Clock) -> dict[str, Any] | None:
    """When the host would go back by itself; it counts its own uptime, so this is about right and not to the second."""
    if trial.state not in _COUNTING or trial.host not in told.given:
        return None
    at, seconds = told.given[trial.host]
    left = seconds - (clock.now() - at).total_seconds()
    return {
        "seconds_left": max(round(left), 0),
        "back_to": plain(trial.facts.get("good", "the good kernel")),
        "given": moment(at),
        "seconds_given": round(seconds),
    }


def _soak(trial: TrialState, picture: str) -> dict[str, Any] | None:
    if not trial.verdict and not trial.samples:
        return None
    said = trial.verdict
    return {
        "outcome": mark_shown(str(said.get("outcome", "unknown"))),
        "because": plain(said.get("because", "nothing was judged yet")),
        "picture": picture if said else None,
        "good_seconds": round(trial.loaded("good")),
        "candidate_seconds": round(trial.loaded("candidate")),
        "series": [
            {
                "series": plain(one.get("series", "")),
                "outcome": mark_shown(str(one.get("outcome", "unknown"))),
                "effect": one.get("effect"),
                "interval": one.get("interval"),
                "because": plain(one.get("because", "")),
            }
            for one in said.get("series", ())
        ],
    }


def line_shown(line: Line) -> dict[str, Any]:
    """A line of the story."""
    return {
        "at": moment(line.at),
        "host": plain(line.host),
        "step": plain(line.step),
        "text": plain(line.text),
        "mark": mark_shown(line.mark),
        "seconds": line.seconds,
        "detail": [plain(one) for one in line.detail],
    }
