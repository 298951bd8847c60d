"""The course under random wishes, endings, silences and controllers that begin anew: a state machine and an audit beside it."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from seatrial.model.event import Kind
from seatrial.rollout.audit import audit
from seatrial.rollout.course import AskCarriers, Begin, End, OpenGate, Survey
from seatrial.rollout.tally import Tally

from .fleets import PaperRollout, small

HOSTS = [f"{stage}-{n}" for stage in ("staging", "production") for n in range(1, 5)]
PEERS = {"one": ("staging-1", "staging-2"), "two": ("production-1", "production-2", "production-3")}
FLEET = small(
    stages={"staging": 4, "production": 4},
    groups=PEERS,
    approval=("production",),
    canaries=1,
    waves=(2,),
    at_once=3,
    max_failed=2,
    budgets=({"per": "rack", "most": 1}, {"per": "site", "percent": 50}),
    survey=600.0,
)


class Course(RuleBasedStateMachine):
    """One rollout and everybody who has a say in it."""

    def __init__(self) -> None:
        super().__init__()
        self.rollout = PaperRollout(FLEET)
        self.over = False
        self.down: tuple[str, ...] = ()

    @precondition(lambda self: not self.over)
    @rule()
    def goes_on(self) -> None:
        step = self.rollout.step()
        match step:
            case OpenGate():
                self.rollout.note(Kind.GATE_OPENED, stage=step.stage)
            case Begin():
                for start in step.starts:
                    self.rollout.note(Kind.TRIAL_BEGUN, host=start.host, wave=start.wave)
            case Survey():
                self.rollout.note(Kind.FLEET_SURVEYED, down=list(self.down))
            case End():
                self.rollout.note(Kind.ROLLOUT_ENDED, outcome=step.outcome)
                self.over = True
            case AskCarriers():
                raise AssertionError("all carriers were told")

    @precondition(lambda self: bool(self.rollout.under_way))
    @rule(data=st.data(), how=st.sampled_from(["reverted", "stuck", "refused"]))
    def a_trial_ends(self, data: st.DataObject, how: str) -> None:
        self.rollout.end(data.draw(st.sampled_from(self.rollout.under_way)), how)

    @rule(down=st.lists(st.sampled_from(HOSTS), max_size=3, unique=True))
    def hosts_fall_silent(self, down: list[str]) -> None:
        self.down = tuple(down)

    @rule(seconds=st.sampled_from([30.0, 601.0, 86400.0, -7200.0]))
    def time_passes_or_the_clock_is_set(self, seconds: float) -> None:
        self.rollout.later(seconds)

    @precondition(lambda self: not self.over)
    @rule(kind=st.sampled_from([Kind.ROLLOUT_PAUSED, Kind.ROLLOUT_RESUMED, Kind.ROLLOUT_ABORTED]))
    def a_person_stops_or_goes_on(self, kind: Kind) -> None:
        self.rollout.note(kind, why="a wish")

    @precondition(lambda self: not self.over)
    @rule(kind=st.sampled_from([Kind.STAGE_APPROVED, Kind.STAGE_FORCED]))
    def a_person_lets_it_in(self, kind: Kind) -> None:
        self.rollout.note(kind, stage="production", why="a wish")

    @precondition(lambda self: not self.over)
    @rule(host=st.sampled_from(HOSTS), kind=st.sampled_from([Kind.HOST_SKIPPED, Kind.HOST_FORCED]))
    def a_person_picks_a_host(self, host: str, kind: Kind) -> None:
        self.rollout.note(kind, host=host, why="a wish")

    @rule()
    def another_controller_begins_with_the_journal(self) -> None:
        self.rollout.tally = Tally(FLEET, self.rollout.state.trials)
        self.rollout.tally.now_down(self.rollout.state.down)

    @invariant()
    def every_promise_is_kept(self) -> None:
        assert audit(self.rollout.events, FLEET).broken == []

    def teardown(self) -> None:
        """However it stands: once people let it go on and hosts answer, it comes to its end."""
        self.down = ()
        if self.over:
            return
        self.rollout.note(Kind.ROLLOUT_RESUMED, why="at last")
        self.rollout.note(Kind.STAGE_FORCED, stage="production", why="at last")
        for _ in range(200):
            for host in self.rollout.under_way:
                self.rollout.end(host, "reverted")
            for host in [*self.rollout.tally.stuck]:
                self.rollout.note(Kind.HOST_SKIPPED, host=host, why="seen to")
            self.rollout.later(60.0)
            self.goes_on()
            if self.over:
                break
        assert self.over, self.rollout.step()
        self.every_promise_is_kept()


Course.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestCourse = Course.TestCase
