"""One rollout as the pages keep it: where it stands, light enough for ten thousand hosts, and its newest lines.

What is in: which Events that takes, and what is dropped when a trial is over. What is not: reading them (following.py).
"""

from __future__ import annotations

import functools
from collections import deque
from dataclasses import dataclass, field, replace

from seatrial.errors import SeatrialError
from seatrial.fleetfile import parse
from seatrial.model.event import Event, Kind
from seatrial.model.fleet import Fleet
from seatrial.model.fold import RolloutState
from seatrial.model.trials import Trials
from seatrial.model.trialstate import TrialState
from seatrial.report.narrate import Line, Narrator

MOST_LINES = 150
# What says where a rollout and its trials stand. Results, samples, snapshots and acts are nine tenths of a journal's
# bytes; of a trial under way they are read, and of the others when somebody looks at one.
LIGHT = (
    Kind.ROLLOUT_STARTED,
    Kind.ROLLOUT_PAUSED,
    Kind.ROLLOUT_RESUMED,
    Kind.ROLLOUT_ABORTED,
    Kind.ROLLOUT_HELD,
    Kind.STAGE_APPROVED,
    Kind.STAGE_FORCED,
    Kind.HOST_SKIPPED,
    Kind.HOST_FORCED,
    Kind.GATE_OPENED,
    Kind.ROLLOUT_ENDED,
    Kind.TRIAL_BEGUN,
    Kind.TRIAL_MOVED,
)


@dataclass(slots=True, kw_only=True)
class Told:
    """One rollout: its state and its newest lines, each with the place of its Event."""

    narrator: Narrator
    lines: deque[tuple[int, Line]] = field(default_factory=lambda: deque(maxlen=MOST_LINES))

    @property
    def fleet(self) -> Fleet | None:
        """The fleet that it began with, None where this release cannot read it."""
        return fleet_of(self.state.fleet)

    @property
    def state(self) -> RolloutState:
        """Where it stands."""
        return self.narrator.state

    def put(self, trial: TrialState) -> None:
        """Replace what is known of one trial."""
        trials = self.state.trials
        kept = trials if isinstance(trials, Trials) else Trials.of(trials)
        self.narrator.state = replace(self.state, trials=kept.put(trial))

    def feed(self, event: Event) -> None:
        """One more Event, in order."""
        for line in self.narrator.feed(event):
            self.lines.append((event.seq, line))
        trial = self.state.trials.get(event.host)
        if trial is not None and trial.over:
            self.put(slim(trial))


def slim(trial: TrialState) -> TrialState:
    """A trial without what only its own page shows."""
    return replace(
        trial,
        rounds={},
        samples=(),
        verdict={},
        diagnosis={},
        described={},
        suspects={},
        snapshots={},
        changed={},
    )


@functools.lru_cache(maxsize=4)
def fleet_of(text: str) -> Fleet | None:
    """The fleet of a fleet file's text; one of ten thousand hosts takes seconds to read, so the latest are kept."""
    try:
        return parse(text, filename="the rollout's fleet")
    except SeatrialError:
        # A fleet file of another release: the page does without what only it could tell.
        return None
