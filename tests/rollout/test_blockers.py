"""What stands in the way from outside of a rollout, as the course sees it: asked last, told with its reason, UNKNOWN opens nothing."""

from __future__ import annotations

from typing import Any

import pytest

from seatrial.model.event import Kind
from seatrial.model.matcher import can_meet, read_matcher
from seatrial.model.result import Outcome, Result
from seatrial.rollout.course import AskBlockers, Begin, Hold

from .fleets import PaperRollout, small

ALERTS = {
    "kind": "alerts",
    "from": "production-6",
    "url": "http://192.0.2.1:9093",
    "matchers": ("severity=page",),
}


def said(outcome: Outcome, because: str = "it says so", hint: str = "") -> Result:
    return Result(check="paging", outcome=outcome, because=because, hint=hint)


def blocked(**more: Any) -> PaperRollout:
    rollout = PaperRollout(small(at_once=6, canaries=0, blockers={"paging": {**ALERTS, **more}}))
    rollout.blockers = None
    rollout.note(Kind.GATE_OPENED, stage="production", because="")
    return rollout


def test_a_blocker_is_asked_only_when_something_would_begin() -> None:
    rollout = blocked()
    assert rollout.step() == AskBlockers(stage="production")
    rollout.note(Kind.ROLLOUT_PAUSED, why="lunch")
    assert isinstance(rollout.step(), Hold)


@pytest.mark.parametrize("outcome", [Outcome.FAIL, Outcome.UNKNOWN, Outcome.SKIP])
def test_nothing_begins_unless_every_blocker_passes(outcome: Outcome) -> None:
    rollout = blocked()
    rollout.blockers = (said(Outcome.PASS), said(outcome, "no answer", "look at it"))
    step = rollout.step()
    assert isinstance(step, Hold) and not step.waits_for_trials
    assert step.because.startswith("blocker paging: ") and step.because.endswith("no answer")
    assert ("it is not known" in step.because) is (outcome is not Outcome.FAIL)
    assert step.hint.startswith("look at it; ") and "rollout force r1 --host HOST" in step.hint
    assert step.blockers == (said(outcome, "no answer", "look at it"),)
    rollout.blockers = (said(Outcome.PASS),)
    assert isinstance(rollout.step(), Begin)


def test_a_host_that_a_person_forces_begins_in_spite_of_it() -> None:
    rollout = blocked()
    rollout.blockers = (said(Outcome.FAIL),)
    rollout.note(Kind.HOST_FORCED, host="production-4", why="it crashes daily anyway")
    step = rollout.step()
    assert isinstance(step, Begin) and [start.host for start in step.starts] == ["production-4"]


def test_a_blocker_of_another_stage_is_not_asked() -> None:
    stages = {"staging": 1, "production": 1}
    blockers = {"paging": {**ALERTS, "from": "staging-1", "stage": "production"}}
    rollout = PaperRollout(small(stages=stages, blockers=blockers))
    rollout.blockers = None
    rollout.note(Kind.GATE_OPENED, stage="staging", because="")
    assert isinstance(rollout.go(), Hold)
    rollout.end("staging-1")
    rollout.note(Kind.GATE_OPENED, stage="production", because="")
    assert rollout.step() == AskBlockers(stage="production")


def test_an_open_incident_holds_and_says_how_it_ends() -> None:
    rollout = blocked()
    rollout.incidents = ("incident i1 is open since noon, by kim: the storage is slow",)
    step = rollout.step()
    assert isinstance(step, Hold) and "the storage is slow" in step.because
    assert "seatrial incident close" in step.hint


def test_what_holds_is_folded_with_its_outcome_and_forgotten_when_it_goes_on() -> None:
    rollout = blocked()
    rollout.note(Kind.ROLLOUT_HELD, because="x", hint="", blockers={"paging": "fail"})
    assert rollout.state.blockers == {"paging": "fail"}
    rollout.note(Kind.ROLLOUT_HELD, because="")
    assert (rollout.state.held, rollout.state.blockers) == ("", {})


@pytest.mark.parametrize(
    ("text", "value", "fits"),
    [
        ('severity="page"', "page", True),
        ("severity=page", "pages", False),
        ('severity!="page"', "", True),
        ('alertname=~"Host.*|Down"', "HostDown", True),
        ('alertname=~"Host"', "HostDown", False),
        ('alertname!~"Host.*"', "HostDown", False),
        (r'path=~"a\\.b"', "a.b", True),
        (r'path=~"a\\.b"', "axb", False),
        (r'path="say \"no\""', 'say "no"', True),
    ],
)
def test_a_matcher_is_read_as_alertmanager_reads_it(text: str, value: str, fits: bool) -> None:
    matcher = read_matcher(text)
    assert matcher.fits(value) is fits
    assert read_matcher(str(matcher)) == matcher


@pytest.mark.parametrize("text", ["", "severity", '{severity="page"}', "a-b=c", 'a="b', "a=~(", "a=b,c=d"])
def test_what_is_no_matcher_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_matcher(text)


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        (["alertname=HostDown"], ["severity=page"], True),
        (["alertname=HostDown"], ["alertname=GatewayLoss"], False),
        (["alertname=~Host.*"], ["alertname=GatewayLoss"], False),
        (["alertname=~Host.*"], ["alertname=HostDown", "severity=page"], True),
        (["alertname=~Host.*"], ["alertname!~Host.*"], False),
        (["alertname=~Host.*"], ["alertname=~Gateway.*"], True),
        (["severity=info"], ["severity!=info"], False),
        (["instance=h1", "alertname=HostDown"], ["severity=page", "alertname!=HostDown"], False),
    ],
)
def test_only_what_certainly_excludes_each_other_is_taken_for_apart(
    one: list[str], other: list[str], meet: bool
) -> None:
    first, second = [read_matcher(text) for text in one], [read_matcher(text) for text in other]
    assert can_meet(first, second) is meet
    assert can_meet(second, first) is meet
