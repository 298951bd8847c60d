"""The rules of a trial, tried on a host on paper: every ending, and every ending again with a cut at every step."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from seatrial.model.event import Kind
from seatrial.model.trial import FINAL, TRANSITIONS, State
from seatrial.rollout.decide import MAX_TRIES, RESERVE, Act, Move, Seen, Wait, decide
from tests.rollout.paper import CANDIDATE, GOOD, PaperHost, fresh

ENDINGS = {
    "": State.BLESSED,
    "flows": State.REVERTED,
    "dead-network": State.REVERTED,
    "panic": State.REVERTED,
    "unclear": State.REVERTED,
    "refused": State.REFUSED,
}


def holds(host: PaperHost) -> None:
    """What must be true of every trial that has ended, however it went."""
    assert host.end in FINAL
    assert not host.blessed_without_proof
    if host.end is State.BLESSED:
        assert (host.running, host.default, host.phase) == (CANDIDATE, CANDIDATE, "blessed")
    else:
        assert host.default == GOOD
    if host.end in (State.REVERTED, State.REFUSED, State.UNDONE):
        assert (host.running, host.next) == (GOOD, None)
        assert host.phase != "armed"


@pytest.mark.parametrize(("flaw", "end"), ENDINGS.items())
@pytest.mark.parametrize("peers", [False, True])
@pytest.mark.parametrize("soak", [0.0, 700.0])
def test_each_flaw_ends_where_it_should(flaw: str, end: State, peers: bool, soak: float) -> None:
    host = fresh(flaw, peers=peers, soak=soak)
    host.run()
    assert host.end is end
    holds(host)


@pytest.mark.parametrize("cut", ["intent", "act"])
@pytest.mark.parametrize("peers", [False, True])
@pytest.mark.parametrize("flaw", ENDINGS)
def test_a_controller_cut_off_at_any_step_comes_to_the_same_end(flaw: str, peers: bool, cut: str) -> None:
    steps = len(fresh(flaw, peers=peers).run())
    for turn in range(steps):
        host = fresh(flaw, peers=peers)
        host.run(cut_turn=turn, cut=cut)
        assert host.end is ENDINGS[flaw], f"cut after the {cut} of turn {turn}: {host.trial()}"
        holds(host)


@pytest.mark.parametrize("peers", [False, True])
@pytest.mark.parametrize("flaw", ENDINGS)
def test_an_abort_at_any_step_leaves_a_host_on_its_good_kernel_or_blessed(flaw: str, peers: bool) -> None:
    steps = len(fresh(flaw, peers=peers).run())
    for turn in range(steps):
        host = fresh(flaw, peers=peers)
        host.run(abort_turn=turn)
        holds(host)


def test_an_unclear_trial_is_reverted_before_the_guard_has_to() -> None:
    host = fresh("unclear", peers=False)
    done = host.run()
    assert host.trial().facts["cause"] == "unclear"
    assert done.count("do exercise") > 3
    assert "do revert" in done
    assert host.policy.guard > RESERVE


def test_the_traffic_leaves_a_bad_host_before_it_is_rebooted() -> None:
    done = [step for step in fresh("flows", peers=True).run() if step != "wait"]
    assert done.index("do drain", done.index("do exercise")) < done.index("do revert")


def test_the_standby_carries_the_traffic_before_it_is_judged() -> None:
    done = fresh("", peers=True).run()
    assert done.index("do attract") < done.index("do exercise") < done.index("do bless")


def test_a_long_soak_asks_the_guard_for_more_time() -> None:
    assert "do extend" in fresh("", peers=False, soak=900).run()


def test_a_host_that_never_answers_ends_stuck_with_what_to_do() -> None:
    host = fresh("", peers=False)
    while host.turn() != "do reboot":
        pass
    host.up_at = host.now.replace(year=host.now.year + 1)
    host.run()
    assert host.end is State.STUCK
    assert "console" in host.trial().hint


def test_every_state_can_end_and_every_move_goes_somewhere_new() -> None:
    for state, after in TRANSITIONS.items():
        assert state not in after
        reached = {state}
        for _ in TRANSITIONS:
            reached |= set(itertools.chain.from_iterable(TRANSITIONS[s] for s in reached))
        assert reached & FINAL


def test_controllers_that_die_in_the_middle_of_an_act_use_up_none_of_its_tries() -> None:
    """With many workers that are killed, one host may meet many of them; that says nothing of the host."""
    host = PaperHost()
    for _ in range(2 * MAX_TRIES):
        host.note(Kind.TRIAL_INTENT, act=str(Act.BASELINE))
    assert host.trial().tries == {Act.BASELINE: 1}
    for _ in range(MAX_TRIES):
        host.note(Kind.TRIAL_FAILED, act=str(Act.BASELINE), problem="no flow could be probed")
        host.note(Kind.TRIAL_INTENT, act=str(Act.BASELINE))
    assert host.trial().tries == {Act.BASELINE: MAX_TRIES + 1}


def test_a_host_that_is_silent_since_its_blessing_is_waited_for_and_not_sent_back() -> None:
    """The default is the candidate already, so no way back would lead to the good kernel."""
    host = fresh("", peers=False)
    while not host.trial().tries.get(Act.BLESS):
        host.turn()
    assert (host.default, host.phase) == (CANDIDATE, "blessed")
    terms, trial = host.terms(), host.trial()
    since = trial.since or host.now
    silent = Seen(sight=None, carriers=frozenset(), now=since + timedelta(seconds=terms.policy.guard))
    assert isinstance(decide(trial, silent, terms), Wait)
    late = replace(silent, now=since + timedelta(days=1))
    assert isinstance(decide(trial, late, terms), Move)
