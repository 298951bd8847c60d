"""The search for faults, against faults that are known because the test put them there."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.diagnose.localise import localise
from seatrial.model.observation import Diagnosis, Observation

COMPONENTS = [f"c{number}" for number in range(10)]
PATHS = st.lists(
    st.lists(st.sampled_from(COMPONENTS), min_size=1, max_size=5, unique=True), min_size=1, max_size=14
)


def observed(paths: list[list[str]], faulty: set[str], sent: int = 32) -> list[Observation]:
    return [
        Observation(id=f"p{n}", path=tuple(path), sent=sent, lost=sent if faulty & set(path) else 0)
        for n, path in enumerate(paths)
    ]


def first_class(diagnosis: Diagnosis) -> set[tuple[str, ...]]:
    first = diagnosis.suspects[0]
    return {first.components, *first.same_evidence}


@settings(deadline=None)
@given(paths=PATHS, sent=st.integers(8, 400))
def test_nothing_is_named_when_nothing_is_lost(paths: list[list[str]], sent: int) -> None:
    assert localise(observed(paths, set(), sent)) == Diagnosis()


@settings(deadline=None)
@given(paths=PATHS, sent=st.integers(8, 400), data=st.data())
def test_a_single_fault_is_always_in_the_first_class(
    paths: list[list[str]], sent: int, data: st.DataObject
) -> None:
    faulty = data.draw(st.sampled_from(sorted({name for path in paths for name in path})))
    assert (faulty,) in first_class(localise(observed(paths, {faulty}, sent)))


@settings(deadline=None)
@given(paths=PATHS, data=st.data(), seed=st.integers(0, 1000))
def test_the_order_of_observations_does_not_matter(
    paths: list[list[str]], data: st.DataObject, seed: int
) -> None:
    faulty = data.draw(st.sets(st.sampled_from(COMPONENTS), max_size=3))
    seen = observed(paths, faulty)
    shuffled = list(seen)
    random.Random(seed).shuffle(shuffled)
    assert localise(seen) == localise(shuffled)


@settings(deadline=None)
@given(paths=PATHS, data=st.data())
def test_what_is_named_explains_every_loss(paths: list[list[str]], data: st.DataObject) -> None:
    faulty = data.draw(st.sets(st.sampled_from(COMPONENTS), max_size=3))
    seen = observed(paths, faulty)
    diagnosis = localise(seen)
    named = set(diagnosis.suspects[0].components) if diagnosis.suspects else set()
    assert all(named & set(one.path) for one in seen if one.lost)


@settings(deadline=None)
@given(paths=PATHS, data=st.data())
def test_next_probes_split_the_class_that_they_are_for(paths: list[list[str]], data: st.DataObject) -> None:
    faulty = data.draw(st.sampled_from(sorted({name for path in paths for name in path})))
    diagnosis = localise(observed(paths, {faulty}))
    same = {part for names in first_class(diagnosis) for part in names}
    for probe in diagnosis.next:
        assert len(probe.splits) == 2
        assert set(probe.splits[0]) | set(probe.splits[1]) == same
        assert set(probe.splits[0]) <= set(probe.path)
        assert not set(probe.splits[1]) & set(probe.path)


def test_two_full_faults_are_found_together_where_a_shared_component_half_explains_them() -> None:
    paths = [["a", "m"], ["a", "n"], ["b", "m"], ["b", "k"], ["m", "x"], ["k", "x"], ["n", "y"], ["n", "x"]]
    assert set(localise(observed(paths, {"a", "b"})).suspects[0].components) == {"a", "b"}


def test_partial_loss_is_found() -> None:
    dice = random.Random(1)
    paths = [[a, b] for a in ("a", "b", "c") for b in ("x", "y", "z")]
    seen = [
        Observation(
            id=f"{path}",
            path=tuple(path),
            sent=200,
            lost=sum(dice.random() < 0.05 for _ in range(200)) if "b" in path else 0,
        )
        for path in paths
    ]
    assert localise(seen).suspects[0].components == ("b",)


def test_loss_on_one_of_two_equal_paths_is_found() -> None:
    ways = (("in", "left", "out"), ("in", "right", "out"))
    seen = [
        Observation(id="both", paths=ways, sent=200, lost=103),
        Observation(id="left", path=("l1", "left", "l2"), sent=200, lost=200),
        Observation(id="right", path=("r1", "right", "r2"), sent=200, lost=0),
        Observation(id="ends", path=("in", "out", "l1", "l2"), sent=200, lost=0),
    ]
    assert localise(seen).suspects[0].components == ("left",)


def test_the_prior_decides_between_what_evidence_cannot_tell_apart() -> None:
    seen = [Observation(id="p1", path=("vm>gw", "gw:snat", "gw>wan"), sent=40, lost=40)]
    suspect = localise(seen, {"gw:snat": 0.01}).suspects[0]
    assert suspect.components == ("gw:snat",)
    assert suspect.same_evidence == (("gw>wan",), ("vm>gw",))


def test_observations_without_sense_do_no_harm() -> None:
    seen = [
        Observation(id="nothing sent", path=("a",), sent=0, lost=0),
        Observation(id="no path", sent=10, lost=10),
        Observation(id="more lost than sent", path=("a", "a"), sent=10, lost=99),
        Observation(id="negative", path=("b",), sent=10, lost=-5),
    ]
    assert localise(seen).suspects[0].components == ("a",)
