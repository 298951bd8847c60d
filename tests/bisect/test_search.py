"""The search on paper: what it names, what it never names, that it ends, and how often it is right."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.bisect.search import Ending, Rules, Tally, Try, next_step, shares

from .searched import fails_from, search

STEADY = Rules(flaky=0.0)


@pytest.mark.parametrize("last", [1, 2, 5, 9, 40])
def test_a_steady_test_finds_every_first_bad_version_with_as_many_boots_as_a_binary_search(last: int) -> None:
    for first_bad in range(1, last + 1):
        done = search(last, lambda place, bad=first_bad: place >= bad, rules=STEADY)  # type: ignore[misc]
        assert done.answer.ending is Ending.FOUND
        assert (done.answer.first, done.answer.last, done.answer.last_good) == (
            first_bad,
            first_bad,
            first_bad - 1,
        )
        # Both ends, and the binary logarithm of what lies between.
        assert len(done.tried) <= 2 + (last - 1).bit_length()


def test_bad_and_good_are_tried_before_anything_else() -> None:
    done = search(9, lambda place: place >= 4)
    assert done.tried[:2] == (9, 0)


@pytest.mark.parametrize(
    ("first_bad", "ending"), [(0, Ending.GOOD_FAILS), (10, Ending.BAD_PASSES)], ids=["good", "bad"]
)
def test_an_end_that_is_not_what_it_was_said_to_be_is_named_and_no_version_is(
    first_bad: int, ending: Ending
) -> None:
    for rules in (Rules(), STEADY):
        assert search(9, lambda place: place >= first_bad, rules=rules).answer.ending is ending


def test_an_end_that_will_not_boot_ends_the_search() -> None:
    done = search(9, lambda place: place >= 4, dead={0})
    assert (done.answer.ending, done.answer.first) == (Ending.UNTRIED, 0)
    done = search(9, lambda place: place >= 4, dead={9})
    assert (done.answer.ending, done.answer.first) == (Ending.UNTRIED, 9)


@pytest.mark.parametrize(
    ("dead", "ending", "first", "last"),
    [
        ({3}, Ending.RANGE, 3, 4),
        ({2, 3}, Ending.RANGE, 2, 4),
        ({4}, Ending.RANGE, 4, 5),
        ({3, 4}, Ending.RANGE, 3, 5),
        ({1, 2, 3, 4, 5, 6, 7, 8}, Ending.RANGE, 1, 9),
        ({1, 6}, Ending.FOUND, 4, 4),
    ],
    ids=["below", "two-below", "the-bad-one", "both-sides", "all-between", "elsewhere"],
)
def test_versions_that_will_not_boot_make_a_range_only_where_they_hide_the_answer(
    dead: set[int], ending: Ending, first: int, last: int
) -> None:
    answer = search(9, lambda place: place >= 4, dead=dead).answer
    assert (answer.ending, answer.first, answer.last) == (ending, first, last)
    assert answer.last_good == first - 1


def test_the_next_boot_is_the_middle_when_nothing_else_is_known() -> None:
    tallies = [Tally() for _ in range(17)]
    tallies[0], tallies[16] = Tally(passed=1), Tally(failed=1)
    step = next_step(tallies, STEADY)
    assert isinstance(step, Try)
    assert step.place in (7, 8, 9)
    assert step.bits == pytest.approx(1.0, abs=0.05)


def test_an_answer_that_contradicts_others_is_asked_again_and_not_believed() -> None:
    # 6 failed once, and 7 to 9 pass: that one failure is the error.
    tallies = [Tally() for _ in range(13)]
    tallies[0], tallies[12] = Tally(passed=2), Tally(failed=2)
    tallies[6], tallies[7], tallies[8], tallies[9] = (
        Tally(failed=1), Tally(passed=2), Tally(passed=2), Tally(passed=2),
    )  # fmt: skip
    believed = shares(tallies, Rules())
    assert sum(believed[10:13]) > 0.9
    assert sum(believed) == pytest.approx(1.0)


def test_the_most_boots_end_a_search_with_what_is_left() -> None:
    dice = random.Random(3)
    rules = Rules(most_boots=12)
    done = search(40, fails_from(17, dice, wrong_fails=0.3, wrong_passes=0.3), rules=rules)
    assert done.answer.ending is Ending.UNDECIDED
    assert len(done.tried) == 12
    assert done.answer.first < done.answer.last
    assert done.answer.confidence >= rules.confidence


@settings(max_examples=120, deadline=None)
@given(
    last=st.integers(1, 30),
    data=st.data(),
    seed=st.integers(0, 10_000),
    wrong=st.tuples(st.floats(0, 0.45), st.floats(0, 0.45)),
)
def test_any_search_ends_and_names_no_version_that_was_not_seen_to_fail(
    last: int, data: st.DataObject, seed: int, wrong: tuple[float, float]
) -> None:
    first_bad = data.draw(st.integers(0, last + 1))
    dead = data.draw(st.sets(st.integers(1, max(last - 1, 1)), max_size=last)) - {last}
    rules = Rules(most_boots=60, flaky=data.draw(st.sampled_from([0.0, 0.1, 0.3])))
    test = fails_from(first_bad, random.Random(seed), wrong_fails=wrong[0], wrong_passes=wrong[1])
    done = search(last, test, rules=rules, dead=dead)
    assert len(done.tried) <= 60 + len(dead)
    answer = done.answer
    if answer.ending in (Ending.FOUND, Ending.RANGE):
        assert done.tallies[answer.last].failed > 0
        assert answer.last_good is not None
        assert done.tallies[answer.last_good].passed > 0
        assert answer.confidence >= rules.confidence
        # What is named was not shown good, nor what is before it bad.
        assert done.tallies[answer.last].failed >= done.tallies[answer.last].passed
        assert done.tallies[answer.last_good].passed >= done.tallies[answer.last_good].failed
        assert all(done.tallies[place].skipped for place in range(answer.first, answer.last))


@settings(max_examples=60, deadline=None)
@given(last=st.integers(1, 20), data=st.data())
def test_what_is_believed_depends_on_counts_alone(last: int, data: st.DataObject) -> None:
    counts = data.draw(
        st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=last + 1, max_size=last + 1)
    )
    tallies = [Tally(failed=failed, passed=passed) for failed, passed in counts]
    believed = shares(tallies, Rules())
    assert len(believed) == last + 2
    assert sum(believed) == pytest.approx(1.0)
    # Seen from behind, with passes for failures, it is the same search.
    mirrored = shares([Tally(failed=one.passed, passed=one.failed) for one in reversed(tallies)], Rules())
    assert list(mirrored) == pytest.approx(list(reversed(believed)), abs=1e-9)


@pytest.mark.parametrize("wrong", [(0.0, 0.0), (0.2, 0.2), (0.0, 0.2), (0.2, 0.0)], ids=str)
def test_it_is_right_as_often_as_it_says_whatever_the_rates_are(wrong: tuple[float, float]) -> None:
    dice = random.Random(20)
    searches, right = 400, 0
    for _ in range(searches):
        first_bad = dice.randint(1, 9)
        test = fails_from(first_bad, dice, wrong_fails=wrong[0], wrong_passes=wrong[1])
        answer = search(9, test).answer
        right += answer.ending is Ending.FOUND and answer.first == first_bad
    # 99 % are expected; fewer than 97.5 % of 400 would come once in 200 such tests.
    assert right >= 0.975 * searches
