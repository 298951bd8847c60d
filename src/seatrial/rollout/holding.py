"""What could hold one host's trial, by what the fleet file declares: for those who ask why there and then. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from seatrial.model.fleet import Fleet
from seatrial.model.text import duration
from seatrial.rollout.calendar import shut_because
from seatrial.rollout.tally import keys_of


def what_holds(fleet: Fleet, host: str, now: datetime) -> tuple[str, ...]:
    """Each in one sentence: the gate, peers, budgets, windows, freezes, blockers, failures."""
    return tuple(_each(fleet, host, now))


def _each(fleet: Fleet, host: str, now: datetime) -> Iterator[str]:
    pace, stage = fleet.rollout, fleet.stage(fleet.hosts[host].stage)
    number = fleet.stages.index(stage)
    if stage.gate == "approval":
        yield f"stage {stage.name} wants a person's approval"
    if number:
        before = fleet.stages[number - 1].name
        wanted = [f"{pace.evidence.blessed} hosts blessed there"] if pace.evidence.blessed else []
        wanted += [f"the newest for {duration(pace.evidence.settled)}"] if pace.evidence.settled else []
        wanted += [f"none older than {duration(pace.evidence.oldest)}"] if pace.evidence.oldest else []
        yield f"all trials of {before} must have ended" + (f", {', '.join(wanted)}" if wanted else "")
    if peers := fleet.peers_of(host):
        yield f"never while {' or '.join(peers)} is on trial, silent, or waits for a person"
    for budget in pace.budgets:
        for kind, value in keys_of(fleet, host):
            if kind == budget.per and (not budget.only or value in budget.only):
                size = sum((kind, value) in keys_of(fleet, other) for other in fleet.hosts)
                yield f"at most {budget.limit(size)} of {size} hosts of {kind} {value} away, whatever for"
    for window in pace.windows:
        if not window.stages or stage.name in window.stages:
            days = "every day" if len(window.days) == 7 else " ".join(window.days)
            yield f"within {days} {window.begin} to {window.until} {window.zone}"
    for freeze in pace.freezes:
        if not freeze.stages or stage.name in freeze.stages:
            span = f"{freeze.begin} to {freeze.until}".replace("T", " ")
            yield f"not from {span} {freeze.zone}: {freeze.why}"
    if names := list(pace.blockers_of(stage.name)):
        yield f"while {', '.join(names)} {'passes' if len(names) == 1 else 'pass'} (blockers)"
    most = pace.max_failed
    yield f"never after {most + 1} trial{'' if not most else 's'} ended other than blessed"
    if shut := shut_because(pace, stage.name, now):
        yield f"now: {shut}"
