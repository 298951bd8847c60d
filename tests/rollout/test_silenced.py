"""Silences around a trial, cut off after every step and aborted at each: never a loud reboot, never one left behind for long."""

from __future__ import annotations

from datetime import timedelta

import pytest

from seatrial.model.event import Kind
from seatrial.model.fleet import Policy
from seatrial.model.trial import State
from seatrial.rollout.decide import Act
from seatrial.rollout.silenced import span

from .paper import PaperHost, fresh

FLAWS = ("", "flows", "panic", "dead-network", "unclear", "refused")


def silenced(flaw: str = "", *, peers: bool = True, soak: float = 0.0) -> PaperHost:
    host = fresh(flaw, peers=peers, soak=soak)
    host.silences = ("pages",)
    return host


@pytest.mark.parametrize("flaw", FLAWS)
@pytest.mark.parametrize("peers", [True, False])
def test_a_silence_begins_before_the_host_is_touched_and_ends_with_its_trial(flaw: str, peers: bool) -> None:
    host = silenced(flaw, peers=peers)
    done = host.run()
    assert host.loud == []
    assert not host.is_silenced
    if flaw == "refused":
        assert "do silence" not in done, "nobody is told of a host that is not touched"
        return
    first = next(number for number, what in enumerate(done) if what in ("do drain", "move drained"))
    assert done.index("do silence") < first
    assert done[-2:] == ["do unsilence", f"move {host.end}"]


@pytest.mark.parametrize("flaw", FLAWS)
@pytest.mark.parametrize("cut", ["intent", "act"])
def test_a_controller_that_dies_anywhere_leaves_no_silence_and_no_other_ending(flaw: str, cut: str) -> None:
    whole = silenced(flaw)
    turns = len(whole.run())
    for turn in range(turns):
        host = silenced(flaw)
        host.run(cut_turn=turn, cut=cut)
        assert host.loud == []
        assert (host.end, host.running, host.default) == (whole.end, whole.running, whole.default), turn
        assert not host.is_silenced


@pytest.mark.parametrize("flaw", FLAWS)
def test_an_abort_at_any_moment_ends_the_silence(flaw: str) -> None:
    for turn in range(len(silenced(flaw).run())):
        host = silenced(flaw)
        host.run(abort_turn=turn)
        assert not host.is_silenced, turn


def test_what_is_silenced_ends_by_itself_soon_after_the_guard_when_nobody_comes_back() -> None:
    host = silenced()
    while host.turn() != "do reboot":
        pass
    # No controller any more: the guard brings the host back, and the silence must be over by then or soon after.
    assert host.silenced_until <= host.now + timedelta(seconds=span(host.policy))
    assert span(host.policy) == host.policy.guard + 2 * host.policy.reboot
    host.tick(span(host.policy))
    assert not host.is_silenced


def test_a_long_soak_keeps_its_silence_as_long_as_the_guard_gives_time_and_no_longer() -> None:
    host = silenced(soak=7200.0)
    asked = 0
    while not host.trial().over:
        what = host.turn()
        asked += what == "do silence"
        if host.trial().state is State.SOAKING and what != "do unsilence" and host.phase == "armed":
            assert host.is_silenced, host.now
            assert host.silenced_until <= host.now + timedelta(seconds=span(host.policy))
    assert host.end is State.BLESSED
    assert 2 < asked < 60
    assert not host.is_silenced


def test_a_host_whose_alerts_cannot_be_silenced_is_not_touched() -> None:
    host = silenced()
    host.deaf = Act.SILENCE
    host.run()
    assert host.end is State.UNDONE
    assert host.reboots == 0
    assert host.trial().because == "the alerts of gw could not be silenced: Alertmanager is away"
    assert host.trial().hint == "start it"


def test_a_silence_that_cannot_be_ended_holds_nobody_up_and_ends_by_itself() -> None:
    host = silenced()
    host.deaf = Act.UNSILENCE
    done = host.run()
    assert host.end is State.BLESSED
    assert done.count("do unsilence") == 3
    kept = host.trial().silence
    assert kept is not None and not kept.ended
    host.tick(span(host.policy))
    assert not host.is_silenced


def test_a_server_that_is_away_in_mid_trial_fails_no_trial() -> None:
    host = silenced(soak=1800.0)
    while host.trial().state is not State.SOAKING:
        host.turn()
    host.deaf = Act.SILENCE
    host.run()
    assert host.end is State.BLESSED
    assert host.trial().problem == ""


def test_a_held_trial_goes_on_being_held_while_monitoring_is_away() -> None:
    host = silenced(soak=600.0)
    while host.trial().state is not State.SOAKING:
        host.turn()
    host.note(Kind.TRIAL_INTENT, act="silence")
    host.note(Kind.TRIAL_FAILED, act="silence", problem="away")
    assert (host.trial().problem, host.trial().intent) == ("", "")


def test_nothing_is_asked_where_no_silence_is_declared() -> None:
    host = fresh("", peers=True)
    done = host.run()
    assert not [what for what in done if "silence" in what]
    assert span(Policy(guard=300, reboot=60)) == 420
