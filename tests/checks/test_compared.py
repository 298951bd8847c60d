"""A run beside an earlier one: each pair of outcomes, losses that are more than chance, and what only one side has."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.checks.compared import compare, remembered
from seatrial.model.change import Change, Comparison
from seatrial.model.result import Outcome, Result
from seatrial.report.formats import beside

P, F, U, S = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN, Outcome.SKIP


def one(outcome: Outcome, check: str = "c", **evidence: Any) -> Result:
    return Result(check=check, outcome=outcome, because=f"said {outcome}", evidence=evidence)


def flow(answered: int, asked: int = 32) -> Result:
    lost = round(100 * (asked - answered) / asked, 2)
    return one(P if answered == asked else F, asked=asked, answered=answered, lost=lost)


def against(now: Result, before: Result | None) -> Comparison:
    return compare([now], {} if before is None else {before.check: before}, baseline="before.json")


@pytest.mark.parametrize(
    ("before", "now", "change", "outcome"),
    [
        (P, P, Change.SAME, P),
        (P, F, Change.WORSE, F),
        (P, U, Change.NOT_COMPARED, U),
        (P, S, Change.NOT_COMPARED, U),
        (F, P, Change.MENDED, P),
        (F, F, Change.FAILED_BEFORE, P),
        (F, U, Change.NOT_COMPARED, U),
        (F, S, Change.NOT_COMPARED, U),
        (U, P, Change.SAME, P),
        (U, F, Change.NOT_COMPARED, U),
        (U, U, Change.NOT_COMPARED, U),
        (S, P, Change.SAME, P),
        (S, F, Change.NOT_COMPARED, U),
        (S, S, Change.SAME, P),
    ],
)
def test_each_pair_of_outcomes_has_its_change(
    before: Outcome, now: Outcome, change: Change, outcome: Outcome
) -> None:
    found = against(one(now), one(before))
    assert (found.rows[0].change, found.outcome) == (change, outcome)
    assert found.rows[0].result.outcome is now, "what it is now stays what it is"


@pytest.mark.parametrize(
    ("now", "change"), [(P, Change.NEW), (S, Change.NEW), (F, Change.NOT_COMPARED), (U, Change.NOT_COMPARED)]
)
def test_what_the_baseline_does_not_have_is_named(now: Outcome, change: Change) -> None:
    found = compare([one(now), one(P, "d")], {"d": one(P, "d")}, baseline="b")
    assert found.rows[0].change is change
    assert "not in the baseline" in found.rows[0].note


@pytest.mark.parametrize(("before", "outcome"), [(P, U), (F, P), (U, P), (S, P)])
def test_what_passed_before_and_was_not_asked_was_not_compared(before: Outcome, outcome: Outcome) -> None:
    found = compare([one(P)], {"c": one(P), "gone": one(before, "gone")}, baseline="b")
    assert ([each.check for each in found.missing], found.outcome) == (["gone"], outcome)


def test_what_a_filter_left_out_is_not_missed() -> None:
    found = compare([one(P)], {"c": one(P), "gone": one(P, "gone")}, baseline="b", unasked={"gone"})
    assert (found.missing, found.outcome) == ((), P)
    assert [each.check for each in found.left_out] == ["gone"]


def test_a_run_with_nothing_in_common_was_not_compared() -> None:
    assert compare([one(P)], {"other": one(F, "other")}, baseline="b").outcome is U


@pytest.mark.parametrize(
    ("before", "now", "worse"),
    [(31, 0, True), (31, 19, True), (31, 25, False), (20, 18, False), (0, 0, False), (0, 31, False)],
)
def test_a_failure_that_loses_more_than_chance_explains_is_worse(before: int, now: int, worse: bool) -> None:
    row = against(flow(now), flow(before)).rows[0]
    assert row.change is (Change.WORSE if worse else Change.FAILED_BEFORE)
    assert ("lost less" in row.note) is worse


def test_what_failed_before_as_well_is_said_so_in_its_sentence() -> None:
    assert remembered(one(F), one(F)).because == "said fail; it failed before as well"
    assert against(one(F), one(F)).rows[0].result.because.endswith("; it failed before as well")
    assert remembered(one(F), one(P)).because == "said fail"
    assert remembered(one(F), None).because == "said fail"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
evidence = st.dictionaries(
    st.sampled_from(["asked", "answered", "sent", "received", "lost", "rtt_ms", "sources"]), anything
)


@given(evidence, evidence, st.sampled_from(Outcome), st.sampled_from(Outcome))
def test_no_evidence_of_a_file_breaks_the_comparison(
    now: dict[str, Any], before: dict[str, Any], outcome: Outcome, then: Outcome
) -> None:
    found = against(one(outcome, **now), one(then, **before))
    assert found.outcome in (P, F, U)
    assert isinstance(beside(found.rows[0]), str)
    # Nothing but a failure is ever worse.
    assert outcome is F or found.outcome is not F


@given(st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(Outcome), min_size=1))
def test_a_run_beside_itself_is_never_worse(outcomes: dict[str, Outcome]) -> None:
    results = [one(outcome, name) for name, outcome in outcomes.items()]
    found = compare(results, {each.check: each for each in results}, baseline="b")
    assert found.outcome is (U if U in outcomes.values() else P)
    assert (found.missing, found.of(Change.WORSE), found.of(Change.NEW)) == ((), (), ())
