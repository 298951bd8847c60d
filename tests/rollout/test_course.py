"""Which trials may begin, and why others may not: canaries, waves, budgets, peers, gates, windows, people's wishes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from seatrial.model.event import Kind
from seatrial.model.fold import fold
from seatrial.rollout.course import AskCarriers, Begin, End, Facts, Hold, OpenGate, order, why_not
from seatrial.rollout.tally import Tally

from .fleets import NOW, PaperRollout, small


def test_without_a_pace_one_host_at_a_time_is_on_trial_and_the_first_failure_ends_it() -> None:
    rollout = PaperRollout(small())
    rollout.go()
    assert rollout.under_way == ["production-1"]
    rollout.end("production-1")
    rollout.go()
    assert rollout.under_way == ["production-2"]
    rollout.end("production-2", "reverted")
    step = rollout.go()
    assert isinstance(step, End) and step.outcome == "reverted"
    assert "production-2" in step.because


def test_canaries_end_before_a_wave_begins_and_waves_grow() -> None:
    rollout = PaperRollout(small(stages={"production": 20}, canaries=2, waves=(3, 6), at_once=50))
    sizes = []
    while not isinstance(step := rollout.go(), End):
        under_way = rollout.under_way
        sizes.append((rollout.state.trials[under_way[0]].wave, len(under_way)))
        for host in under_way[:-1]:
            rollout.end(host)
            held = rollout.go()
            assert isinstance(held, Hold) and held.waits_for_trials
            assert len(rollout.under_way) == len(under_way) - 1 - under_way.index(host)
        rollout.end(under_way[-1])
    assert sizes == [("canary", 2), ("wave 1", 3), ("wave 2", 6), ("wave 3", 6), ("wave 4", 3)]
    assert step.outcome == "blessed"


def test_two_peers_are_never_on_trial_together_and_who_carries_the_traffic_comes_last() -> None:
    peers = {"pair": ("production-1", "production-2", "production-3")}
    rollout = PaperRollout(small(groups=peers, canaries=0, at_once=6))
    rollout.go()
    assert rollout.under_way == ["production-2", "production-4", "production-5", "production-6"]
    rollout.end("production-2")
    rollout.go()
    assert "production-3" in rollout.under_way and "production-1" not in rollout.under_way
    rollout.end("production-3")
    rollout.go()
    assert "production-1" in rollout.under_way


def test_it_is_asked_who_carries_before_one_of_several_peers_is_chosen() -> None:
    rollout = PaperRollout(small(groups={"pair": ("production-1", "production-2")}))
    rollout.note(Kind.GATE_OPENED, stage="production")
    rollout.carriers = {}
    assert rollout.step() == AskCarriers(groups=("pair",))
    rollout.carriers = {"pair": None}
    step = rollout.step()
    assert isinstance(step, Begin) and [start.host for start in step.starts] == ["production-1"]


def test_a_peer_that_is_down_keeps_the_other_from_its_trial() -> None:
    budgets = ({"per": "role", "most": 6},)
    peers = {"pair": ("production-1", "production-2")}
    rollout = PaperRollout(small(groups=peers, canaries=0, at_once=6, budgets=budgets))
    step = rollout.go(down=("production-1",))
    assert "production-2" not in rollout.under_way and len(rollout.under_way) == 4
    assert isinstance(step, Hold)
    against = why_not(
        rollout.state, rollout.tally, rollout.fleet, Facts(now=rollout.now, carriers={}), "production-2"
    )
    assert "its peer production-1 does not answer" in against


@pytest.mark.parametrize(
    ("budget", "down", "begin"),
    [
        ({"per": "rack", "most": 1}, (), ["production-1", "production-3", "production-5"]),
        ({"per": "rack", "most": 1}, ("production-1", "production-4"), ["production-5"]),
        ({"per": "role", "most": 2}, ("production-6",), ["production-1"]),
        ({"per": "role", "percent": 34}, (), ["production-1", "production-2"]),
        ({"per": "site", "most": 1}, (), ["production-1", "production-2"]),
        ({"per": "rack", "only": ("production-r2",), "most": 1}, (), [f"production-{n}" for n in (1, 2, 3, 5, 6)]),
        ({"per": "rack", "percent": 1}, (), ["production-1", "production-3", "production-5"]),
    ],
)  # fmt: skip
def test_no_more_of_a_budget_is_away_than_it_allows_for_whatever_reason(
    budget: dict[str, object], down: tuple[str, ...], begin: list[str]
) -> None:
    rollout = PaperRollout(small(canaries=0, at_once=6, budgets=(budget,)))
    step = rollout.go(down=down)
    assert rollout.under_way == begin
    assert isinstance(step, Hold) and "are away" in step.because


def test_a_host_on_trial_that_does_not_answer_counts_once() -> None:
    rollout = PaperRollout(small(canaries=0, at_once=1, budgets=({"per": "role", "most": 2},)))
    rollout.go()
    rollout.note(Kind.FLEET_SURVEYED, down=["production-1"])
    assert rollout.tally.away(("role", "cache")) == 1
    rollout.end("production-1")
    assert rollout.tally.away(("role", "cache")) == 1, "it is down until a survey says otherwise"


def test_a_survey_that_is_old_or_of_the_future_is_made_again() -> None:
    rollout = PaperRollout(small(canaries=0, at_once=1, budgets=({"per": "role", "most": 2},), survey=60.0))
    for surveys, seconds in enumerate((0.0, 61.0, -3600.0), start=1):
        rollout.later(seconds)
        rollout.go()
        assert sum(event.kind == Kind.FLEET_SURVEYED for event in rollout.events) == surveys
        rollout.end(rollout.under_way[0])


def test_a_host_that_is_stuck_is_away_and_so_are_its_peers() -> None:
    peers = {"pair": ("production-1", "production-2")}
    budgets = ({"per": "rack", "most": 1},)
    rollout = PaperRollout(small(groups=peers, canaries=0, at_once=6, budgets=budgets, max_failed=9))
    rollout.go()
    rollout.end("production-2", "stuck")
    rollout.go()
    assert "production-1" not in rollout.under_way
    assert rollout.tally.away(("rack", "production-r1")) == 1


def test_as_many_may_fail_as_the_pace_allows_and_then_nothing_begins_until_all_have_ended() -> None:
    rollout = PaperRollout(small(canaries=0, at_once=3, max_failed=1))
    rollout.go()
    rollout.end("production-1", "reverted")
    rollout.go()
    assert rollout.under_way == ["production-2", "production-3", "production-4"]
    rollout.end("production-2", "refused")
    step = rollout.go()
    assert isinstance(step, Hold) and step.waits_for_trials
    assert rollout.under_way == ["production-3", "production-4"]
    rollout.end("production-3")
    rollout.end("production-4")
    step = rollout.go()
    assert isinstance(step, End) and step.outcome == "reverted" and "1 other" in step.because


def test_failures_that_are_allowed_are_told_at_the_end() -> None:
    rollout = PaperRollout(small(stages={"production": 2}, max_failed=1))
    rollout.go()
    rollout.end("production-1", "reverted")
    rollout.go()
    rollout.end("production-2")
    step = rollout.go()
    assert isinstance(step, End) and step.outcome == "blessed"
    assert "1 of 2" in step.because and "production-1 failed" in step.because


STAGES = {"staging": 2, "production": 2}


def staged(**pace: Any) -> PaperRollout:
    rollout = PaperRollout(small(stages=STAGES, canaries=0, at_once=9, **pace))
    rollout.go()
    assert rollout.under_way == ["staging-1", "staging-2"]
    return rollout


def test_a_stage_waits_for_the_last_trial_of_the_one_before() -> None:
    rollout = staged()
    rollout.end("staging-1")
    step = rollout.go()
    assert isinstance(step, Hold) and "staging must end first" in step.because
    rollout.end("staging-2")
    rollout.go()
    assert rollout.under_way == ["production-1", "production-2"]


def test_a_gate_wants_its_evidence_settled_and_not_too_old() -> None:
    rollout = staged(evidence={"blessed": 2, "settled": 3600.0, "oldest": 86400.0})
    rollout.end("staging-1")
    rollout.end("staging-2")
    step = rollout.go()
    assert isinstance(step, Hold) and "1 h 00 m are wanted" in step.because
    assert step.opens == NOW + timedelta(hours=1)
    rollout.later(3600)
    assert isinstance(rollout.step(), OpenGate)
    rollout.later(2 * 86400)
    step = rollout.go()
    assert isinstance(step, Hold) and "is the most" in step.because
    rollout.note(Kind.STAGE_FORCED, stage="production", why="seen by hand", ticket="T7")
    rollout.go()
    assert rollout.under_way == ["production-1", "production-2"]


def test_a_gate_wants_as_many_blessed_hosts_as_the_pace_says() -> None:
    rollout = staged(evidence={"blessed": 2}, max_failed=5)
    rollout.end("staging-1")
    rollout.end("staging-2", "reverted")
    step = rollout.go()
    assert isinstance(step, Hold) and "1 blessed hosts, and 2 are wanted" in step.because


def test_a_skipped_host_is_left_out_and_one_that_has_begun_is_not_skipped_any_more() -> None:
    rollout = PaperRollout(small(stages={"production": 3}))
    rollout.go()
    rollout.note(Kind.HOST_SKIPPED, host="production-1", why="too late")
    rollout.note(Kind.HOST_SKIPPED, host="production-2", why="its disk is old")
    assert rollout.under_way == ["production-1"]
    rollout.end("production-1")
    rollout.go()
    assert rollout.under_way == ["production-3"]
    rollout.end("production-3")
    step = rollout.go()
    assert isinstance(step, End) and step.outcome == "blessed" and "2 of 3" in step.because


def test_a_forced_host_goes_in_spite_of_windows_and_waves_but_never_beside_its_peer() -> None:
    peers = {"pair": ("production-1", "production-2")}
    windows = ({"days": ("sat",), "begin": "03:00", "until": "04:00"},)
    rollout = PaperRollout(small(groups=peers, windows=windows))
    step = rollout.go()
    assert isinstance(step, Hold) and "sat 03:00 to 04:00 UTC" in step.because
    assert step.opens == NOW.replace(day=3, hour=3)
    rollout.note(Kind.HOST_FORCED, host="production-5", why="now")
    rollout.go()
    assert rollout.under_way == ["production-5"]
    rollout.note(Kind.HOST_FORCED, host="production-1", why="now")
    rollout.note(Kind.HOST_FORCED, host="production-2", why="now")
    rollout.go()
    assert rollout.under_way == ["production-1", "production-5"]
    rollout.end("production-1")
    rollout.go()
    assert rollout.under_way == ["production-2", "production-5"]


def test_an_abort_lets_what_is_on_trial_end_and_begins_nothing() -> None:
    rollout = PaperRollout(small(canaries=0, at_once=2))
    rollout.go()
    rollout.note(Kind.ROLLOUT_ABORTED, why="incident", mode="finish")
    step = rollout.go()
    assert isinstance(step, Hold) and step.waits_for_trials
    for host in rollout.under_way:
        rollout.end(host)
    step = rollout.go()
    assert isinstance(step, End) and step.outcome == "aborted"


def test_every_no_of_one_host_is_told() -> None:
    peers = {"pair": ("production-1", "production-2")}
    windows = ({"days": ("sat",), "stages": ("production",)},)
    rollout = PaperRollout(
        small(stages=STAGES, groups=peers, windows=windows, approval=("production",), at_once=1, canaries=1)
    )
    rollout.go()
    rollout.note(Kind.ROLLOUT_PAUSED, why="lunch")
    facts = Facts(now=rollout.now, carriers=rollout.carriers, incidents=("an incident is open",))
    told = "\n".join(why_not(rollout.state, rollout.tally, rollout.fleet, facts, "production-2"))
    for part in (
        "paused: lunch",
        "stage staging comes first: 2 hosts to go",
        "wants a person's approval",
        "outside of its windows",
        "an incident is open",
        "1 host of production are before it",
    ):
        assert part in told, told
    assert why_not(rollout.state, rollout.tally, rollout.fleet, facts, "staging-1") == ("it is under way",)


def test_the_counts_that_are_kept_up_are_those_of_the_trials() -> None:
    peers = {"pair": ("production-1", "production-2")}
    budgets = ({"per": "rack", "most": 1},)
    rollout = PaperRollout(
        small(groups=peers, canaries=1, waves=(2,), at_once=3, budgets=budgets, max_failed=3)
    )
    for number in range(40):
        if isinstance(rollout.go(down=("production-6",)), End):
            break
        fresh = Tally(rollout.fleet, rollout.state.trials)
        fresh.now_down(rollout.state.down)
        for key in fresh.sizes:
            assert fresh.away(key) == rollout.tally.away(key), key
        assert fresh.stages == rollout.tally.stages
        if rollout.under_way:
            rollout.end(rollout.under_way[0], ("blessed", "reverted", "stuck")[number % 3])
    assert not rollout.tally.under_way


def test_the_state_folded_at_once_is_the_one_that_was_kept_up() -> None:
    rollout = PaperRollout(small(canaries=1, waves=(2,), at_once=3, max_failed=3))
    for number in range(40):
        if isinstance(rollout.go(), End):
            break
        rollout.note(Kind.HOST_SKIPPED, host="production-6", why="it is broken")
        rollout.end(rollout.under_way[0], ("blessed", "reverted", "stuck")[number % 3])
        folded = fold(rollout.events, rollout="r1")
        assert dict(folded.trials) == dict(rollout.state.trials)
        assert replace(folded, trials={}) == replace(rollout.state, trials={})
    assert not rollout.under_way


def test_one_of_a_pair_goes_where_its_own_budgets_have_room_and_those_of_the_carrier_have_none() -> None:
    full = {"per": "rack", "only": ("production-r1",), "most": 1}
    peers = {"pair": ("production-1", "production-3")}
    rollout = PaperRollout(small(groups=peers, canaries=0, at_once=6, budgets=(full,)))
    rollout.go(down=("production-2",))
    assert "production-3" in rollout.under_way and "production-1" not in rollout.under_way


def test_the_next_of_a_group_takes_its_own_place_and_not_that_of_the_one_before() -> None:
    fleet = small(
        groups={"some": ("production-1", "production-5")},
        moved=False,
        canaries=0,
        at_once=1,
        budgets=({"per": "rack", "most": 1},),
    )
    rollout = PaperRollout(fleet)
    # Where nothing can be moved nobody asks who carries the traffic.
    rollout.carriers = {}
    begun = []
    while not isinstance(rollout.go(), End):
        begun += rollout.under_way
        rollout.end(begun[-1])
    assert tuple(begun) == order(fleet, tuple(fleet.hosts), {}) == tuple(fleet.hosts)


def test_a_beginning_says_in_which_wave() -> None:
    rollout = PaperRollout(small(canaries=1, waves=(2,), at_once=2))
    step = rollout.go()
    assert isinstance(step, Hold)
    rollout.end("production-1")
    step = rollout.step()
    assert isinstance(step, Begin)
    assert [(start.host, start.wave) for start in step.starts] == [
        ("production-2", "wave 1"),
        ("production-3", "wave 1"),
    ]


def test_no_trial_begins_on_a_host_that_reboots_by_itself_or_beside_one_and_it_counts_in_budgets() -> None:
    fleet = small(
        stages={"production": 4},
        groups={"pair": ("production-1", "production-2")},
        at_once=4,
        canaries=0,
        max_failed=4,
        budgets=({"per": "role", "most": 2},),
    )
    rollout = PaperRollout(fleet)
    rollout.tally.now_rebooting(frozenset({"production-2"}))
    step = rollout.go()
    assert rollout.under_way == ["production-3"], "one of the pair is away, and two may be"
    assert isinstance(step, Hold)
    facts = Facts(now=NOW, carriers=rollout.carriers)
    for host in ("production-1", "production-2"):
        against = " ".join(why_not(rollout.state, rollout.tally, fleet, facts, host))
        assert "production-2 reboots by itself and is not proven yet" in against
    rollout.tally.now_rebooting(frozenset())
    rollout.end("production-3")
    rollout.go()
    assert "production-2" in rollout.under_way
