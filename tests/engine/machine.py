"""A rollout as a state machine of hypothesis: at every step something goes wrong, somebody wishes something, or time passes.

After each step the promises are looked at: what the journal shows, and how each host stands. In the end nothing more
happens, and every trial has to end. `bench/schedules.py` walks through ten thousand of these.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from seatrial.clock import fast_runner
from seatrial.engine import controller
from seatrial.engine.rehearsal import CANDIDATE
from seatrial.engine.rehearse import LONGEST, ROLLOUT, Rehearsing, simulated
from seatrial.errors import Refused
from seatrial.model.trial import FINAL
from seatrial.rollout.audit import Audit
from seatrial.vantage.simulation import Fault, FaultKind, Simulation

from .schedules import BEGIN, FLEETS, HOSTS, left

KINDS: tuple[FaultKind, ...] = (
    "does-not-come-back", "comes-back-late", "wrong-kernel", "panic", "dead-network", "answers-lost", "disk-full",
    "unreachable", "cut-off",
)  # fmt: skip
# What is wrong with the host, whichever kernel runs; the others are what the candidate does.
WISHES = ("skip", "pause", "resume", "force", "abort revert", "abort finish", "abort hold")
OF_THE_HOST = ("disk-full", "unreachable", "cut-off")
LASTS = st.sampled_from([20.0, 120.0, 900.0, LONGEST])
# A trial that has not ended by then never will.
LAST = 4 * 86400.0


class Told:
    """What all machines of a run came to, for whoever prints it."""

    def __init__(self) -> None:
        self.schedules = 0
        self.events = 0
        self.faults: Counter[str] = Counter()
        self.wishes: Counter[str] = Counter()
        self.rollouts: Counter[str] = Counter()
        self.trials: Counter[str] = Counter()


TOLD = Told()


class SetClock:
    """The clock of the controllers' machine, which somebody sets."""

    def __init__(self, platform: Simulation) -> None:
        self._platform = platform
        self.wrong = timedelta()

    def now(self) -> datetime:
        return self._platform.now() + self.wrong

    async def sleep(self, seconds: float) -> None:
        await self._platform.sleep(seconds)


