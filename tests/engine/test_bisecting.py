"""The loop of a search on the simulated ground: killed behind any event it ends as if it had not been."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.bisect.course import Course, Version, fold
from seatrial.bisect.search import Ending, Rules
from seatrial.engine.bisecting import loop
from seatrial.engine.bisecting.ground import Ground, Tried
from seatrial.engine.bisecting.simulated import Simulated, SimulatedKernels
from seatrial.engine.rehearsal import killer
from seatrial.errors import InputError, LabError, NotKnown, Refused
from seatrial.journal.leases import Holder
from seatrial.journal.store import Journal
from seatrial.model.event import Event, Kind
from seatrial.model.result import Outcome
from seatrial.vantage.simulation import ControllerFault
from tests.engine.children import begun, ended

VERSIONS = tuple(f"6.1.0-{number}-cloud-amd64" for number in range(47, 57))


def journal(folder: Path, after: Callable[[Event], None] | None = None) -> Journal:
    return Journal(f"sqlite:///{folder / 'journal.db'}", after_append=after)


def begin(store: Journal, rules: Rules | None = None) -> str:
    return loop.start(
        store,
        versions=[Version(name=name, says=f"linux-image-{name} 6.1.{name[6:8]}-1") for name in VERSIONS],
        rules=rules or Rules(),
        asked="a test",
        ground={},
        by="test",
        why="test",
    )


def simulated(**what: object) -> SimulatedKernels:
    return SimulatedKernels(VERSIONS, Simulated(**{"first_bad": VERSIONS[5], **what}))  # type: ignore[arg-type]


def searched(folder: Path, ground: Ground, after: Callable[[Event], None] | None = None) -> Course:
    """Begin b1, or go on with it."""
    store = journal(folder, after)
    name = store.bisects()[-1] if store.bisects() else begin(store)
    return asyncio.run(loop.carry_out(store, name, ground))


def in_a_child(folder: Path, ground: Ground, fault: ControllerFault) -> int:
    return ended(begun(lambda: searched(folder, ground, killer(fault))))


@dataclass(slots=True)
class Scripted:
    """A ground that gives these answers, whatever it is asked, and remembers what it was asked."""

    answers: list[Tried | LabError]
    platform: str = "on paper"
    asked: list[tuple[str, int]] = field(default_factory=list)

    async def attempt(self, version: str, number: int, likely: Sequence[str]) -> Tried:
        self.asked.append((version, number))
        answer = self.answers.pop(0)
        if isinstance(answer, LabError):
            raise answer
        return answer


def names(course: Course) -> Sequence[str]:
    assert course.answer is not None
    return [version.name for version in course.versions[course.answer.first : course.answer.last + 1]]


@pytest.mark.parametrize("flaky", [0.0, 0.2], ids=["steady", "flaky"])
def test_a_search_that_is_killed_behind_any_event_goes_on_and_ends_the_same(
    tmp_path: Path, flaky: float
) -> None:
    whole = searched(tmp_path, simulated(flaky=flaky))
    assert whole.answer is not None
    assert names(whole) == [VERSIONS[5]]
    events = journal(tmp_path).read("b1")
    for number in range(1, len(events)):
        folder = tmp_path / str(number)
        folder.mkdir()
        # Killed there, and again three events later.
        assert in_a_child(folder, simulated(flaky=flaky), ControllerFault(after_event=number)) == -9
        in_a_child(folder, simulated(flaky=flaky), ControllerFault(after_event=3))
        again = searched(folder, simulated(flaky=flaky))
        assert again.answer == whole.answer, number
        assert [one.outcome for one in again.attempts] == [one.outcome for one in whole.attempts]
        # A boot that was begun and cut off was made, and is counted.
        assert whole.boots <= again.boots <= whole.boots + 2


@settings(max_examples=15, deadline=None)
@given(
    first_bad=st.integers(1, 9),
    dead=st.sets(st.integers(1, 8), max_size=5),
    seed=st.integers(0, 999),
    cut=st.integers(0, 200),
)
def test_from_every_prefix_of_its_events_a_search_goes_on_to_the_same_answer(
    tmp_path_factory: pytest.TempPathFactory, first_bad: int, dead: set[int], seed: int, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("search")
    ground = simulated(
        first_bad=VERSIONS[first_bad], dead=tuple(VERSIONS[place] for place in dead), flaky=0.1, seed=seed
    )
    whole = searched(folder, ground)
    events = journal(folder).read("b1")
    prefix = events[: 1 + cut % len(events)]
    other = tmp_path_factory.mktemp("again")
    store = journal(other)
    store.new_bisect()
    for event in prefix:
        store.append(Kind(event.kind), rollout="b1", by=event.by, data=event.data)
    assert searched(other, ground).answer == whole.answer


def test_what_will_not_boot_twice_is_left_out_and_the_range_is_named(tmp_path: Path) -> None:
    course = searched(tmp_path, simulated(dead=(VERSIONS[4],)))
    assert course.answer is not None
    assert course.answer.ending is Ending.RANGE
    assert names(course) == [VERSIONS[4], VERSIONS[5]]
    assert [one.outcome for one in course.of(VERSIONS[4])] == [Outcome.SKIP, Outcome.SKIP]


def test_answers_that_say_nothing_are_no_evidence_and_end_the_loop_not_the_search(tmp_path: Path) -> None:
    unknown = Tried(outcome=Outcome.UNKNOWN, because="s-outside did not answer")
    ground = Scripted([unknown] * 3)
    with pytest.raises(
        NotKnown, match="3 attempts in a row said nothing, the last one: s-outside"
    ) as problem:
        searched(tmp_path, ground)
    assert "--resume b1" in problem.value.hint
    assert {version for version, _ in ground.asked} == {VERSIONS[-1]}
    assert names(searched(tmp_path, simulated())) == [VERSIONS[5]]


def test_a_lab_that_breaks_says_nothing_of_the_version_that_was_on_it(tmp_path: Path) -> None:
    with pytest.raises(LabError):
        searched(tmp_path, Scripted([LabError("QEMU ended", hint="look")]))
    course = fold(journal(tmp_path).read("b1"), bisect="b1")
    assert (course.attempts, course.boots, course.trying) == ((), 1, VERSIONS[-1])
    assert names(searched(tmp_path, simulated())) == [VERSIONS[5]]


def test_a_search_that_is_over_is_not_begun_again(tmp_path: Path) -> None:
    first = searched(tmp_path, simulated())
    assert searched(tmp_path, Scripted([])) == first


def test_two_processes_do_not_search_at_once(tmp_path: Path) -> None:
    store = journal(tmp_path)
    name = begin(store)
    other = Holder(holder="elsewhere", machine="another one", pid=1, started="1")
    store.take_lease(name, other)
    with pytest.raises(Refused, match="goes on in another process"):
        asyncio.run(loop.carry_out(store, name, simulated()))


def test_a_search_that_nobody_knows_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    store = journal(tmp_path)
    begin(store)
    with pytest.raises(InputError, match="there is no bisect 'b9'") as problem:
        loop.course_of(store, "b9")
    assert "b1" in problem.value.hint
