"""The time line, page by page: a stretch of the journal as lines, told as if everything before it had been told too.

What is in: what must be known of the time before a stretch, and reading it. What is not: how a line looks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seatrial.journal.store import Journal
from seatrial.model.event import Event, Kind
from seatrial.model.failover import FailoverState, fold_failover
from seatrial.model.fold import RolloutState, advance, fold
from seatrial.model.trials import Trials
from seatrial.model.trialstate import TrialState
from seatrial.report.failover import FailoverNarrator
from seatrial.report.narrate import Line, Narrator
from seatrial.web.told import LIGHT

EVENTS = 300
Placed = tuple[int, str, Line]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Lines, oldest first, each with its Event's place and the name that it belongs to; `earlier` is where the page before it ends."""

    lines: tuple[Placed, ...]
    earlier: int | None


def page(
    journal: Journal,
    rollout: str | None,
    *,
    host: str | None = None,
    before: int | None = None,
    trials: Mapping[str, TrialState] | None = None,
) -> Page:
    """The newest lines in front of place `before`, of one rollout or failover, of one host in it, or of everything.

    `trials` are those of the rollout in front of `before`, for whoever has them: of ten thousand they take seconds to read.
    """
    events = journal.read(rollout, host=host, before=before, limit=EVENTS, newest=True)
    narrators: dict[str, Narrator | FailoverNarrator | None] = {}
    lines: list[Placed] = []
    for event in events:
        if event.rollout not in narrators:
            narrators[event.rollout] = _primed(journal, event.rollout, events, trials)
        narrator = narrators[event.rollout]
        told = narrator.feed(event) if narrator is not None else _of_none(event)
        lines += [(event.seq, event.rollout, line) for line in told]
    return Page(lines=tuple(lines), earlier=events[0].seq if len(events) == EVENTS else None)


def _primed(
    journal: Journal, name: str, events: Sequence[Event], known: Mapping[str, TrialState] | None
) -> Narrator | FailoverNarrator | None:
    """A narrator that knows what was before these Events: of each host in them all, of the others that they are there."""
    mine = [event for event in events if event.rollout == name]
    first = mine[0].seq
    if name.startswith("f"):
        teller = FailoverNarrator(name)
        teller.state = (
            fold_failover(journal.read(name, before=first), failover=name)
            if first > 1
            else FailoverState(id=name)
        )
        return teller
    if not name.startswith("r"):
        return None
    narrator = Narrator(name)
    took = journal.read(name, before=first, kinds=(Kind.CONTROLLER_TOOK,), limit=1)
    hosts = dict.fromkeys(event.host for event in mine if event.host)
    trials = _trials(journal, name, tuple(hosts), first)
    # Nothing on this page is about the hosts that are not on it, so that those are as they will be behind it.
    if mine[0].kind != Kind.ROLLOUT_STARTED and any(event.kind == Kind.ROLLOUT_ENDED for event in mine):
        # The end names hosts that were never touched, so for this page all are wanted.
        if known is None:
            known = fold(journal.read(name, before=first, kinds=LIGHT), rollout=name).trials
        trials = {**known, **trials}
    narrator.begin(RolloutState(id=name, trials=Trials.of(trials)), controllers=len(took))
    return narrator


def _trials(journal: Journal, name: str, hosts: Sequence[str], before: int) -> Mapping[str, TrialState]:
    """Some trials as they were in front of a place of the journal."""
    alone = RolloutState(id=name, trials={host: TrialState(host=host) for host in hosts})
    # In one question: a page has some fifty hosts, and a database on another machine is as many times as far away.
    for event in journal.read(name, host=hosts, before=before) if hosts else ():
        alone = advance(alone, event)
    return alone.trials


def _of_none(event: Event) -> list[Line]:
    """What belongs to no rollout and no failover: a person's line, a word on a kernel, an audit, exports."""
    data = event.data
    match event.kind:
        case Kind.NOTE:
            return [Line(at=event.at, step="note", text=f"{data.get('text', '')} ({event.by})")]
        case Kind.KERNEL_MARKED:
            word = "good" if data.get("good") else "bad"
            roles = ", ".join(map(str, data.get("roles", ())))
            text = (
                f"{data.get('kernel')} is {word} for role {roles}, says {event.by}: {data.get('because', '')}"
            )
            return [Line(at=event.at, step="kernel", text=text)]
        case Kind.KERNEL_OVERRIDDEN:
            until = f"until {data['until']}" if data.get("until") else "no longer"
            text = f"{data.get('kernel')} may be tried {until}, says {event.by}: {data.get('why', '')}"
            return [Line(at=event.at, step="kernel", text=text)]
        case Kind.KERNELS_IMPORTED:
            text = f"{len(data.get('verdicts', ()))} verdicts of {data.get('signer')} taken in by {event.by}"
            return [Line(at=event.at, step="kernels", text=text)]
        case Kind.EXPORTS_APPLIED | Kind.EXPORTS_FAILED:
            mark = "FAIL" if event.kind == Kind.EXPORTS_FAILED else "ok"
            text = str(data.get("problem") or data.get("because") or "")
            return [Line(at=event.at, step=f"exports {data.get('exports', '')}", text=text, mark=mark)]
        case Kind.DRIFT_AUDITED:
            number = len(data.get("findings", ()))
            text = f"{number} finding{'' if number == 1 else 's'} of {data.get('asked', 0)} questions"
            return [Line(at=event.at, host=event.host, step="drift", text=text)]
    return []
