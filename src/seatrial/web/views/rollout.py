"""The page of one rollout: stages with their gates, the trial on screen, the time line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from seatrial.clock import Clock
from seatrial.errors import InputError
from seatrial.model.fold import TrialState
from seatrial.model.trial import State
from seatrial.web.following import Following
from seatrial.web.timeline import page as lines_of
from seatrial.web.told import Told
from seatrial.web.views.board import fleet_shown, kernel_of, summary
from seatrial.web.views.guard import guard
from seatrial.web.views.matrix import matrix
from seatrial.web.views.now import stages_that_wait
from seatrial.web.views.path import suspects
from seatrial.web.views.words import line_shown, mark_shown, moment, plain, state_shown

MOST_PATCHES = 4
MOST_CHANGES = 40
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


def told_of(following: Following, name: str) -> Told:
    """The rollout of that name. Raises InputError and CouldNotAct."""
    try:
        return following.told(name)
    except KeyError:
        known = ", ".join(list(following.heads)[-5:]) or "none yet"
        raise InputError(
            f"there is no rollout {plain(name)[:80]!r}", hint=f"the latest are: {known}"
        ) from None


def rollout(following: Following, name: str, clock: Clock, host: str = "") -> dict[str, Any]:
    """Everything of a rollout's page; `host` chooses whose trial is on screen. Raises InputError and CouldNotAct."""
    told = told_of(following, name)
    state = told.state
    if host and host not in state.trials:
        raise InputError(
            f"there is no host {plain(host)[:80]!r} in {name}", hint="the page of the rollout names its hosts"
        )
    chosen = host or on_screen(told)
    trial = following.trial(told, chosen) if chosen else None
    lines, earlier = _lines(following, told, host)
    return {
        "rollout": summary(state),
        "paused_why": plain(state.paused),
        "held_hint": plain(state.held_hint),
        "wants": stages_that_wait(told),
        "fleet": fleet_shown(told),
        "trial": trial_shown(told, trial, clock) if trial else None,
        "others": _others(told, chosen),
        "chosen": bool(host),
        "lines": lines,
        "earlier": earlier,
        "problem": plain(following.problem),
        "seq": following.seq,
    }


def _lines(following: Following, told: Told, host: str) -> tuple[list[dict[str, Any]], int | None]:
    """The newest lines, and where the page before them ends, None where there is none."""
    name = told.state.id
    if host:
        found = lines_of(following.journal, name, host=host)
        return [line_shown(line, name, seq) for seq, _, line in found.lines], found.earlier
    with following.lock:
        kept = list(told.lines)
    first = kept[0][0] if len(kept) == told.lines.maxlen else None
    return [line_shown(line, name, seq) for seq, line in kept], first


def on_screen(told: Told) -> str:
    """The host whose trial people want to see: the one under way, else the one that ended the rollout; "" without any."""
    trials: Sequence[TrialState] = tuple(told.state.trials.values())
    under_way = [one for one in trials if one.under_way]
    going_back = [one for one in under_way if one.state in (State.REVERTING, State.STUCK)]
    ended = [one for one in trials if one.over and one.state is not State.BLESSED and not one.skipped]
    blessed = sorted(
        (one.since.timestamp(), one.host) for one in trials if one.state is State.BLESSED and one.since
    )
    # The last one that was blessed is what was looked at last.
    found = next(iter((*going_back, *under_way, *ended)), None)
    return found.host if found else blessed[-1][1] if blessed else ""


def _others(told: Told, host: str) -> list[dict[str, Any]]:
    """The other trials under way, a few of them."""
    found = [one for one in told.state.trials.values() if one.under_way and one.host != host]
    return [{"name": one.host, "state": state_shown(one.state)} for one in found[:12]]


def trial_shown(told: Told, trial: TrialState, clock: Clock) -> dict[str, Any]:
    """One trial: its road, its guard, its flows, its suspects and what the soak means."""
    may_begin = not trial.under_way and not trial.over and not told.state.ended
    return {
        "host": trial.host,
        "state": state_shown(trial.state),
        "since": moment(trial.since),
        "because": plain(trial.because or trial.problem),
        "hint": plain(trial.hint or trial.problem_hint),
        "kernel": plain(kernel_of(trial, told.state.candidate)),
        "good": plain(trial.facts.get("good", "")),
        "doing": plain(trial.intent),
        "wave": plain(trial.wave),
        "skipped": plain(trial.skipped),
        "forced": plain(trial.forced),
        "seen_to": plain(trial.seen_to),
        "may_skip": may_begin or (trial.state is State.STUCK and not trial.seen_to and not told.state.ended),
        "may_force": may_begin and not trial.forced,
        "road": _road(trial),
        "guard": guard(trial, clock),
        "flows": matrix(trial, told.fleet),
        "diagnosis": suspects(trial, told.fleet),
        "patches": _patches(trial),
        "besides": _besides(trial),
        "machine": _machine(trial),
        "soak": _soak(told, trial),
    }


def _patches(trial: TrialState) -> dict[str, Any] | None:
    """The patches between the two kernels to look at first, ranked when the trial had failed."""
    found = trial.suspects
    if not found:
        return None
    return {
        "old": plain(found.get("old", "")),
        "new": plain(found.get("new", "")),
        "examined": int(found.get("examined", 0)),
        "changelog": plain(found.get("changelog", "")),
        "first": [
            {
                "subject": plain(one.get("subject", "")),
                "version": plain(one.get("version", "")),
                "score": one.get("score"),
                "because": [plain(word) for word in one.get("because", ())],
                "reverted_in": plain(one.get("reverted_in") or ""),
            }
            for one in list(found.get("suspects", ()))[:MOST_PATCHES]
        ],
    }


def _besides(trial: TrialState) -> list[dict[str, Any]]:
    """What else differed on the host and its peers from the snapshots that the trial began with."""
    return [
        {
            "place": plain(place),
            "changes": [
                plain(one.get("sentence", "")) for one in list(said.get("changes", ()))[:MOST_CHANGES]
            ],
            "more": max(len(said.get("changes", ())) - MOST_CHANGES, 0),
            "unread": plain(said.get("unread", "")),
        }
        for place, said in trial.changed.items()
    ]


def _machine(trial: TrialState) -> str:
    said = trial.described
    return ", ".join(plain(said[key]) for key in ("product", "cpu", "bios") if said.get(key))


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


def _soak(told: Told, trial: TrialState) -> dict[str, Any] | None:
    if not trial.verdict and not trial.samples:
        return None
    said = trial.verdict
    # Another address for each stretch, so that a browser shows the picture that has it.
    picture = f"/rollouts/{told.state.id}/hosts/{quote(trial.host)}/soak.svg?{len(trial.samples)}"
    return {
        "outcome": mark_shown(str(said.get("outcome", "unknown"))),
        "because": plain(said.get("because", "nothing was judged yet")),
        "picture": picture if told.fleet and trial.samples else None,
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
