"""Events as lines that a person follows: one line a step, written when the step has ended. Pure.

The live view, `rollout status` and the report all tell a rollout through this one door, so they tell the same story.
What is not in: colour, terminals, the clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from seatrial.model.event import Event, Kind
from seatrial.model.fold import RolloutState, TrialState, advance
from seatrial.model.result import Outcome
from seatrial.model.trial import State

MARKS = {Outcome.PASS: "ok", Outcome.FAIL: "FAIL", Outcome.UNKNOWN: "UNKNOWN", Outcome.SKIP: "skipped"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the story. `mark` is ok, FAIL, UNKNOWN or empty; `detail` are lines that stand below it."""

    at: datetime
    host: str = ""
    step: str = ""
    text: str = ""
    mark: str = ""
    seconds: float | None = None
    detail: tuple[str, ...] = ()


class Narrator:
    """Makes lines of the Events of one rollout, fed in order."""

    def __init__(self, rollout: str) -> None:
        self.state = RolloutState(id=rollout)
        self._controllers = 0

    def begin(self, state: RolloutState, *, controllers: int = 0) -> None:
        """Go on from a state that somebody else has folded; `controllers` had it before, 0 for none."""
        self.state, self._controllers = state, controllers

    def feed(self, event: Event) -> list[Line]:
        """The lines that this Event adds."""
        before = self.state
        self.state = advance(self.state, event)
        if event.kind == Kind.CONTROLLER_TOOK:
            self._controllers += 1
            # The first one is no news; a later one means that somebody took over.
            return [_took_over(event)] if self._controllers > 1 else []
        trial = before.trials.get(event.host)
        lines = _tell_trial(event, trial, before) if trial is not None else _tell_rollout(event, self.state)
        return [line for line in lines if line.text or line.step]


def narrate(events: Iterable[Event], *, rollout: str) -> list[Line]:
    """All lines of a rollout."""
    narrator = Narrator(rollout)
    return [line for event in events for line in narrator.feed(event)]


def _tell_rollout(event: Event, state: RolloutState) -> list[Line]:
    data = event.data
    match event.kind:
        case Kind.ROLLOUT_STARTED:
            roles = sorted({role for some in data.get("roles", {}).values() for role in some})
            hosts = len(data["hosts"])
            text = (
                f"to {data['candidate']}   {_many(hosts, 'host')}   role {', '.join(roles)}   by {event.by}"
            )
            return [Line(at=event.at, step=f"rollout {event.rollout}", text=text + _quoted(data.get("why")))]
        case Kind.GATE_OPENED:
            return [Line(at=event.at, step=str(data["stage"]), text=f"gate open: {data.get('because', '')}")]
        case Kind.ROLLOUT_HELD:
            hint = (f"hint: {data['hint']}",) if data.get("hint") else ()
            return [Line(at=event.at, step="waits", text=str(data.get("because") or "goes on"), detail=hint)]
        case Kind.FLEET_SURVEYED if data.get("down"):
            down = [str(host) for host in data["down"]]
            text = f"{_some(down)} of {data.get('asked')} do not answer"
            return [Line(at=event.at, step="survey", text=text)]
        case Kind.STAGE_APPROVED | Kind.STAGE_FORCED:
            return [
                Line(
                    at=event.at,
                    step=str(data["stage"]),
                    text=f"{event.kind.removeprefix('stage.')} by {event.by}{_ticket(data)}"
                    + _quoted(data.get("why")),
                )
            ]
        case Kind.ROLLOUT_PAUSED | Kind.ROLLOUT_RESUMED | Kind.ROLLOUT_ABORTED:
            did = event.kind.removeprefix("rollout.")
            return [
                Line(at=event.at, step=did, text=f"by {event.by}{_ticket(data)}" + _quoted(data.get("why")))
            ]
        case Kind.CONTROLLER_TOOK:
            return [
                Line(
                    at=event.at, step="controller", text=f"process {data.get('pid')} on {data.get('machine')}"
                )
            ]
        case Kind.ROLLOUT_ENDED:
            mark = "ok" if data["outcome"] == "blessed" else "FAIL"
            text = f"{data['outcome']}: {data.get('because', '')}"
            untouched = [t.host for t in state.trials.values() if t.state is State.PLANNED]
            detail = (f"not touched: {_some(untouched)}",) if untouched else ()
            return [Line(at=event.at, step=f"rollout {event.rollout}", text=text, mark=mark, detail=detail)]
        case Kind.NOTICE_FAILED:
            # No mark: that somebody was not told says nothing of the rollout.
            text = f"{data.get('to')} was not told of #{data.get('of')}: {data.get('because', '')}"
            return [Line(at=event.at, step="notify", text=text)]
        case Kind.NOTE:
            return [Line(at=event.at, step="note", text=f"{data.get('text', '')} ({event.by})")]
    return []


