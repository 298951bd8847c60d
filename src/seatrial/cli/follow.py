"""A rollout as it runs, for people: a line a step when the step has ended, and the running one alive on a terminal.

It reads the journal and nothing else, so it shows the same whether the controller is this process or another one.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.status import Status

from seatrial.cli.options import print_json
from seatrial.clock import SystemClock
from seatrial.model.fold import RolloutState
from seatrial.model.text import duration, safe
from seatrial.model.trial import State
from seatrial.report.narrate import Line, Narrator

if TYPE_CHECKING:
    from seatrial.journal.store import Journal

_COLOURS = {"ok": "green", "FAIL": "bold red", "UNKNOWN": "yellow", "skipped": "dim"}
_DOING = {
    State.PLANNED: "is asked whether there is a way back, and whether everything works before",
    State.PREFLIGHT: "is being relieved of its traffic",
    State.DRAINED: "gets its guard",
    State.ARMED: "is told to boot the candidate once",
    State.REBOOTING: "is rebooting",
    State.ON_TRIAL: "carries probes on the candidate",
    State.EXERCISED: "begins its soak",
    State.SOAKING: "goes on carrying traffic",
    State.REVERTING: "is on its way back to the good kernel",
}
INTERVAL = 0.2


def show_line(console: Console, line: Line, *, stamps: bool = False) -> None:
    """Print one line of the story, with its details below."""
    colour = _COLOURS.get(line.mark, "")
    mark = f"[{colour}]{line.mark}[/]" if colour else line.mark
    took = duration(line.seconds) if line.seconds is not None else ""
    stamp = f"{line.at:%H:%M:%S}  " if stamps else ""
    place = f"  {safe(line.host):<7}" if line.host else ""
    tail = "   ".join(part for part in (mark, took) if part)
    head = f"{stamp}{place}{line.step:<11}" if line.host else f"{stamp}{line.step:<12} "
    console.print(f"{head}{escape(safe(line.text))}" + (f"   {tail}" if tail else ""))
    for detail in line.detail:
        console.print(f"{' ' * len(stamp)}         {escape(safe(detail))}")


class Follower:
    """Prints what is new in the journal of one rollout."""

    def __init__(self, journal: Journal, rollout: str, *, console: Console, as_json: bool) -> None:
        self._journal = journal
        self._narrator = Narrator(rollout)
        self._rollout = rollout
        self._console = console
        self._as_json = as_json

    @property
    def state(self) -> RolloutState:
        """The rollout as far as it has been shown."""
        return self._narrator.state

    def catch_up(self) -> None:
        """Print all that has come since the last time."""
        for event in self._journal.read(self._rollout, after=self._narrator.state.last):
            lines = self._narrator.feed(event)
            if self._as_json:
                print_json(event)
                continue
            for line in lines:
                show_line(self._console, line)

    async def follow(self) -> None:
        """Go on until the rollout is over or this is cancelled."""
        alive = self._console.is_terminal and not self._as_json
        with self._console.status("") if alive else nullcontext() as status:
            while True:
                self.catch_up()
                if self.state.ended:
                    return
                if isinstance(status, Status):
                    status.update(escape(self._running()))
                # Real time, also when a rehearsal's clock runs fast: this is for eyes.
                await SystemClock().sleep(INTERVAL)

    def _running(self) -> str:
        for trial in self.state.trials.values():
            if not trial.over and (trial.state is not State.PLANNED or trial.tries):
                since = (SystemClock().now() - trial.since).total_seconds() if trial.since else 0.0
                return f"{trial.host} {_DOING[trial.state]}   {duration(max(since, 0))}"
        return "paused" if self.state.is_paused else "between two trials"
