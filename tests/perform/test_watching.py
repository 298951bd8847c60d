"""The pace of a watch and its silent places: beats without drift, one wait a round, and asking ever more seldom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.clock import SystemClock
from seatrial.fleetfile import parse_bytes
from seatrial.model.command import Command, Output, Trouble
from seatrial.model.fleet import Fleet
from seatrial.model.result import Outcome
from seatrial.perform.watching import MOST_SELDOM, Minded, Wish, due, wait_of, watch
from seatrial.perform.world import World, open_world
from seatrial.report.watched import Turn


@pytest.mark.parametrize(
    ("now", "wait", "skipped"),
    [
        (100.0, 30.0, 0),
        (102.0, 28.0, 0),
        (130.0, 0.0, 0),
        (131.0, 29.0, 1),
        (160.0, 0.0, 1),
        (199.0, 21.0, 3),
    ],
)
def test_the_next_round_begins_on_a_beat(now: float, wait: float, skipped: int) -> None:
    seconds, left_out = due(100.0, 30.0, now)
    assert (round(seconds, 6), left_out) == (wait, skipped)


@given(st.floats(1, 1000), st.lists(st.floats(0, 5000), max_size=20))
def test_nothing_drifts_and_nothing_piles_up(every: float, rounds: list[float]) -> None:
    began = now = 0.0
    beats = 0
    for took in rounds:
        wait, skipped = due(began, every, now + took)
        assert 0 <= wait <= every * (1 + 1e-6), "no round is waited for longer than one interval"
        beats += skipped + 1
        began += (skipped + 1) * every
        now = max(now + took + wait, began)
        assert now == pytest.approx(beats * every, rel=1e-6), (
            "every round begins at a multiple of the interval"
        )


def test_a_silent_place_is_asked_ever_more_seldom_but_not_never() -> None:
    waits = [wait_of(failures, 30.0) for failures in range(1, 8)]
    assert waits == [30, 60, 120, 240, MOST_SELDOM, MOST_SELDOM, MOST_SELDOM]
    assert wait_of(10**6, 1.0) == MOST_SELDOM
    assert wait_of(3, 3600.0) == 3600.0, "it is never asked more often than once in a round"


COMMAND = Command(name="ask", argv=("true",))


class Scripted:
    """A place that answers or does not, as a list says, and counts how often it was asked.

    The real death of a place is in tests/cli/test_watch.py; this is for the arithmetic of many rounds.
    """

    def __init__(self, *says: Trouble | None) -> None:
        self.says = list(says)
        self.asked = 0

    @property
    def name(self) -> str:
        return "scripted"

    async def run(self, commands: Sequence[Command]) -> list[Output]:
        self.asked += 1
        trouble = self.says.pop(0)
        status = None if trouble else 0
        return [
            Output(command=each, status=status, trouble=trouble, problem=trouble or "") for each in commands
        ]

    async def fresh(self) -> None:
        raise AssertionError("nobody asked for this")

    async def close(self) -> None:
        return None


async def test_in_one_round_a_dead_place_is_waited_for_once() -> None:
    inner = Scripted(Trouble.UNREACHABLE)
    minded = Minded(inner, 30.0)
    minded.begin(0.0)
    outputs = [await minded.run([COMMAND, COMMAND]) for _ in range(3)]
    assert inner.asked == 1
    assert all(one.trouble is Trouble.UNREACHABLE for some in outputs for one in some)
    minded.end()
    assert minded.silent and not minded.answered


async def test_a_place_is_left_in_peace_until_its_time_has_come_and_heard_again() -> None:
    inner = Scripted(Trouble.LOST, Trouble.UNREACHABLE, None)
    minded = Minded(inner, 30.0)
    seen = []
    for beat in range(4):
        minded.begin(30.0 * beat)
        await minded.run([COMMAND])
        minded.end()
        seen.append((minded.resting, minded.silent))
    assert seen == [(False, True), (False, True), (True, True), (False, False)]
    assert inner.asked == 3


@pytest.mark.parametrize("trouble", [Trouble.NO_PROGRAM, Trouble.NO_PRIVILEGE, None])
async def test_a_place_that_says_no_is_not_silent(trouble: Trouble | None) -> None:
    minded = Minded(Scripted(trouble), 30.0)
    minded.begin(0.0)
    await minded.run([COMMAND])
    minded.end()
    assert minded.answered and not minded.silent


HERE = b"""\
version: 1
name: here
stages: [{name: staging}]
hosts: {here: {stage: staging, roles: [gateway], reach: {local: true}}}
checks:
  ready: {kind: tcp, from: here, address: 127.0.0.1, port: 9, timeout: 2s}
"""


class Hurried(SystemClock):
    """A clock that waits for nobody, and knows what it was asked to wait for."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


async def rounds(world: World, wish: Wish, clock: Hurried) -> list[Turn]:
    try:
        return [turn async for turn in watch(world, wish, clock)]
    finally:
        await world.close()


def wish(fleet: Fleet, number: int) -> Wish:
    return Wish(flows=(), checks=("ready",), policy=fleet.policy_of("here"), every=30.0, rounds=number)


async def test_rounds_are_asked_until_the_last_one_and_waited_for_between() -> None:
    fleet = parse_bytes(HERE, filename="fleet.yaml")
    clock = Hurried()
    turns = await rounds(open_world(fleet), wish(fleet, 3), clock)
    assert [turn.results[0].outcome for turn in turns] == [Outcome.FAIL] * 3
    assert [turn.places for turn in turns] == [(frozenset({"here"}),)] * 3
    assert [turn.answered for turn in turns] == [frozenset({"here"})] * 3
    assert turns[0].components and "127.0.0.1" in turns[0].sentence
    assert len(clock.waits) == 2 and all(wait > 0 for wait in clock.waits)


class Failing(Scripted):
    """A place with a mistake of ours in it, once."""

    async def run(self, commands: Sequence[Command]) -> list[Output]:
        outputs = await super().run(commands)
        if self.asked == 1:
            raise RuntimeError("a mistake of ours")
        return outputs


async def test_a_mistake_of_ours_ends_a_round_and_not_the_watch() -> None:
    fleet = parse_bytes(HERE, filename="fleet.yaml")
    world = replace(open_world(fleet), places={"here": Failing(None, None)})
    turns = await rounds(world, wish(fleet, 2), Hurried())
    assert turns[0].broken == "RuntimeError: a mistake of ours" and turns[0].results == ()
    assert turns[1].broken == "" and len(turns[1].results) == 1
