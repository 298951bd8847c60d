"""The rules of the pair, explored through all interleavings of two hosts, a link, a controller that may die, and faults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from seatrial.ha.drbdnfs.machine import HostState, facts_of, world_steps
from seatrial.model.failover import Ending

from .explored import MOUNT, Explored, Whole, decided, explore

FAULTS = (
    "kill", "cut", "mend", "crash 0", "crash 1", "boot 0", "boot 1", "mute 0", "mute 1", "heard 0", "heard 1",
    "busy 0", "busy 1", "no-mount 0", "no-mount 1", "nfsd-stuck 0",
)  # fmt: skip


@pytest.fixture(scope="module")
def two_faults() -> Explored:
    """Everything that any two faults, at any time, can lead to, with batches that arrive late."""
    return explore(FAULTS, left=2)


@pytest.fixture(scope="module")
def in_time() -> Explored:
    """The same, with what is not heard at once never heard."""
    return explore(FAULTS, left=2, late=False)


def told(found: Explored, wrong: list[Whole]) -> str:
    """The shortest way to the first state that is wrong."""
    return "\n".join(found.story(min(wrong, key=lambda state: len(found.story(state))))) if wrong else ""


def serves(host: HostState) -> bool:
    """Whether all of the service is on a host."""
    return host.up and host.primary and host.mounted and host.served and host.address


def test_the_two_are_never_primary_at_once(two_faults: Explored) -> None:
    wrong = [state for state in two_faults.how if all(one.up and one.primary for one in state.pair.hosts)]
    assert not wrong, told(two_faults, wrong)


def test_no_side_is_promoted_with_data_that_may_be_older(two_faults: Explored) -> None:
    wrong = [after for before, after in edges(two_faults) if is_stale_promotion(before, after)]
    assert not wrong, told(two_faults, wrong)


def test_there_is_never_a_split_brain(two_faults: Explored) -> None:
    wrong = [state for state in two_faults.how if any(one.split for one in state.pair.hosts)]
    assert not wrong, told(two_faults, wrong)


def test_from_everywhere_there_is_a_way_to_an_end(two_faults: Explored) -> None:
    ending = [state for state in two_faults.how if state.written.ended]
    reached = set(ending)
    for state in ending:
        for before in two_faults.before[state]:
            if before not in reached:
                reached.add(before)
                ending.append(before)
    wrong = [state for state in two_faults.how if state not in reached]
    assert not wrong, told(two_faults, wrong)


def test_all_endings_are_reached_and_none_that_has_no_name(two_faults: Explored) -> None:
    ended = Counter(state.written.ended for state in two_faults.how if state.written.ended)
    assert set(ended) == {Ending.MOVED, Ending.BACK, Ending.UNDONE, Ending.STUCK}


def test_the_service_is_never_nowhere_in_the_end_while_a_host_could_have_it(in_time: Explored) -> None:
    wrong = [
        state
        for state in in_time.how
        if state.written.ended
        and not any(serves(one) for one in state.pair.hosts)
        and is_settled(state)
        and any(could_serve(state, which) for which in (0, 1))
    ]
    assert not wrong, told(in_time, wrong)


def test_an_end_says_where_the_service_is(in_time: Explored) -> None:
    wrong = [
        state
        for state in in_time.how
        if state.written.ended in (Ending.MOVED, Ending.BACK)
        and is_settled(state)
        and not serves(state.pair.hosts[state.written.ended == Ending.MOVED])
    ]
    assert not wrong, told(in_time, wrong)


def test_without_a_fault_it_always_moves() -> None:
    found = explore((), left=0)
    assert {state.written.ended for state in found.how} == {"", Ending.MOVED}


def test_a_controller_that_is_killed_three_times_never_ends_a_healthy_move_stuck() -> None:
    found = explore(("kill",), left=3, late=False)
    assert {state.written.ended for state in found.how} == {"", Ending.MOVED}


def test_a_cut_of_the_replication_alone_is_no_reason_for_a_promotion(in_time: Explored) -> None:
    # The trap: both sides still say Connected, and the one that stood by could be promoted without a word.
    found = explore(("cut",), left=1)
    promoted = [
        after
        for before, after in edges(found)
        if after.pair.hosts[1].primary and not before.pair.hosts[1].primary and before.pair.hosts[0].primary
    ]
    assert not promoted, told(found, promoted)


def test_a_person_who_says_rightly_that_the_peer_is_dead_makes_the_other_serve() -> None:
    found = explore(("crash 0", "kill"), left=2, forced="its power is off", late=False)
    ends = {state.written.ended for state in found.how if not state.pair.hosts[0].up and is_settled(state)}
    assert Ending.MOVED in ends
    assert not [state for state in found.how if all(one.primary for one in state.pair.hosts)]


def edges(found: Explored) -> Iterator[tuple[Whole, Whole]]:
    """Every step that was explored."""
    for after, befores in found.before.items():
        for before in befores:
            yield before, after


def is_stale_promotion(before: Whole, after: Whole) -> bool:
    """Whether a step makes a side primary whose generation is not that of the other, or a later one."""
    for which in (0, 1):
        here, there = before.pair.hosts[which], before.pair.hosts[1 - which]
        promoted = after.pair.hosts[which].primary and not here.primary
        if promoted and here.generation != there.generation and there.generation not in here.older:
            return True
    return False


def is_settled(state: Whole) -> bool:
    """Whether a look now would show what the last one showed: what comes back in that very moment is no mistake."""
    if any(step == "they connect" for step, _ in world_steps(state.pair)):
        return False
    one, two = (None if which in state.mute else facts_of(state.pair, which, mount=MOUNT) for which in (0, 1))
    again = decided(one, two, state.written._replace(ended=""), state.forced)
    return again.what == "end" and again.name == state.written.ended


def could_serve(state: Whole, which: int) -> bool:
    """Whether a host could have the service: its peer does not have it and says so, and its data is the latest."""
    here, there = state.pair.hosts[which], state.pair.hosts[1 - which]
    silent = {which, 1 - which} & state.mute or not (here.up and there.up)
    if silent or here.outdated or here.split or here.batch or there.batch or "no-mount" in here.faults:
        return False
    if there.primary and (not here.linked or there.faults & {"busy", "nfsd-stuck"}):
        return False
    if here.linked and state.pair.link:
        return True
    return here.generation == there.generation or there.generation in here.older
