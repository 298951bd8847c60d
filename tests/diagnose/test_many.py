"""The search among many components: against the search among few, and on networks too large for that one."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.diagnose import few, many
from seatrial.diagnose.evidence import gather, is_chance
from seatrial.diagnose.localise import localise
from seatrial.model.observation import Observation

COMPONENTS = [f"c{number}" for number in range(10)]
PATHS = st.lists(
    st.lists(st.sampled_from(COMPONENTS), min_size=1, max_size=5, unique=True), min_size=1, max_size=14
)


def grid(size: int, faulty: dict[str, float], sent: int = 400) -> list[Observation]:
    """Probes over a row and a column of links each, and over one of its own: every fault leaves a mark of its own."""
    dice = random.Random(size)
    seen = []
    for row in range(size):
        for column in range(size):
            path = (f"row{row:03d}", f"column{column:03d}", f"own{(row * 7 + column) % (3 * size):03d}")
            through = 1.0
            for name in path:
                through *= 1 - faulty.get(name, 0.0)
            lost = sum(dice.random() >= through for _ in range(sent)) if through < 1 else 0
            seen.append(Observation(id=f"{row}-{column}", path=path, sent=sent, lost=lost))
    return seen


@settings(deadline=None)
@given(paths=PATHS, data=st.data(), sent=st.integers(50, 400))
def test_it_names_one_full_fault_as_the_search_among_few_does(
    paths: list[list[str]], data: st.DataObject, sent: int
) -> None:
    faulty = data.draw(st.sampled_from(sorted({name for path in paths for name in path})))
    seen = [
        Observation(id=f"p{n}", path=tuple(path), sent=sent, lost=sent if faulty in path else 0)
        for n, path in enumerate(paths)
    ]
    evidence = gather(seen, {})
    assert many.rank(evidence)[0][0] == few.rank(evidence)[0][0]


@settings(deadline=None)
@given(paths=PATHS, data=st.data())
def test_what_it_names_explains_every_full_loss(paths: list[list[str]], data: st.DataObject) -> None:
    faulty = data.draw(st.sets(st.sampled_from(COMPONENTS), max_size=3))
    seen = [
        Observation(id=f"p{n}", path=tuple(path), sent=60, lost=60 if faulty & set(path) else 0)
        for n, path in enumerate(paths)
    ]
    evidence = gather(seen, {})
    ranked = many.rank(evidence)
    named = {evidence.alike[fault].members[0] for fault in ranked[0][0]} if ranked else set()
    assert all(named & set(one.path) for one in seen if one.lost)


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_every_gain_that_is_kept_by_increments_is_the_gain_from_scratch(data: st.DataObject) -> None:
    ways = st.lists(st.lists(st.sampled_from(COMPONENTS), min_size=1, max_size=4), min_size=1, max_size=3)
    several = data.draw(st.lists(ways, min_size=1, max_size=8))
    seen = [
        Observation(
            id=f"p{n}", paths=tuple(map(tuple, paths)), sent=50, lost=data.draw(st.integers(n == 0, 50))
        )
        for n, paths in enumerate(several)
    ]
    evidence = gather(seen, {})
    table = many._Table(evidence)
    walked, fresh = many._Search(table, evidence.noise), many._Search(table, evidence.noise)
    numbers = st.integers(0, len(evidence.alike) - 1)
    steps = data.draw(
        st.lists(st.tuples(numbers, st.none() | st.integers(0, len(many.SHARES) - 1)), max_size=8)
    )
    for fault, share in steps:
        walked.flip(fault, share)
    for fault, share in walked.faults.items():
        fresh.flip(fault, share)
    anew = fresh._terms(np.arange(len(table.cell_row)))
    assert np.allclose(walked.gain, fresh.gain, atol=1e-5)
    assert np.allclose(walked.gain, np.add.reduceat(anew[table.cell], table.starts[:-1], axis=0), atol=1e-5)


@pytest.mark.parametrize("share", [1.0, 0.3, 0.05])
def test_many_faults_are_named_with_nothing_beside(share: float) -> None:
    faulty = dict.fromkeys(("row004", "row011", "column002", "own030", "own041", "own070"), share)
    first = localise(grid(30, faulty)).suspects[0]
    assert set(first.components) == set(faulty)
    assert first.probability > 0.9


def test_the_order_of_many_observations_does_not_matter() -> None:
    seen = grid(25, {"row004": 0.2, "own030": 1.0, "column007": 0.04})
    shuffled = list(seen)
    random.Random(3).shuffle(shuffled)
    assert localise(seen) == localise(shuffled)


def test_what_many_observations_cannot_tell_apart_is_one_class_and_a_probe_that_splits_it_is_proposed() -> (
    None
):
    seen = [
        Observation(id=one.id, path=(*one.path, f"twin of {one.path[2]}"), sent=one.sent, lost=one.lost)
        for one in grid(30, {"own030": 1.0, "own041": 0.5, "row004": 0.5})
    ]
    diagnosis = localise(seen)
    same = {name for names in diagnosis.suspects[0].same_evidence for name in names}
    assert {"twin of own030", "twin of own041"} <= same
    assert diagnosis.next
    assert all(len(probe.splits) == 2 for probe in diagnosis.next)


def test_chance_in_a_large_network_is_no_fault() -> None:
    dice = random.Random(5)
    seen = [
        Observation(id=one.id, path=one.path, sent=400, lost=int(dice.random() < 0.1)) for one in grid(40, {})
    ]
    assert localise(seen).suspects == ()
    assert is_chance(seen)


def test_a_prior_that_was_said_is_kept_among_many() -> None:
    seen = [
        Observation(id=one.id, path=(*one.path, f"twin of {one.path[0]}"), sent=one.sent, lost=one.lost)
        for one in grid(30, {"row004": 1.0, "row020": 1.0, "own030": 1.0})
    ]
    named = localise(seen, {"twin of row004": 0.01}).suspects[0].components
    assert set(named) == {"twin of row004", "row020", "own030"}


def test_what_was_found_makes_a_fault_like_it_cheaper_and_no_other() -> None:
    evidence = gather(grid(150, {"row004": 1.0, "row020": 1.0, "own030": 1.0}, 40), {})
    search = many._Search(many._Table(evidence), evidence.noise)
    search.climb()
    before = search.price.copy()
    assert search.cheapen()
    change = (search.price - before).max(axis=0)
    assert change[-1] > 0.1
    assert change[many.SHARES < 0.2].max() < 0.01
    assert (search.price <= many.USUAL_ODDS).all()
