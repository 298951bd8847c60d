"""What the server holds of a journal is what all its Events say, although it has read a tenth of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.journal.store import Journal
from seatrial.model.event import Kind
from seatrial.model.fold import RolloutState, advance, fold
from seatrial.report.narrate import Line, narrate
from seatrial.web.following import Following
from seatrial.web.timeline import page

from .large import large


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    path = tmp_path_factory.mktemp("large") / "journal.db"
    large(path, hosts=120, events=5000)
    return Journal(f"sqlite:///{path}")


def test_light_is_what_the_whole_fold_says(store: Journal) -> None:
    following = Following(store)
    following.catch_up()
    assert list(following.heads) == store.rollouts()
    assert [told.state.id for told in following.running] == store.rollouts()[-1:]
    for name in store.rollouts():
        whole, told = fold(store.read(name), rollout=name), following.told(name)
        for host, trial in whole.trials.items():
            light = told.state.trials[host]
            assert (light.state, light.because, light.since, light.begun, light.given, light.over) == (
                trial.state,
                trial.because,
                trial.since,
                trial.begun,
                trial.given,
                trial.over,
            )
            assert light.facts.get("good") == trial.facts.get("good")
        chosen = next(trial for trial in whole.trials.values() if trial.rounds)
        assert following.trial(told, chosen.host) == chosen


def test_a_trial_under_way_is_whole_and_one_that_is_over_is_not_kept(store: Journal) -> None:
    following = Following(store)
    following.catch_up()
    (told,) = following.running
    under_way = [trial for trial in told.state.trials.values() if trial.under_way]
    whole = fold(store.read(told.state.id), rollout=told.state.id)
    assert under_way
    assert all(trial == whole.trials[trial.host] for trial in under_way)
    assert not any(trial.rounds for trial in told.state.trials.values() if trial.over)


def test_the_pages_of_a_time_line_are_the_lines_of_the_whole(store: Journal) -> None:
    for name in store.rollouts():
        lines: list[Line] = []
        before: int | None = None
        while True:
            found = page(store, name, before=before)
            lines = [line for _, _, line in found.lines] + lines
            if found.earlier is None:
                break
            before = found.earlier
        assert lines == narrate(store.read(name), rollout=name)


def test_the_newest_lines_that_are_kept_are_those_of_the_last_page(store: Journal) -> None:
    following = Following(store)
    following.catch_up()
    for name in store.rollouts():
        kept = [line for _, line in following.told(name).lines]
        assert kept == narrate(store.read(name), rollout=name)[-len(kept) :]
        assert len(kept) > 50


def test_folding_all_at_once_says_what_one_after_another_says(store: Journal) -> None:
    name = store.rollouts()[-1]
    one = RolloutState(id=name)
    events = store.read(name)
    for number, event in enumerate(events, 1):
        one = advance(one, event)
        if number % 211 == 0 or number == len(events):
            assert fold(events[:number], rollout=name) == one
    assert fold([], rollout=name) == RolloutState(id=name)


def test_what_comes_later_is_told_as_if_it_had_been_there(tmp_path: Path) -> None:
    large(tmp_path / "all.db", hosts=20, events=1200)
    whole = Journal(f"sqlite:///{tmp_path / 'all.db'}")
    events = whole.read()
    part = Journal(f"sqlite:///{tmp_path / 'part.db'}")
    following = None
    for number, event in enumerate(events):
        if number == 150:
            following = Following(part)
        part.append(Kind(event.kind), rollout=event.rollout, host=event.host, by=event.by, data=event.data)
        if following is not None and number % 97 == 0:
            following.catch_up()
    assert following is not None
    following.catch_up()
    afresh = Following(part)
    afresh.catch_up()
    assert list(following.heads) == list(afresh.heads)
    assert following.verdicts == afresh.verdicts
    name = list(following.heads)[-1]
    one, other = following.told(name), afresh.told(name)
    assert {trial.host: trial.state for trial in one.state.trials.values()} == {
        trial.host: trial.state for trial in other.state.trials.values()
    }
    assert [line for _, line in one.lines][-20:] == [line for _, line in other.lines][-20:]