def _tell_trial(event: Event, trial: TrialState, state: RolloutState) -> list[Line]:
    data = event.data
    match event.kind:
        case Kind.RESULTS:
            # The diagnosis was written just before its results; people read it after them.
            named = trial.diagnosis if trial.diagnosis.get("purpose") == data["purpose"] else {}
            return [_results(event), *_diagnosis(event, named)]
        case Kind.TRIAL_ACTED:
            return _acted(event)
        case Kind.SAMPLES:
            return _measured(event, trial)
        case Kind.VERDICT:
            return _verdict(event)
        case Kind.SUSPECTS:
            return _suspects(event)
        case Kind.CHANGED:
            return _changed(event)
        case Kind.TRIAL_FAILED:
            detail = (f"hint: {data['hint']}",) if data.get("hint") else ()
            return [_line(event, str(data["act"]), str(data.get("problem", "")), "FAIL", detail=detail)]
        case Kind.TRIAL_MOVED:
            return _moved(event, trial, state)
        case Kind.HOST_SKIPPED | Kind.HOST_FORCED:
            did = event.kind.removeprefix("host.")
            return [_line(event, did, f"by {event.by}{_ticket(data)}" + _quoted(data.get("why")))]
    return []


def _line(
    event: Event,
    step: str,
    text: str,
    mark: str = "",
    *,
    seconds: float | None = None,
    detail: tuple[str, ...] = (),
) -> Line:
    return Line(at=event.at, host=event.host, step=step, text=text, mark=mark, seconds=seconds, detail=detail)


def _results(event: Event) -> Line:
    results = [dict(result) for result in event.data.get("results", ())]
    purpose = str(event.data["purpose"])
    counts = {outcome: sum(1 for r in results if r["outcome"] == outcome) for outcome in Outcome}
    wrong = [r for r in results if r["outcome"] in (Outcome.FAIL, Outcome.UNKNOWN)]
    if purpose == "preflight":
        text = event.data.get("summary") or f"{len(results)} questions about the way back"
    else:
        text = event.data.get("summary") or f"{len(results)} flows and checks"
    told = (
        ", ".join(f"{number} {outcome}" for outcome, number in counts.items() if number)
        or "nothing was asked"
    )
    mark = (
        MARKS[Outcome.FAIL]
        if counts[Outcome.FAIL]
        else MARKS[Outcome.UNKNOWN]
        if wrong or not results
        else "ok"
    )
    step = {"exercise": "flows", "soak": "soak"}.get(purpose, purpose)
    told_once = dict.fromkeys(f"hint: {hint}" for result in wrong if (hint := _hint(result)))
    detail = (*(f"{result['check']:<28} {result['because']}" for result in wrong), *told_once)
    return _line(event, step, f"{text}: {told}", mark, seconds=event.data.get("seconds"), detail=detail)


def _diagnosis(event: Event, named: Mapping[str, Any]) -> list[Line]:
    if not named:
        return []
    return [
        _line(
            event,
            "diagnosis",
            str(named["because"]),
            detail=tuple(str(note) for note in named.get("notes", ())),
        )
    ]


def _hint(result: Mapping[str, Any]) -> str:
    # What to do about a flow that failed is the diagnosis's to say.
    is_flow = "sent" in result.get("evidence", {})
    return "" if is_flow and result["outcome"] == Outcome.FAIL else str(result.get("hint", ""))


def _measured(event: Event, trial: TrialState) -> list[Line]:
    """How far the measuring of the good kernel is; what the candidate shows is told by its verdicts."""
    data = event.data
    if data.get("arm") == "candidate" and data.get("new"):
        return [_line(event, "kernel", "new warnings in its log", detail=tuple(data["new"][:3]))]
    if data.get("arm") != "good":
        return []
    so_far = trial.loaded("good") + float(data.get("loaded", 0.0))
    counted = "" if data.get("loaded") else ", too little load to count"
    detail = tuple(f"missing: {one}" for one in data.get("missing", ()))
    text = (
        f"{len(data.get('series', {}))} series on the good kernel, {so_far:.0f} s under load so far{counted}"
    )
    return [_line(event, "measured", text, seconds=float(data.get("seconds", 0.0)), detail=detail)]


