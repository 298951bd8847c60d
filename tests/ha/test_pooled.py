"""A pool on paper, moved through the real course: refused, moved, held up, turned round, and killed at every event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from seatrial.ha.driver import Deed, Goal, Stuck, Wait
from seatrial.ha.pooled import OURS, Hands, PoolMember, PoolStanding
from seatrial.model.command import Command
from seatrial.model.failover import Ending
from seatrial.model.result import Outcome

from .paper import Paper

PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN
OPEN = PoolMember(is_open=True, is_well=True, left=())
SHUT = PoolMember(is_open=False, is_well=True, shut_by=OURS, left=())


def hand(name: str) -> Any:
    return lambda host: (Command(name=f"{name} {host}", argv=("true",), safe=False),)


class Pool:
    """Hosts with work on them; `stubborn` work never leaves, and `deaf` hosts do nothing that they are told."""

    def __init__(
        self, members: Mapping[str, PoolMember], *, stubborn: int = 0, deaf: str = "", silent: int = 0
    ) -> None:
        self.members = dict(members)
        self.stubborn, self.deaf, self.silent = stubborn, deaf, silent

    def look(self) -> PoolStanding:
        if self.silent > 0:
            self.silent -= 1
            problem = "the API does not answer"
        else:
            problem = ""
        return PoolStanding(
            what="web",
            members=dict.fromkeys(self.members, PoolMember()) if problem else dict(self.members),
            hands=Hands(place="api", shut=hand("shut"), open=hand("open"), empty=hand("empty"), round=2.0),
            seconds=8.0,
            problem=problem,
        )

    def do(self, deed: Deed) -> str:
        ((command,),) = deed.on.values()
        word, host = command.name.split()
        if host == self.deaf:
            return "no"
        one = self.members[host]
        if word == "empty":
            self.members[host] = replace(
                one, left=(one.left or ())[: max(self.stubborn, len(one.left or ()) - 1)]
            )
        else:
            self.members[host] = replace(one, is_open=word == "open", shut_by=OURS if word == "shut" else "")
        return ""

    def wait(self, seconds: float) -> None:
        """Nothing happens by itself."""


def loaded(count: int) -> PoolMember:
    return replace(OPEN, left=tuple(f"p{number}" for number in range(count)))


def test_a_host_is_shut_emptied_and_proven_and_opened_again_later() -> None:
    pool = Pool({"a": loaded(3), "b": OPEN})
    paper = Paper(pool, to="b", away="a", origin="a")
    state = paper.run()
    assert (state.outcome, paper.deeds) == (Ending.MOVED, ["shut", "empty", "empty", "empty"])
    assert pool.look().carriers == frozenset("b")
    # What a trial does next: the host carries again.
    paper = Paper(pool, to="a", origin="b")
    state = paper.run()
    assert (state.outcome, paper.deeds) == (Ending.MOVED, ["open"])
    assert pool.look().carriers == frozenset("ab")


def test_what_does_not_leave_in_time_turns_the_move_round_and_the_host_is_opened_again() -> None:
    pool = Pool({"a": loaded(3), "b": OPEN}, stubborn=2)
    state = Paper(pool, to="b", away="a", origin="a").run()
    assert (state.outcome, state.because) == (Ending.BACK, "still on a: p0, p1")
    assert pool.members["a"].is_open


@pytest.mark.parametrize(
    ("members", "goal", "because"),
    [
        ({"a": OPEN, "b": replace(OPEN, is_well=False)}, {"to": "b", "away": "a"}, "b is not well: nothing may be moved onto it"),
        ({"a": OPEN, "b": replace(SHUT, shut_by="disk is changed")}, {"to": "b", "away": "a"}, "b is shut by somebody else: disk is changed"),
        ({"a": OPEN, "b": SHUT, "c": SHUT}, {"away": "a"}, "a is the last one that carries web"),
        ({"a": replace(OPEN, held={"db-0": "the budget db allows none"}), "b": OPEN}, {"away": "a"}, "db-0: the budget db allows none"),
        ({"a": OPEN, "b": PoolMember()}, {"away": "a"}, "web: it is not known whether b carries it"),
    ],
)  # fmt: skip
def test_what_is_not_safe_is_refused_with_its_reason(
    members: dict[str, PoolMember], goal: dict[str, str], because: str
) -> None:
    paper = Paper(Pool(members), origin="a", **goal)
    state = paper.run()
    assert (state.outcome, state.because, paper.deeds) == (Ending.REFUSED, because, [])


def test_the_last_one_leaves_for_a_person_s_reason_only() -> None:
    members = {"a": OPEN, "b": replace(SHUT, shut_by="others"), "c": SHUT}
    state = Paper(Pool(members), away="a", origin="a", force="the site is closed").run()
    # It may begin, but nobody carries the service then, which is no end that counts as moved.
    assert state.outcome in (Ending.BACK, Ending.STUCK)


@pytest.mark.parametrize("deaf", ["a", "b"])
def test_a_host_that_does_not_do_what_it_is_told_ends_it_with_what_it_said(deaf: str) -> None:
    pool = Pool({"a": loaded(1), "b": SHUT}, deaf=deaf)
    paper = Paper(pool, to="b", away="a", origin="a")
    state = paper.run()
    assert state.outcome in (Ending.BACK, Ending.STUCK)
    assert "no" in state.because
    assert len(paper.deeds) <= 8
    assert pool.members["a"].is_open, "where it came from carries it all the same"


def test_an_api_that_is_away_for_a_while_is_waited_for_and_nothing_is_done_meanwhile() -> None:
    pool = Pool({"a": loaded(1), "b": OPEN})
    paper = Paper(pool, to="b", away="a", origin="a")
    paper.turn(paper.state())
    pool.silent = 3
    state = paper.run()
    assert (state.outcome, paper.deeds) == (Ending.MOVED, ["shut", "empty"])
    assert (Paper(Pool({"a": OPEN, "b": OPEN}, silent=10_000), away="a").run()).outcome == Ending.REFUSED


@pytest.mark.parametrize("stubborn", [0, 2])
@pytest.mark.parametrize("when", ["after the event", "after the deed"])
def test_a_controller_that_dies_anywhere_is_followed_by_one_that_ends_the_same(
    stubborn: int, when: str
) -> None:
    whole = Paper(Pool({"a": loaded(3), "b": OPEN}, stubborn=stubborn), to="b", away="a", origin="a")
    expected = whole.run()
    for at in range(2, min(len(whole.events), 40) + 1):
        pool = Pool({"a": loaded(3), "b": OPEN}, stubborn=stubborn)
        paper = Paper(pool, to="b", away="a", origin="a")
        state = paper.run_killed_once(at, when)
        assert (state.outcome, pool.look().carriers) == (expected.outcome, whole.world.look().carriers), (
            at,
            when,
        )


def test_unknown_is_never_a_proof_and_opens_nothing() -> None:
    unknown = Pool({"a": OPEN, "b": OPEN}, silent=1).look()
    goal = Goal(to="b", away="a")
    assert unknown.carriers is None
    assert {one.outcome for one in unknown.refusals(goal)} == {UNKNOWN}
    assert {one.outcome for one in unknown.proof(goal)} == {UNKNOWN}
    assert not isinstance(unknown.decide(goal), Deed)
    assert [one.outcome for one in Pool({"a": OPEN, "b": OPEN}).look().proof(goal)] == [PASS, FAIL]


def test_a_host_that_has_just_booted_is_waited_for_by_a_trial_and_refused_to_a_person() -> None:
    unwell = replace(SHUT, is_well=False)
    standing = Pool({"a": unwell, "b": OPEN}).look()
    assert {one.outcome for one in standing.refusals(Goal(to="a"))} == {PASS, FAIL}
    assert {one.outcome for one in standing.refusals(Goal(to="a", trial="r1"))} == {PASS}
    assert isinstance(standing.decide(Goal(to="a", trial="r1", seconds=1.0)), Wait)
    stuck = standing.decide(Goal(to="a", trial="r1", seconds=9.0))
    assert isinstance(stuck, Stuck) and stuck.because == "a is not well, for 8 s now"
    # What somebody else has shut is not waited for.
    others = Pool({"a": replace(unwell, shut_by="disk is changed"), "b": OPEN}).look()
    assert {one.outcome for one in others.refusals(Goal(to="a", trial="r1"))} == {PASS, FAIL}


def test_what_somebody_else_shut_after_it_was_asked_is_not_opened() -> None:
    step = Pool({"a": replace(SHUT, shut_by="disk is changed"), "b": OPEN}).look().decide(Goal(to="a"))
    assert isinstance(step, Stuck) and "disk is changed" in step.because
