"""Asking again and again, at an own pace: the rounds of a watch, and places that have fallen silent.

What is in: when the next round begins, and which places are asked in it. What is not: what the answers mean, and
what is news (report/watched.py).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace

from seatrial.checklist.telling import told_apart
from seatrial.checks import registry
from seatrial.clock import Clock, SystemClock, monotonic
from seatrial.model.check import Check
from seatrial.model.command import Command, Output, Trouble, Vantage
from seatrial.model.fleet import Fleet, Policy
from seatrial.perform.probe import Probed, probe
from seatrial.perform.world import World
from seatrial.report.watched import Turn

# A silent place is asked again after one interval, two, four, and so on, but not more seldom than this, in seconds.
MOST_SELDOM = 300.0
# Seconds on top of the time limits of all its commands after which a round hangs in ourselves.
SLACK = 900.0
NO_WAY = frozenset({Trouble.UNREACHABLE, Trouble.HOST_KEY, Trouble.LOGIN, Trouble.LOST, Trouble.BROKEN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked in each round, and how often: `every` is in seconds, `rounds` is None without an end."""

    flows: tuple[str, ...]
    checks: tuple[str, ...]
    policy: Policy
    every: float
    carrier: str | None = None
    rounds: int | None = None


def due(began: float, every: float, now: float) -> tuple[float, int]:
    """Seconds until the next round, and how many rounds are left out because the last one took so long.

    Rounds begin at multiples of `every` after `began`, where the last one did: a slow round delays the next one to
    the beat after it, so that nothing piles up and nothing drifts.
    """
    beats = max(math.ceil((now - began) / every - 1e-9), 1)
    return max(began + beats * every - now, 0.0), beats - 1


def wait_of(failures: int, every: float) -> float:
    """Seconds until a place is asked again that was asked in vain `failures` times, at least once."""
    return min(every * 2.0 ** min(failures - 1, 30), max(MOST_SELDOM, every))


class Minded:
    """A Vantage that is known to answer or to be silent: while it is silent it is asked ever more seldom.

    In one round a place that cannot be reached is waited for once: what else is asked of it there has the same
    answer at once, so that it holds up nobody.
    """

    def __init__(self, inner: Vantage, every: float) -> None:
        self._inner = inner
        self._every = every
        self._failures = 0
        self._begun = self._again = -math.inf
        self._because = ""
        self._hint = ""
        self._answered = False
        self._vain = False
        self.resting = False

    @property
    def name(self) -> str:
        """The name in the fleet file."""
        return self._inner.name

    @property
    def answered(self) -> bool:
        """Whether anything was answered in this round."""
        return self._answered

    @property
    def silent(self) -> bool:
        """Whether it was asked in vain, in this round or in the last one in which it was asked."""
        return self._failures > 0 and not self._answered

    @property
    def because(self) -> str:
        """Why there was no answer, as the transport says it."""
        return self._because

    def begin(self, now: float) -> None:
        """A round begins; `now` is on the clock that nobody sets."""
        self._answered = self._vain = False
        self._begun = now
        self.resting = self._failures > 0 and now < self._again

    def end(self) -> None:
        """The round has ended."""
        if self._answered:
            self._failures = 0
        elif self._vain:
            self._failures += 1
            # From beat to beat: half an interval less, since no beat comes to the microsecond.
            self._again = self._begun + wait_of(self._failures, self._every) - self._every / 2

    async def run(self, commands: Sequence[Command]) -> list[Output]:
        """Run `commands`, or say at once that the place is silent."""
        if self.resting or (self._vain and not self._answered):
            return [self._no_answer(command) for command in commands]
        outputs = await self._inner.run(commands)
        if any(_heard(output) for output in outputs):
            self._answered = True
        elif outputs:
            self._vain = True
            self._because, self._hint = outputs[0].problem, outputs[0].hint
        return outputs

    def _no_answer(self, command: Command) -> Output:
        return Output(
            command=command,
            status=None,
            trouble=Trouble.UNREACHABLE,
            problem=self._because or f"{self.name} is silent",
            hint=self._hint,
        )

    async def fresh(self) -> None:
        """Drop any connection that is kept."""
        await self._inner.fresh()

    async def close(self) -> None:
        """Drop connections and let go of what was held."""
        await self._inner.close()


def _heard(output: Output) -> bool:
    # A command that was ended over there by its limit was measured there; one that nobody could end was not.
    gone = output.trouble in NO_WAY or (output.trouble is Trouble.TIMEOUT and not output.seconds)
    return not gone


async def watch(world: World, wish: Wish, clock: Clock | None = None) -> AsyncGenerator[Turn, None]:
    """The rounds, one after the other; whatever one of them meets, the next one is asked."""
    clock = clock or SystemClock()
    minded = {name: Minded(place, wish.every) for name, place in world.places.items()}
    watched = replace(world, places=minded)
    needs = (
        *(_places_of_flow(world.fleet, name) for name in wish.flows),
        *(_places_of_check(world.fleet, name) for name in wish.checks),
    )
    longest = SLACK + sum(_longest(world.fleet.checks[name]) for name in wish.checks)
    began, skipped, done = monotonic(), 0, 0
    while True:
        start = monotonic()
        for place in minded.values():
            place.begin(start)
        try:
            async with asyncio.timeout(longest):
                turn = _turn(await _ask(watched, wish), needs, clock, skipped)
        # A watch that dies of one round watches nothing: whatever it was is told, and counted.
        except Exception as error:
            said = f"{type(error).__name__}: {error}".removesuffix(": ")
            turn = Turn(at=clock.now(), seconds=monotonic() - start, skipped=skipped, broken=said)
        for place in minded.values():
            place.end()
        yield replace(
            turn,
            silent={name: place.because for name, place in minded.items() if place.silent},
            rested=frozenset(name for name, place in minded.items() if place.resting),
            answered=frozenset(name for name, place in minded.items() if place.answered),
        )
        done += 1
        if wish.rounds is not None and done >= wish.rounds:
            return
        wait, skipped = due(began, wish.every, monotonic())
        began += (skipped + 1) * wish.every
        await clock.sleep(wait)


async def _ask(world: World, wish: Wish) -> Probed:
    return await probe(
        world,
        flows=wish.flows,
        checks=wish.checks,
        probes=wish.policy.probes,
        rate=wish.policy.rate,
        max_loss=wish.policy.max_loss,
        carrier=wish.carrier,
    )


def _turn(probed: Probed, needs: tuple[frozenset[str], ...], clock: Clock, skipped: int) -> Turn:
    found = probed.explanation
    return Turn(
        at=clock.now(),
        seconds=probed.seconds,
        # A flow and a check may have one name; in a watch a name is a key.
        results=told_apart(probed.results),
        places=needs,
        components=tuple(one.components for one in found.diagnosis.suspects) if found else (),
        sentence=found.sentence if found else "",
        skipped=skipped,
    )


def _longest(check: Check) -> float:
    """Seconds that a check may take with all its retries, if every command of it uses up its time limit."""
    return (1 + check.retries) * sum(command.timeout for _, command in registry.ask(check))


def _places_of_flow(fleet: Fleet, name: str) -> frozenset[str]:
    flow = fleet.flows[name]
    hosts = fleet.groups[flow.by].hosts if flow.by in fleet.groups else (flow.by,)
    return frozenset((flow.source_vantage, flow.to, *hosts))


def _places_of_check(fleet: Fleet, name: str) -> frozenset[str]:
    return frozenset(place for place, _ in registry.ask(fleet.checks[name]))
