"""Small fleets on paper, and rollouts over them whose trials end as a test says: what the course is tried on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from seatrial.model.event import Event, Kind
from seatrial.model.fleet import Fleet
from seatrial.model.fold import RolloutState, advance
from seatrial.model.result import Result
from seatrial.model.trial import State
from seatrial.rollout.course import AskCarriers, Begin, Facts, OpenGate, Step, Survey, next_step
from seatrial.rollout.tally import Tally

# A Thursday.
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
WAY = {
    "blessed": (
        State.PREFLIGHT, State.DRAINED, State.ARMED, State.REBOOTING, State.ON_TRIAL, State.EXERCISED, State.SOAKING,
        State.BLESSED,
    ),
    "reverted": (
        State.PREFLIGHT, State.DRAINED, State.ARMED, State.REBOOTING, State.REVERTING, State.REVERTED,
    ),
    "stuck": (State.PREFLIGHT, State.DRAINED, State.ARMED, State.STUCK),
    "refused": (State.REFUSED,),
}  # fmt: skip


def small(
    *,
    stages: Mapping[str, int] | None = None,
    groups: Mapping[str, tuple[str, ...]] | None = None,
    approval: tuple[str, ...] = (),
    moved: bool = True,
    **pace: Any,
) -> Fleet:
    """Hosts `STAGE-1`, `STAGE-2`, ... two to a rack, with `pace` as the fleet file would have it.

    `moved`: whether the traffic of a group can be moved between its hosts.
    """
    counts = stages or {"production": 6}
    hosts = {
        f"{stage}-{n}": {
            "stage": stage,
            "roles": ("cache",),
            "reach": {"simulated": True},
            "rack": f"{stage}-r{(n + 1) // 2}",
            "site": f"site-{n % 2}",
        }
        for stage, number in counts.items()
        for n in range(1, number + 1)
    }
    return Fleet.model_validate(
        {
            "version": 1,
            "name": "small",
            "stages": tuple(
                {"name": stage, "gate": "approval" if stage in approval else "evidence"} for stage in counts
            ),
            "hosts": hosts,
            "groups": {
                name: {
                    "hosts": members,
                    "mover": {"driver": "keepalived", "address": f"192.0.2.{place}"}
                    if moved
                    else {"driver": "none"},
                }
                for place, (name, members) in enumerate((groups or {}).items(), start=1)
            },
            "rollout": pace,
        }
    )


class PaperRollout:
    """A rollout whose trials are begun by the course and ended by the test."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.now = NOW
        self.state = RolloutState(id="r1")
        self.events: list[Event] = []
        self.blockers: tuple[Result, ...] | None = ()
        self.incidents: tuple[str, ...] = ()
        self.carriers: dict[str, frozenset[str] | None] = {
            name: frozenset({group.hosts[0]}) for name, group in fleet.groups.items()
        }
        self.note(Kind.ROLLOUT_STARTED, candidate="6.1.0-56", hosts=list(fleet.hosts))
        self.tally = Tally(fleet, self.state.trials)

    def note(self, kind: Kind, *, host: str = "", **data: Any) -> None:
        event = Event(seq=len(self.events) + 1, at=self.now, kind=kind, rollout="r1", host=host, data=data)
        self.events.append(event)
        before, self.state = self.state, advance(self.state, event)
        if host:
            self.tally.follow(before.trials[host], self.state.trials[host])
        elif kind is Kind.FLEET_SURVEYED:
            self.tally.now_down(self.state.down)

    def step(self) -> Step:
        return next_step(
            self.state,
            self.tally,
            self.fleet,
            Facts(now=self.now, carriers=self.carriers, blockers=self.blockers, incidents=self.incidents),
        )

    def go(self, *, down: tuple[str, ...] = ()) -> Step:
        """Take steps until nothing more begins; the step that says why."""
        while True:
            step = self.step()
            match step:
                case OpenGate():
                    self.note(Kind.GATE_OPENED, stage=step.stage, because=step.because)
                case Begin():
                    for start in step.starts:
                        self.note(Kind.TRIAL_BEGUN, host=start.host, wave=start.wave)
                case Survey():
                    self.note(Kind.FLEET_SURVEYED, down=list(down))
                case AskCarriers():
                    raise AssertionError("the carriers of all groups were told")
                case _:
                    return step

    def end(self, host: str, how: str = "blessed") -> None:
        for to in WAY[how]:
            self.note(Kind.TRIAL_MOVED, host=host, to=str(to), because=how)

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @property
    def under_way(self) -> list[str]:
        return [host for host, trial in self.state.trials.items() if trial.under_way]
