"""Turns: one look, one decision, one act, written down. What is in: the order of those. What is not: the durable loop.

A turn keeps nothing in its head. It folds the journal, looks at the world, asks the pure rules and does one thing;
a turn that is cut off anywhere is followed by another one that looks again. The intent is in the journal before the
act, what came of it after.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from seatrial.clock import SystemClock
from seatrial.engine import failover, memory
from seatrial.engine.incidents import Incidents
from seatrial.engine.suspecting import suspects_of
from seatrial.errors import SeatrialError
from seatrial.journal.store import Holder, Journal
from seatrial.kernels.asked import failed_trial
from seatrial.kernels.record import is_verdict, record_of
from seatrial.kernels.remembered import KINDS
from seatrial.model.event import Kind
from seatrial.model.failover import Ending
from seatrial.model.fold import RolloutState, TrialState, advance
from seatrial.model.result import Result
from seatrial.model.trial import State
from seatrial.perform import around
from seatrial.perform.acts import Report, perform
from seatrial.perform.asking import ask_all
from seatrial.perform.look import carriers_of_all, look, survey
from seatrial.perform.world import World
from seatrial.rollout.course import (
    AskBlockers,
    AskCarriers,
    Begin,
    End,
    Facts,
    Hold,
    OpenGate,
    Step,
    Survey,
    next_step,
)
from seatrial.rollout.decide import POLL, Act, Do, Move, Seen, Terms, Wait
from seatrial.rollout.silenced import next_action
from seatrial.rollout.tally import Tally

# How often it is asked again whether a trial may begin, while none has to end first.
IDLE_POLL = 5.0
# The same where trials have to end first: hosts that were down may be back.
LOOK_AGAIN = 60.0
# Ends of trials that changed something, behind which it is told what else has changed since they began.
_TELLS_BESIDES = frozenset({State.BLESSED, State.REVERTED, State.STUCK})


def _is_untouched(trial: TrialState) -> bool:
    return trial.state in (State.PLANNED, State.PREFLIGHT, State.DRAINED, State.ARMED)


def _opens(step: Step) -> bool:
    return isinstance(step, Hold) and step.opens is not None


class Turns:
    """Turns of one rollout. `idle_poll` is how long it may hold without looking for a person's wish, in seconds.

    It goes on for ever where only a person can help, unless after so many seconds of `patience`. With `me` each Event is
    written under the lease of its trial, or of the rollout, which that controller must hold at that moment.
    """

    def __init__(
        self,
        world: World,
        journal: Journal,
        rollout: str,
        *,
        idle_poll: float = IDLE_POLL,
        patience: float = math.inf,
        me: Holder | None = None,
    ) -> None:
        self.world = world
        self.journal = journal
        self.rollout = rollout
        self._idle_poll = idle_poll
        self._patience = patience
        self._me = me
        self._held_since: datetime | None = None
        self._state = RolloutState(id=rollout)
        self._tally: Tally | None = None
        # Whose loops were given out already by this process; others are given out again.
        self._given: set[str] = set()
        self._moved = asyncio.Event()
        # What may let another trial begin: trials that ended, and people's wishes.
        self._changes = 0
        self._verdicts: memory.Verdicts | None = None
        self._verdicts_at = 0
        self._overridden: bool | None = None
        self._incidents = Incidents(journal)

    def state(self) -> RolloutState:
        """Where the rollout stands, by the journal; only what came since the last reading is read."""
        for event in self.journal.read(self.rollout, after=self._state.last):
            before, self._state = self._state, advance(self._state, event)
            if self._tally is None or event.kind == Kind.ROLLOUT_STARTED:
                self._tally = Tally(self.world.fleet, self._state.trials)
            elif event.host in before.trials:
                trial, after = before.trials[event.host], self._state.trials[event.host]
                self._tally.follow(trial, after)
                self._changes += trial.over != after.over or event.kind == Kind.HOST_FORCED
            elif event.kind == Kind.FLEET_SURVEYED:
                self._tally.now_down(self._state.down)
            else:
                self._changes += 1
        return self._state

    async def rollout_turn(self) -> Mapping[str, Any]:
        """Goes on until trials begin, {"trials": [hosts]}, or the rollout is over, {"over": true}.

        The first turn gives out all trials that are under way: their loops may have died with another process.
        """
        carriers: dict[str, frozenset[str] | None] = {}
        blockers: tuple[Result, ...] | None = None
        while True:
            state = self.state()
            if state.ended:
                return {"over": True}
            assert self._tally is not None
            if lost := [host for host in self._tally.under_way if host not in self._given]:
                self._given.update(lost)
                return {"trials": lost}
            facts = Facts(
                now=self.world.clock.now(),
                carriers=carriers,
                blockers=blockers,
                incidents=self._incidents.standing(state.last),
            )
            step = next_step(state, self._tally, self.world.fleet, facts)
            if isinstance(step, AskCarriers):
                carriers = await carriers_of_all(self.world, step.groups)
                continue
            if isinstance(step, AskBlockers):
                blockers = await ask_all(self.world.fleet.rollout.blockers_of(step.stage), self.world)
                continue
            if self._is_given_up(step):
                return {"over": True}
            await self._take(state, step)
            # Who carries, and what stands in the way, may be another matter by the next step.
            carriers, blockers = {}, None

    def _is_given_up(self, step: Step) -> bool:
        if not isinstance(step, Hold | Survey) or (isinstance(step, Hold) and step.waits_for_trials):
            self._held_since = None
            return False
        now = self.world.clock.now()
        self._held_since = self._held_since or now
        return (now - self._held_since).total_seconds() > self._patience and not _opens(step)

    async def _take(self, state: RolloutState, step: Begin | Survey | OpenGate | Hold | End) -> None:
        if state.held and not isinstance(step, Hold | Survey):
            self._append(Kind.ROLLOUT_HELD, data={"because": ""})
        match step:
            case Begin():
                for start in step.starts:
                    if self._refused(start.host):
                        continue
                    self._append(
                        Kind.TRIAL_BEGUN,
                        host=start.host,
                        data={"wave": start.wave, "because": start.because},
                        lead=True,
                    )
            case Survey():
                down, asked = await survey(self.world, self._tally.under_way if self._tally else ())
                self._append(Kind.FLEET_SURVEYED, data={"down": down, "asked": asked})
            case OpenGate():
                self._append(Kind.GATE_OPENED, data={"stage": step.stage, "because": step.because})
            case End():
                await self._suspect(step)
                self._append(Kind.ROLLOUT_ENDED, data={"outcome": step.outcome, "because": step.because})
            case Hold():
                await self._hold(state, step)

    async def _hold(self, state: RolloutState, hold: Hold) -> None:
        """Wait, and write down what for where it is not only for trials that have to end."""
        if hold.waits_for_trials:
            await self._until_moved()
            return
        blockers = {one.check: str(one.outcome) for one in hold.blockers}
        # What a blocker says may be another figure each time; that it stands in the way is no news then.
        if state.blockers != blockers if blockers else state.held != hold.because:
            data = {"because": hold.because, "hint": hold.hint}
            self._append(Kind.ROLLOUT_HELD, data={**data, "blockers": blockers} if blockers else data)
        wait = self._idle_poll
        if hold.opens is not None:
            wait = min(wait, max(POLL, (hold.opens - self.world.clock.now()).total_seconds()))
        if self.world.time_passes or hold.opens is not None:
            await self.world.clock.sleep(wait)
        else:
            # A person is waited for, who lives in real time.
            await SystemClock().sleep(0.05)

    async def _until_moved(self) -> None:
        """Wait until a trial has ended, somebody wished something, or a while has passed."""
        if self.world.time_passes:
            before, until = self._changes, self.world.clock.now() + timedelta(seconds=LOOK_AGAIN)
            while self._changes == before and self.world.clock.now() < until:
                await self.world.clock.sleep(POLL)
                self.state()
            return
        # Where time passes by what is done only, waiting must not make it pass.
        self._moved.clear()
        await self._moved.wait()

    async def trial_turn(self, host: str) -> bool:
        """Goes on until one act of a trial is done; True when the trial is over."""
        while not self.state().trials[host].over:
            seen = await look(self.world, host)
            action = await self._decided(host, seen)
            match action:
                case Wait():
                    await self.world.clock.sleep(action.seconds)
                case Do():
                    state = self.state()
                    await self._do(action, state.trials[host], self._terms(state, host))
                    self._moved.set()
                    return False
                case None:
                    break
        self._moved.set()
        return True

    async def _decided(self, host: str, seen: Seen) -> Wait | Do | None:
        """What is to be done; None when the trial is over."""
        while True:
            state = self.state()
            trial = state.trials[host]
            if trial.over:
                return None
            action = next_action(trial, seen, self._terms(state, host))
            if not isinstance(action, Move):
                return action
            if action.to in _TELLS_BESIDES:
                # With the last move and not with the last act: a controller may die behind the act, and the next one
                # only sees that it is done.
                for kind, data in await around.after(self.world, trial, self._terms(state, host)):
                    self._append(kind, host=host, data=data)
            # Writing down where the trial stands changes nothing in the world: what was seen still holds.
            self._move(host, action)

    async def _suspect(self, end: End) -> None:
        """Look for the patch that did it, once the host is back and no guard's clock runs any more."""
        trial = failed_trial(self.state()) if end.outcome == State.REVERTED else None
        if trial is not None and is_verdict(State.REVERTING, trial.facts) and not trial.suspects:
            found = await suspects_of(self.world, self.state(), trial)
            if found is not None:
                self._append(Kind.SUSPECTS, host=trial.host, data=found, lead=True)

    def _refused(self, host: str) -> bool:
        """Refuse to begin on a host what has become known as bad since the rollout began, here or with another controller."""
        state = self.state()
        trial = state.trials[host]
        if trial.state is not State.PLANNED or trial.rounds or trial.tries or self._is_overridden():
            return False
        verdict = memory.standing_against(
            self._remembered(), self.world.fleet, state.candidate, host, self.world.clock.now()
        )
        # What this rollout found out itself is for its own pace to judge: how many may fail.
        if verdict is None or verdict.rollout == self.rollout:
            return False
        error = memory.refusal(verdict)
        self._move(host, Move(to=State.REFUSED, because=error.message, hint=error.hint), lead=True)
        return True

    def _remembered(self) -> memory.Verdicts:
        """All verdicts; they are read anew only when another rollout or a person has said something since."""
        news = self.journal.read(after=self._verdicts_at, kinds=KINDS)
        if news:
            self._verdicts_at = news[-1].seq
        if self._verdicts is None or any(event.rollout != self.rollout for event in news):
            self._verdicts = memory.verdicts_of(self.journal)
        return self._verdicts

    def _is_overridden(self) -> bool:
        """Whether a person began this rollout in spite of what was remembered."""
        if self._overridden is None:
            first = self.journal.read(self.rollout, kinds=(Kind.ROLLOUT_STARTED,))[0]
            self._overridden = bool(first.data.get("override"))
        return self._overridden

    def _move(self, host: str, move: Move, *, lead: bool = False) -> None:
        data: dict[str, Any] = {
            "to": str(move.to),
            "because": move.because,
            "hint": move.hint,
            "facts": dict(move.facts),
        }
        if is_verdict(move.to, move.facts):
            # In the same Event as the verdict: a controller that dies between two could not be asked again.
            data["record"] = record_of(self.state(), self.state().trials[host])
        self._append(Kind.TRIAL_MOVED, host=host, data=data, lead=lead)

    async def _do(self, action: Do, trial: TrialState, terms: Terms) -> None:
        began = self.world.clock.now()
        self._append(
            Kind.TRIAL_INTENT, host=terms.host, data={"act": str(action.act), "facts": dict(action.facts)}
        )
        try:
            if action.act in (Act.DRAIN, Act.ATTRACT):
                report = await self._move_service(action.act, terms)
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

    async def _move_service(self, act: Act, terms: Terms) -> Report:
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

    def _earlier(self, state: RolloutState, host: str) -> tuple[Mapping[str, Any], ...]:
        """The stretches of the good kernel that were measured for other trials."""
        return tuple(
            stretch
            for trial in state.trials.values()
            if trial.host != host
            for stretch in trial.samples
            if stretch.get("arm") == "good" and stretch.get("kernel") != state.candidate
        )

    def _terms(self, state: RolloutState, host: str) -> Terms:
        fleet = self.world.fleet
        return Terms(
            trial=f"{self.rollout}.{host}",
            host=host,
            candidate=state.candidate,
            policy=fleet.policy_of(host),
            peers=fleet.relieves(host),
            silences=tuple(fleet.silences_of(host)),
            upgraded=frozenset(
                peer
                for peer in fleet.peers_of(host)
                if peer in state.trials and state.trials[peer].state is State.BLESSED
            ),
            earlier=self._earlier(state, host) if fleet.policy_of(host).measure is not None else (),
            abort=state.abort,
            # A trial of which nothing was changed yet is not begun for an abort of any kind.
            is_aborted=state.is_aborted
            and (state.abort_mode == "revert" or _is_untouched(state.trials[host])),
            is_held=state.is_aborted and state.abort_mode == "hold",
        )

    def _append(self, kind: Kind, *, host: str = "", data: Mapping[str, Any], lead: bool = False) -> None:
        """Write it down under the lease of the trial, or of the rollout where the one who leads writes it."""
        # What is written must be JSON and nothing else; values of the model come as plain mappings.
        plain = json.loads(json.dumps(data, default=asdict))
        under = (lease_of(self.rollout, "" if lead else host), self._me) if self._me else None
        self.journal.append(kind, rollout=self.rollout, host=host, by="seatrial", data=plain, under=under)


def lease_of(rollout: str, host: str = "") -> str:
    """The name of the lease of a rollout, or of one of its trials."""
    return f"{rollout}.{host}" if host else rollout
