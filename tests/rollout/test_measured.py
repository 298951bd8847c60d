"""A soak that measures: what it is compared with has to be there before a host is touched."""

from __future__ import annotations

from datetime import UTC, datetime

from seatrial.model.fleet import Policy
from seatrial.model.fold import Round, TrialState
from seatrial.model.measure import Measure
from seatrial.model.result import Outcome
from seatrial.model.trial import State
from seatrial.rollout.decide import Act, Do, Move, Seen, Terms, decide

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def planned() -> TrialState:
    done = {
        str(purpose): Round(
            purpose=purpose,
            at=NOW,
            outcome=Outcome.PASS,
            because="",
            hint="",
            seconds=1.0,
            results=(),
            boot_id="b",
        )
        for purpose in (Act.PREFLIGHT, Act.BASELINE)
    }
    return TrialState(host="h", rounds=done)


def terms(against: str, peers: tuple[str, ...]) -> Terms:
    measure = Measure.model_validate({"series": ("load.1",), "against": against})
    return Terms(trial="r.h", host="h", candidate="c", policy=Policy(measure=measure), peers=peers)


def test_a_host_without_a_peer_is_not_measured_against_one() -> None:
    action = decide(planned(), Seen(sight=None, carriers=frozenset(), now=NOW), terms("peer", ()))
    assert isinstance(action, Move) and action.to is State.REFUSED
    assert action.because == "h is to be measured against a peer, and it has none"
    assert "against: before" in action.hint


def test_the_good_kernel_is_measured_before_anything_is_touched() -> None:
    action = decide(planned(), Seen(sight=None, carriers=frozenset(), now=NOW), terms("before", ()))
    assert action == Do(act=Act.MEASURE)
