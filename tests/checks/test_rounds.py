"""Several rounds told as one: broken, flaky, fine or not known, with the packets of all rounds added up."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.checks.flow import added
from seatrial.checks.repeated import over_rounds, several
from seatrial.model.observation import FlowCount
from seatrial.model.result import Outcome, Result

P, F, U = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN


def one(outcome: Outcome, **evidence: Any) -> Result:
    return Result(check="c", outcome=outcome, because=f"said {outcome}", evidence=evidence, seconds=1.0)


@pytest.mark.parametrize(
    ("outcomes", "outcome", "steady", "because"),
    [
        ([F, F, F], F, "broken", "broken, failed 3 of 3 rounds: said fail"),
        ([F, P, P], F, "flaky", "flaky, failed 1 of 3 rounds: said fail"),
        ([F, U], F, "flaky", "flaky, failed 1 of 2 rounds: said fail"),
        ([P, U, P], U, "unknown", "no answer in 1 of 3 rounds: said unknown"),
        ([P, P], P, "fine", "fine in 2 of 2 rounds: said pass"),
    ],
)
def test_rounds_are_told_as_one(outcomes: list[Outcome], outcome: Outcome, steady: str, because: str) -> None:
    result = over_rounds([one(each) for each in outcomes])
    assert (result.outcome, result.evidence["steady"], result.because) == (outcome, steady, because)
    assert result.evidence["rounds"] == len(outcomes)
    assert result.evidence["rounds_failed"] == outcomes.count(F)
    assert result.evidence["rounds_unknown"] == outcomes.count(U)
    assert result.seconds == len(outcomes)


def test_one_round_stays_as_it_is() -> None:
    assert over_rounds([result := one(F)]) is result


@pytest.mark.parametrize(
    ("lost", "source", "steady"),
    [
        ((20.0, 30.0), "192.0.2.9", "flaky"),
        ((100.0, 100.0), "192.0.2.9", "broken"),
        ((100.0, 30.0), "192.0.2.9", "broken"),
        ((20.0, 30.0), "192.0.2.7", "broken"),
    ],
)
def test_a_loss_of_a_part_in_every_round_is_flaky_and_a_wrong_source_is_broken(
    lost: tuple[float, float], source: str, steady: str
) -> None:
    rounds = [one(F, lost=each, sources={source: 1}, expected="192.0.2.9") for each in lost]
    assert over_rounds(rounds, one(F)).evidence["steady"] == steady


def test_a_bad_round_does_not_drown_in_a_good_sum() -> None:
    result = over_rounds([one(P), one(F), one(P)], one(P, lost=0.5))
    assert (result.outcome, result.because) == (F, "flaky, failed 1 of 3 rounds: said fail")
    assert result.evidence["lost"] == 0.5, "the numbers are those of all rounds"


def test_retries_and_packets_of_all_rounds_are_counted() -> None:
    retried = several([one(F, sent=3, received=0), one(P, sent=3, received=3)])
    result = over_rounds([retried, one(P, sent=3, received=3)])
    assert (result.evidence["asked"], result.evidence["failed"]) == (3, 1)
    assert (result.evidence["sent"], result.evidence["received"], result.evidence["lost"]) == (6, 3, 50.0)


counts = st.builds(
    FlowCount,
    flow=st.just("f"),
    sent=st.integers(0, 40),
    arrived=st.none() | st.integers(0, 40),
    answered=st.integers(0, 40),
    asked=st.integers(0, 40),
    sources=st.dictionaries(st.sampled_from(["192.0.2.1", "192.0.2.2"]), st.integers(0, 40)),
    carried=st.dictionaries(st.sampled_from(["gw-1", "gw-2"]), st.none() | st.integers(0, 40)),
    errors=st.dictionaries(st.sampled_from(["EPERM", "EMSGSIZE"]), st.integers(1, 40)),
    rtt_ms=st.lists(st.floats(0, 100), max_size=4).map(tuple),
)


@given(st.lists(counts, min_size=1, max_size=5))
def test_packets_are_added_up_over_the_rounds_that_both_ends_know(several: list[FlowCount]) -> None:
    total = added(several)
    known = [each for each in several if each.arrived is not None and each.sent]
    used = known or several
    assert total.sent == sum(each.sent for each in used)
    assert total.answered == sum(each.answered for each in used)
    assert total.asked == sum(each.asked for each in used)
    assert len(total.rtt_ms) == sum(len(each.rtt_ms) for each in used)
    if known:
        assert total.arrived == sum(each.arrived or 0 for each in known)
    for host, number in total.carried.items():
        parts = [each.carried.get(host) for each in used]
        assert number == (None if None in parts else sum(part or 0 for part in parts))
