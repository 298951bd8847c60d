"""Events as notices: which of them somebody may want to be told of, in one sentence, and as a line of an admin log. Pure.

The sentence is the one that the live view and the report have. What is not in: who wants which, and sending.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from seatrial.model.event import Event, Kind
from seatrial.model.fold import RolloutState
from seatrial.model.notify import About
from seatrial.model.said import clean
from seatrial.model.trial import State
from seatrial.report.narrate import Line, Narrator

LONGEST = 380
_WISHES = (
    Kind.ROLLOUT_PAUSED,
    Kind.ROLLOUT_RESUMED,
    Kind.ROLLOUT_ABORTED,
    Kind.STAGE_APPROVED,
    Kind.STAGE_FORCED,
    Kind.HOST_SKIPPED,
    Kind.HOST_FORCED,
)
_MOVES: dict[str, About] = {
    State.ON_TRIAL: "on-trial",
    State.BLESSED: "blessed",
    State.REVERTING: "reverting",
    State.REVERTED: "reverted",
    State.REFUSED: "refused",
    State.UNDONE: "undone",
    State.STUCK: "stuck",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What somebody is told. `of` is the place of the Event; `id` is the same whenever it is sent again.

    `mood` is info, success, warning or failure; `text` and `sal` are one line each, without control characters.
    """

    of: int
    at: datetime
    kind: str
    about: About
    rollout: str
    host: str
    text: str
    sal: str
    mood: str

    @property
    def id(self) -> str:
        """Its name, for those who are told twice."""
        return f"{self.rollout}/{self.of}"


class Announcer:
    """Makes notices of the Events of one rollout, fed in order."""

    def __init__(self, rollout: str) -> None:
        self._narrator = Narrator(rollout)

    def feed(self, event: Event) -> Notice | None:
        """The notice that this Event is worth, None for most."""
        before = self._narrator.state
        lines = self._narrator.feed(event)
        about = _about(event)
        if about is None:
            return None
        state = self._narrator.state
        text = f"{event.rollout} {event.host}".strip() + f": {_sentence(lines)}"
        return Notice(
            of=event.seq,
            at=event.at,
            kind=event.kind,
            about=about,
            rollout=event.rollout,
            host=event.host,
            text=clean(text, LONGEST),
            sal=clean(_sal(event, about, state, before), LONGEST),
            mood=_mood(event, about),
        )


def _about(event: Event) -> About | None:
    data = event.data
    match event.kind:
        case Kind.ROLLOUT_STARTED:
            return "started"
        case Kind.ROLLOUT_HELD if data.get("because"):
            return "approval" if data.get("approves") else "held"
        case Kind.GATE_OPENED:
            return "gate"
        case Kind.ROLLOUT_ENDED:
            return "ended"
        case Kind.TRIAL_MOVED:
            return _MOVES.get(str(data.get("to")))
    return "wish" if event.kind in _WISHES else None


def _mood(event: Event, about: About) -> str:
    if about in ("reverting", "reverted", "stuck", "refused", "undone"):
        return "failure"
    if about in ("approval", "held"):
        return "warning"
    if about == "ended":
        return "success" if event.data.get("outcome") == "blessed" else "failure"
    return "success" if about == "blessed" else "info"


def _sentence(lines: Sequence[Line]) -> str:
    """The lines of an Event on one, with what to do about it."""
    told = []
    for line in lines:
        step = "" if line.step.startswith("rollout ") else f"{line.step}: "
        told.append(f"{step}{line.text}" + "".join(f"; {detail}" for detail in line.detail))
    return "; ".join(told)


def _sal(event: Event, about: About, state: RolloutState, before: RolloutState) -> str:
    ticket = str(event.data.get("ticket") or "") or _ticket(state)
    who = event.by if about in ("wish", "started") else state.by
    # A mark at its beginning is what makes the bot take it down; nothing of an Event may put another one there.
    return (
        f"!log {who or 'seatrial'}: {_did(event, about, state, before)} ({event.rollout}) {ticket}".rstrip()
    )


def _ticket(state: RolloutState) -> str:
    """Where it was decided: the newest approval's ticket, else that of the one who began it."""
    return next((one.ticket for one in reversed(state.approvals) if one.ticket), state.ticket)


def _did(event: Event, about: About, state: RolloutState, before: RolloutState) -> str:
    data, host, kernel = event.data, event.host, f"kernel {state.candidate}"
    because = str(data.get("because", ""))
    trial = before.trials.get(host)
    good = str(trial.facts.get("good", "the good kernel")) if trial else "the good kernel"
    says: dict[About, str] = {
        "started": f"rollout of {kernel} to {len(state.trials)} hosts begins",
        "approval": f"{kernel} waits for a person: {because}",
        "held": f"{kernel} waits: {because}",
        "gate": f"{kernel} goes into {data.get('stage')}: {because}",
        "on-trial": f"{kernel} on trial on {host}",
        "blessed": f"{kernel} blessed on {host}",
        "reverting": f"{kernel} failed on {host}, back to {good}: {because}",
        "reverted": f"{host} is back on {good}, {kernel} failed: {trial.cause if trial else because}",
        "refused": f"{kernel} refused on {host}: {because}",
        "undone": f"{kernel} undone on {host}: {because}",
        "stuck": f"{kernel} stuck on {host}, a person is needed: {because}",
        "wish": _wish(event.kind, data, host, kernel),
        "ended": f"rollout of {kernel} ended, {data.get('outcome')}: {because}",
    }
    return says[about]


def _wish(kind: str, data: Any, host: str, kernel: str) -> str:
    did = kind.rpartition(".")[2]
    what = f"{did} {host} for" if host else f"{did} stage {data['stage']} for" if data.get("stage") else did
    why = f": {data['why']}" if data.get("why") else ""
    return f"{what} {kernel}{why}"