def _verdict(event: Event) -> list[Line]:
    data = event.data
    mark = {Outcome.PASS: "ok", Outcome.FAIL: "FAIL"}.get(Outcome(data["outcome"]), "")
    loaded = data.get("loaded", {}).get("candidate", 0.0)
    return [_line(event, "measured", f"{loaded:.0f} s under load: {data.get('because', '')}", mark)]


def _suspects(event: Event) -> list[Line]:
    data = event.data
    some = list(data.get("suspects", ()))
    if not some:
        return []
    first = some[0]
    known = f", taken back in {first['reverted_in']}" if first.get("reverted_in") else ""
    more = f"{len(some) - 1} more: " if len(some) > 1 else ""
    text = f"first of {data['examined']:,} patches to look at: {first['subject']}{known}"
    return [_line(event, "suspects", f"{text} ({more}seatrial suspects {event.rollout})")]


_MOST_CHANGES = 5


def _changed(event: Event) -> list[Line]:
    """What else has changed since the trial began; nothing is said where nothing has."""
    data = event.data
    place = str(data.get("place", ""))
    where = "" if place == event.host else f" on {place}"
    if data.get("unread"):
        return [_line(event, "besides", f"what else changed{where} is not known: {data['unread']}")]
    told = [str(one.get("sentence", "")) for one in data.get("changes", ())]
    if not told:
        return []
    text = f"{_many(len(told), 'thing')} changed{where} besides the kernel"
    more = (f"and {len(told) - _MOST_CHANGES} more",) if len(told) > _MOST_CHANGES else ()
    return [_line(event, "besides", text, detail=(*told[:_MOST_CHANGES], *more))]


_ACTED = {
    "drain": "traffic moved to its peer",
    "attract": "traffic moved here, onto the host on trial",
    "extend": "the guard gives more time",
    "disarm": "guard and one-shot boot taken away again",
    "silence": "its alerts are silenced while it is on trial",
    "unsilence": "its alerts are not silenced any more",
}


def _acted(event: Event) -> list[Line]:
    text = _ACTED.get(str(event.data["act"]))
    return (
        []
        if text is None
        else [
            _line(
                event,
                "traffic" if "traffic" in text else "alerts" if "alerts" in text else "guard",
                text,
                "ok",
                seconds=event.data.get("seconds"),
            )
        ]
    )


def _moved(event: Event, trial: TrialState, state: RolloutState) -> list[Line]:
    because = str(event.data.get("because", ""))
    hint = (f"hint: {event.data['hint']}",) if event.data.get("hint") else ()
    since = (event.at - trial.since).total_seconds() if trial.since else None
    match State(event.data["to"]):
        case State.ARMED:
            return [_line(event, "armed", f"guard: {because}", "ok", seconds=since)]
        case State.ON_TRIAL:
            return [_line(event, "reboot", because, "ok", seconds=since)]
        case State.BLESSED:
            return [_line(event, "blessed", because, "ok")]
        case State.REVERTING:
            good = trial.facts.get("good", "the good kernel")
            known = because == trial.diagnosis.get("because")
            return [_line(event, "revert", f"back to {good}" if known else because, "" if known else "FAIL")]
        case State.REVERTED:
            return [_line(event, "reverted", because, "ok", seconds=since)]
        case State.REFUSED | State.UNDONE | State.STUCK as to:
            return [_line(event, str(to), because, "FAIL", detail=hint)]
    return []


def _took_over(event: Event) -> Line:
    who = f"process {event.data.get('pid')} on {event.data.get('machine')}"
    return Line(at=event.at, step="controller", text=f"{who} goes on where the one before it stopped")


def _some(hosts: list[str]) -> str:
    """The first few names; of ten thousand nobody reads more."""
    return ", ".join(hosts[:8]) + (f" and {len(hosts) - 8} more" if len(hosts) > 8 else "")


def _many(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")


def _ticket(data: Mapping[str, Any]) -> str:
    return f" ({data['ticket']})" if data.get("ticket") else ""


def _quoted(why: object) -> str:
    return f', "{why}"' if why else ""
