"""Turns: one look, one decision, one act, written down. What is in: the order of those. What is not: the durable loop.

A turn keeps nothing in its head. It folds the journal, looks at the world, asks the pure rules and does one thing;
a turn that is cut off anywhere is followed by another one that looks again. The intent is in the journal before the
act, what came of it after.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from seatrial.engine import failover, memory
from seatrial.engine.suspecting import suspects_of
from seatrial.errors import SeatrialError
from seatrial.journal.store import Journal
from seatrial.kernels.asked import failed_trial
from seatrial.kernels.record import is_verdict, record_of
from seatrial.model.event import Kind
from seatrial.model.failover import Ending
from seatrial.model.fold import RolloutState, TrialState, advance
from seatrial.model.trial import State
from seatrial.perform.acts import Report, perform
from seatrial.perform.look import carriers, look
from seatrial.perform.world import World
from seatrial.rollout.course import End, Hold, OpenGate, StartTrial, next_step
from seatrial.rollout.decide import POLL, Act, Do, Move, Terms, Wait, decide


class Turns:
    """Turns of one rollout."""

    def __init__(self, world: World, journal: Journal, rollout: str) -> None:
        self.world = world
        self.journal = journal
        self.rollout = rollout
        self._state = RolloutState(id=rollout)

    def state(self) -> RolloutState:
        """Where the rollout stands, by the journal; only what came since the last reading is read."""
        for event in self.journal.read(self.rollout, after=self._state.last):
            self._state = advance(self._state, event)
        return self._state

    async def rollout_turn(self) -> Mapping[str, Any]:
        """One turn of the rollout: {"trial": host} to start or go on with, {"over": true}, or {} to ask again."""
        state = self.state()
        if state.ended:
            return {"over": True}
        step = next_step(state, self.world.fleet, await carriers(self.world))
        match step:
            case StartTrial():
                return {} if self._refused(step.host) else {"trial": step.host}
            case OpenGate():
                self._append(Kind.GATE_OPENED, data={"stage": step.stage, "because": step.because})
            case End():
                await self._suspect(step)
                self._append(Kind.ROLLOUT_ENDED, data={"outcome": step.outcome, "because": step.because})
            case Hold():
                await self.world.clock.sleep(POLL)
        return {}

    async def trial_turn(self, host: str) -> bool:
        """One turn of a trial; True when it is over."""
        if self.state().trials[host].over:
            return True
        seen = await look(self.world, host)
        while True:
            state = self.state()
            trial, terms = state.trials[host], self._terms(state, host)
            if trial.over:
                return True
            action = decide(trial, seen, terms)
            match action:
                case Wait():
                    await self.world.clock.sleep(action.seconds)
                    return False
                case Do():
                    await self._do(action, trial, terms)
                    return False
                case Move():
                    # Writing down where the trial stands changes nothing in the world: what was seen still holds.
                    self._move(host, action)

    async def _suspect(self, end: End) -> None:
        """Look for the patch that did it, once the host is back and no guard's clock runs any more."""
        trial = failed_trial(self.state()) if end.outcome == State.REVERTED else None
        if trial is not None and is_verdict(State.REVERTING, trial.facts) and not trial.suspects:
            found = await suspects_of(self.world, self.state(), trial)
            if found is not None:
                self._append(Kind.SUSPECTS, host=trial.host, data=found)

    def _refused(self, host: str) -> bool:
        """Refuse to begin on a host what has become known as bad since the rollout began, here or with another controller."""
        state = self.state()
        trial = state.trials[host]
        if trial.state is not State.PLANNED or trial.rounds or trial.tries or self._is_overridden():
            return False
        verdict = memory.standing_against(
            memory.verdicts_of(self.journal), self.world.fleet, state.candidate, host, self.world.clock.now()
        )
        if verdict is None:
            return False
        error = memory.refusal(verdict)
        self._move(host, Move(to=State.REFUSED, because=error.message, hint=error.hint))
        return True

    def _is_overridden(self) -> bool:
        """Whether a person began this rollout in spite of what was remembered."""
        return bool(self.journal.read(self.rollout, kinds=(Kind.ROLLOUT_STARTED,))[0].data.get("override"))

    def _move(self, host: str, move: Move) -> None:
        data: dict[str, Any] = {
            "to": str(move.to),
            "because": move.because,
            "hint": move.hint,
            "facts": dict(move.facts),
        }
        if is_verdict(move.to, move.facts):
            # In the same Event as the verdict: a controller that dies between two could not be asked again.
            data["record"] = record_of(self.state(), self.state().trials[host])
        self._append(Kind.TRIAL_MOVED, host=host, data=data)

    async def _do(self, action: Do, trial: TrialState, terms: Terms) -> None:
        began = self.world.clock.now()
        self._append(
            Kind.TRIAL_INTENT, host=terms.host, data={"act": str(action.act), "facts": dict(action.facts)}
        )
        try:
            if action.act in (Act.DRAIN, Act.ATTRACT):
                report = await self._moved(action.act, terms)
            else:
                report = await perform(self.world, action.act, trial, terms)
        except SeatrialError as error:
            report = Report(problem=error.message, hint=error.hint)
        for kind, data in report.events:
            self._append(kind, host=terms.host, data=data)
        seconds = round((self.world.clock.now() - began).total_seconds(), 3)
        if report.problem:
            data = {
                "act": str(action.act),
                "problem": report.problem,
                "hint": report.hint,
                "seconds": seconds,
                **report.facts,
            }
            self._append(Kind.TRIAL_FAILED, host=terms.host, data=data)
            # A try that did not work is not repeated at once: what stood in its way may need a moment.
            await self.world.clock.sleep(POLL)
        else:
            data = {"act": str(action.act), "seconds": seconds, **report.facts}
            self._append(Kind.TRIAL_ACTED, host=terms.host, data=data)

    async def _moved(self, act: Act, terms: Terms) -> Report:
        """Move the service onto the host on trial, or away from it: a failover of its own, which this one waits for."""
        group = self.world.fleet.group_of(terms.host)
        assert group is not None
        open_ = failover.unfinished(self.journal, group)
        if open_ is None and act is Act.ATTRACT:
            await failover.await_ready(self.world, group, to=terms.host)
        name = (
            open_.id
            if open_
            else await failover.begin(
                self.journal,
                self.world,
                group,
                to=terms.host if act is Act.ATTRACT else "",
                away=terms.host if act is Act.DRAIN else "",
                by="seatrial",
                trial=terms.trial,
            )
        )
        ended = await failover.run(self.journal, self.world, name)
        if ended.outcome == Ending.MOVED:
            return Report(facts={"failover": name})
        return Report(problem=ended.because, hint=ended.end_hint, facts={"failover": name})

    def _terms(self, state: RolloutState, host: str) -> Terms:
        fleet = self.world.fleet
        return Terms(
            trial=f"{self.rollout}.{host}",
            host=host,
            candidate=state.candidate,
            policy=fleet.policy_of(host),
            peers=fleet.peers_of(host),
            upgraded=frozenset(name for name, one in state.trials.items() if one.state is State.BLESSED),
            earlier=tuple(
                stretch
                for trial in state.trials.values()
                if trial.host != host
                for stretch in trial.samples
                if stretch.get("arm") == "good" and stretch.get("kernel") != state.candidate
            ),
            abort=state.abort,
            is_aborted=state.is_aborted,
        )

    def _append(self, kind: Kind, *, host: str = "", data: Mapping[str, Any]) -> None:
        # What is written must be JSON and nothing else; values of the model come as plain mappings.
        plain = json.loads(json.dumps(data, default=asdict))
        self.journal.append(kind, rollout=self.rollout, host=host, by="seatrial", data=plain)