class Schedule(RuleBasedStateMachine):
    """One schedule of faults and wishes."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = fast_runner()
        self.drawn: Counter[str] = Counter()
        self.wished: Counter[str] = Counter()
        self.read = 0

    @initialize(pace=st.sampled_from(sorted(FLEETS)))
    def begin(self, pace: tuple[int, int, int]) -> None:
        """Eight hosts at a pace: how many at once, how many may fail, how many of a rack."""
        self.fleet, _ = simulated(FLEETS[pace])
        self.audit = Audit(fleet=self.fleet)

        async def go() -> None:
            self.rehearsing = Rehearsing(self.fleet, (), begin=BEGIN, hosts=HOSTS)
            self.clock = SetClock(self.rehearsing.platform)
            self.rehearsing.set_clock(self.clock)
            self.working = self.rehearsing.take()

        self.runner.run(go())

    @rule(seconds=st.sampled_from([5.0, 30.0, 90.0, 300.0, 900.0]))
    def pass_time(self, seconds: float) -> None:
        """Everything goes on for so long."""
        self.runner.run(self.rehearsing.clock.sleep(seconds))

    @rule(host=st.sampled_from(HOSTS), kind=st.sampled_from(KINDS), lasts=LASTS)
    def hurt(self, host: str, kind: FaultKind, lasts: float) -> None:
        """From now on something is wrong with a host, or with the candidate on it."""
        kernel = "" if kind in OF_THE_HOST else CANDIDATE
        self._hurt(Fault(host=host, kind=kind, kernel=kernel, seconds=300.0, **self._span(lasts)))

    @rule(rack=st.sampled_from([0, 1]), lasts=LASTS)
    def cut_off(self, rack: int, lasts: float) -> None:
        """A rack cannot be reached."""
        for host in HOSTS[rack::2]:
            self._hurt(Fault(host=host, kind="cut-off", **self._span(lasts)))

    @rule(vantage=st.sampled_from(["inside", "outside"]), percent=st.sampled_from([5.0, 50.0]), lasts=LASTS)
    def make_flaky(self, vantage: str, percent: float, lasts: float) -> None:
        """A vantage answers now and then only."""
        self._hurt(Fault(host=vantage, kind="flaky", percent=percent, **self._span(lasts)))

    def _span(self, lasts: float) -> dict[str, Any]:
        now = self.runner.run(self._seconds())
        return {"begin": now, "until": now + lasts}

    async def _seconds(self) -> float:
        return self.rehearsing.platform.seconds

    def _hurt(self, fault: Fault) -> None:
        self.drawn[fault.kind] += 1
        self.rehearsing.platform.hurt(fault)

    @rule(away=st.sampled_from([0.0, 60.0, 900.0]))
    def kill_the_controller(self, away: float) -> None:
        """It dies, and after a while there is another one."""
        self.drawn["controller-killed"] += 1

        async def go() -> None:
            await self.rehearsing.kill()
            await self.rehearsing.clock.sleep(away)
            self.working = self.rehearsing.take()

        if not self.working.done():
            self.runner.run(go())

    @rule(hours=st.sampled_from([-12.0, -3.0, -0.1, 3.0]))
    def set_the_clock(self, hours: float) -> None:
        """The clock of the controller's machine jumps."""
        self.drawn["clock set back" if hours < 0 else "clock set forward"] += 1
        self.clock.wrong += timedelta(hours=hours)

    @rule(wish=st.sampled_from(WISHES), host=st.sampled_from(HOSTS))
    def wish(self, wish: str, host: str) -> None:
        """A person wishes something, of which some is refused."""
        journal, said = self.rehearsing.journal, {"by": "ada", "why": "test"}
        verb, _, mode = wish.partition(" ")

        async def go() -> None:
            match verb:
                case "abort":
                    controller.abort(journal, ROLLOUT, mode=mode, **said)
                case "pause":
                    controller.pause(journal, ROLLOUT, **said)
                case "resume":
                    controller.resume(journal, ROLLOUT, **said)
                case "skip":
                    controller.skip(journal, ROLLOUT, host=host, **said)
                case "force":
                    controller.force(journal, ROLLOUT, host=host, **said)

        try:
            self.runner.run(go())
        except Refused:
            self.wished[f"{verb}, refused"] += 1
        else:
            self.wished[verb] += 1

    @invariant()
    def promises_are_kept(self) -> None:
        """Never two peers, never over a budget, never blessed without evidence, and always a way back."""
        if self.working.done():
            self.working.result()
        for event in self.rehearsing.journal.read(ROLLOUT, after=self.read):
            self.audit.follow(event)
            self.read = event.seq
        assert not self.audit.broken, self.audit.broken
        for host, trial in self.rehearsing.turns.state().trials.items():
            wrong = left(trial.state, self.rehearsing.platform.hosts[host])
            assert not wrong, f"{host}: {wrong}"

    def teardown(self) -> None:
        """Nothing more goes wrong and nobody wishes anything: every trial ends."""
        try:
            if hasattr(self, "rehearsing"):
                self._end()
        finally:
            self.runner.close()

    def _end(self) -> None:
        state = controller.state_of(self.rehearsing.journal, ROLLOUT)
        if state.is_aborted and state.abort_mode == "hold" and not state.ended:
            # Who is held is held for ever, as a person wished; so a person has to end that too.
            self.wish("abort revert", HOSTS[0])
        if state.is_paused:
            self.wish("resume", HOSTS[0])
        self.runner.run(self._wait())
        self.promises_are_kept()
        state = self.rehearsing.turns.state()
        going_on = [host for host, trial in state.trials.items() if trial.under_way]
        assert not going_on, f"the trials of {going_on} never ended"
        self.audit.close()
        assert not self.audit.broken, self.audit.broken
        TOLD.schedules += 1
        TOLD.events += self.read
        TOLD.faults.update(self.drawn)
        TOLD.wishes.update(self.wished)
        TOLD.rollouts[state.outcome or "waits for a person"] += 1
        TOLD.trials.update(
            str(trial.state) if trial.state in FINAL else "skipped" if trial.skipped else "never begun"
            for trial in state.trials.values()
        )

    async def _wait(self) -> None:
        alarm = asyncio.create_task(self.rehearsing.clock.sleep(LAST))
        await asyncio.wait({self.working, alarm}, return_when=asyncio.FIRST_COMPLETED)
        alarm.cancel()
