"""TrialState and Round: what the Events so far say of one host's trial. Frozen; folding is fold.py's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from seatrial.model.result import Outcome
from seatrial.model.trial import FINAL, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One round of Results in a trial's journal: `purpose` says what for."""

    purpose: str
    at: datetime
    outcome: Outcome
    because: str
    hint: str
    seconds: float
    results: tuple[Mapping[str, Any], ...]
    boot_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Silenced:
    """The silences of a host on trial. `asked` is when they were asked for last, `until` when they end by themselves.

    While `until` is None it is not known whether there are any; `ended` says that there are none any more.
    """

    asked: datetime
    until: datetime | None = None
    ended: bool = False
    problem: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialState:
    """Where one host's Trial stands. `since` is when it came there; `intent` is an act begun and not ended.

    `tries` counts acts begun in this state, by act; one that was cut off with its controller does not count.
    `rounds` keeps the newest Results of each purpose; `facts` is what the moves so far wrote down (armed_boot_id,
    trial_boot_id, ...). `cause` is why it reverts, "" when it does not. `given` is when its guard was last given time, None
    before it counts. `begun` is when the course let it begin, `wave` in which wave; `skipped` and `forced` are a person's
    reasons, and `seen_to` is what was done about one that was stuck.
    `snapshots` are the facts of its host and peers before it, by place, `changed` what differed from them afterwards.
    `samples` are the stretches that a soak has measured, `verdict` what they meant when they were last looked at.
    `described` is what the host said of its hardware and of what it has loaded, {} when it was not asked; `suspects`
    are the patches to look at first, {} when that was not looked for. `silence` is None while no alert was silenced.
    """

    host: str
    state: State = State.PLANNED
    since: datetime | None = None
    because: str = ""
    hint: str = ""
    intent: str = ""
    intent_at: datetime | None = None
    tries: Mapping[str, int] = field(default_factory=dict)
    problem: str = ""
    problem_hint: str = ""
    rounds: Mapping[str, Round] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    diagnosis: Mapping[str, Any] = field(default_factory=dict)
    first_failure: datetime | None = None
    cause: str = ""
    given: datetime | None = None
    begun: datetime | None = None
    wave: str = ""
    skipped: str = ""
    seen_to: str = ""
    forced: str = ""
    samples: tuple[Mapping[str, Any], ...] = ()
    verdict: Mapping[str, Any] = field(default_factory=dict)
    described: Mapping[str, Any] = field(default_factory=dict)
    suspects: Mapping[str, Any] = field(default_factory=dict)
    snapshots: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    changed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    silence: Silenced | None = None

    def loaded(self, arm: str) -> float:
        """Seconds under load that were measured of an arm, `good` or `candidate`."""
        return sum(float(one.get("loaded", 0.0)) for one in self.samples if one.get("arm") == arm)

    @property
    def over(self) -> bool:
        """Whether the trial has ended, or will never be."""
        return self.state in FINAL or bool(self.skipped)

    @property
    def under_way(self) -> bool:
        """Whether it has begun and has not ended. A journal of before `trial.begun` shows it by the first intent."""
        if self.over:
            return False
        return self.begun is not None or self.state is not State.PLANNED or bool(self.tries)
