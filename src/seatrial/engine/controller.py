"""What a person asks of rollouts: start, go on, approve, pause, abort. Each wish is an Event; one controller carries it out.

What is in: the checks before a rollout may start, the lease that keeps a second controller away, and the running of
the durable loop under it. What is not: what the rollout then does.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from seatrial.clock import SystemClock
from seatrial.engine import memory
from seatrial.engine.lease import under_lease
from seatrial.engine.telling import telling
from seatrial.errors import CouldNotAct, InputError, Refused
from seatrial.fleetfile import parse
from seatrial.journal.leases import Fence, Holder
from seatrial.journal.store import Journal, Unless
from seatrial.model.event import Event, Kind
from seatrial.model.fleet import Fleet
from seatrial.model.fold import RolloutState, TrialState, fold
from seatrial.model.text import safe
from seatrial.model.trial import State
from seatrial.perform.world import World

# What may make another person's wish one that is refused.
_DECIDES = (
    Kind.STAGE_APPROVED,
    Kind.STAGE_FORCED,
    Kind.ROLLOUT_PAUSED,
    Kind.ROLLOUT_RESUMED,
    Kind.ROLLOUT_ABORTED,
    Kind.ROLLOUT_ENDED,
    Kind.HOST_SKIPPED,
    Kind.HOST_FORCED,
    Kind.TRIAL_BEGUN,
)


def state_of(journal: Journal, rollout: str) -> RolloutState:
    """Where a rollout stands. Raises InputError when there is none of that name."""
    events = journal.read(rollout)
    if not events:
        known = ", ".join(journal.rollouts()[-5:])
        raise InputError(
            f"there is no rollout {rollout!r}",
            hint=f"the latest are: {known}" if known else "start one with: seatrial rollout start KERNEL",
        )
    return fold(events, rollout=rollout)


def start(
    journal: Journal,
    fleet: Fleet,
    *,
    fleet_text: str,
    candidate: str,
    hosts: tuple[str, ...],
    by: str,
    why: str,
    override: str = "",
    ticket: str = "",
) -> str:
    """Write down that a rollout begins and return its name. Raises Refused; then nothing was changed.

    `override` is a person's reason for taking a kernel that is remembered as bad.
    """
    me = Holder.here()
    journal.take_lease("start", me)
    try:
        _refuse_twice(journal, hosts)
        _refuse_known_bad(journal, fleet, candidate, hosts, override)
        rollout = journal.new_rollout()
        journal.append(
            Kind.ROLLOUT_STARTED,
            rollout=rollout,
            by=by,
            data={
                "candidate": candidate,
                "hosts": list(hosts),
                "roles": {host: list(fleet.hosts[host].roles) for host in hosts},
                "fleet": fleet_text,
                "why": why,
                "override": override,
                "ticket": ticket,
            },
        )
        return rollout
    finally:
        journal.drop_lease("start", me)


def _refuse_twice(journal: Journal, hosts: tuple[str, ...]) -> None:
    for rollout in journal.rollouts():
        state = fold(journal.read(rollout), rollout=rollout)
        shared = sorted(set(hosts) & set(state.trials))
        if state.started and not state.ended and shared:
            raise Refused(
                f"{', '.join(shared)} {'is' if len(shared) == 1 else 'are'} in rollout {rollout}, which is not over",
                hint=f"go on with it: seatrial rollout resume {rollout}; or end it: seatrial rollout abort {rollout} --why ...",
            )


def _refuse_known_bad(
    journal: Journal, fleet: Fleet, candidate: str, hosts: tuple[str, ...], override: str
) -> None:
    if override:
        return
    verdicts, now = memory.verdicts_of(journal), SystemClock().now()
    for host in hosts:
        if verdict := memory.standing_against(verdicts, fleet, candidate, host, now):
            raise memory.refusal(verdict)


async def run(journal: Journal, world: World, rollout: str) -> RolloutState:
    """Be the controller of a rollout until it is over, and return how it ended.

    Raises Refused while another controller lives, and CouldNotAct when this one loses its lease. Cancelling it stops
    between two steps; the rollout goes on where it was when somebody runs it again.
    """
    from seatrial.engine import durable
    from seatrial.engine.turns import Turns

    state_of(journal, rollout)
    me = Holder.here()
    journal.take_lease(rollout, me)
    try:
        if state_of(journal, rollout).ended:
            return state_of(journal, rollout)
        journal.append(
            Kind.CONTROLLER_TOOK,
            rollout=rollout,
            by="seatrial",
            data={"pid": me.pid, "machine": me.machine.split()[0]},
        )
        fence = Fence(holder=me, leases=(rollout,))
        turns = Turns(world, journal, rollout, fence=lambda _: fence)
        work = durable.run(turns, durable.engine_url(journal.url))
        async with telling(journal, rollout, world.fleet, me):
            await under_lease(journal, rollout, me, work)
        return state_of(journal, rollout)
    finally:
        # Where the journal takes nothing any more, the lease ends with this process; what went wrong is told.
        with contextlib.suppress(CouldNotAct):
            journal.drop_lease(rollout, me)


def approve(journal: Journal, rollout: str, *, stage: str, by: str, why: str, ticket: str) -> Event:
    """A person lets the rollout into a stage. Raises InputError or Refused."""

    def check(state: RolloutState) -> None:
        _stage(state, stage)
        if stage in state.approved:
            raise Refused(
                f"stage {stage} of {rollout} is approved already", hint=f"seatrial rollout status {rollout}"
            )

    data = {"stage": stage, "why": why, "ticket": ticket}
    return _wish(journal, rollout, check, Kind.STAGE_APPROVED, by=by, data=data)


def pause(journal: Journal, rollout: str, *, by: str, why: str) -> Event:
    """No further trial begins. Raises InputError or Refused."""

    def check(state: RolloutState) -> None:
        if state.is_paused:
            raise Refused(
                f"{rollout} is paused already", hint=f"go on with: seatrial rollout resume {rollout}"
            )

    return _wish(journal, rollout, check, Kind.ROLLOUT_PAUSED, by=by, data={"why": why})


def resume(journal: Journal, rollout: str, *, by: str, why: str) -> None:
    """Take a pause back; a rollout that is not paused is left as it is. Raises InputError or Refused."""
    if _open(journal, rollout).is_paused:
        _wish(journal, rollout, lambda _: None, Kind.ROLLOUT_RESUMED, by=by, data={"why": why})


def abort(
    journal: Journal, rollout: str, *, by: str, why: str, ticket: str = "", mode: str = "revert"
) -> Event:
    """Nothing else begins; what is on trial goes back, is finished or is held, as `mode` says.

    A later abort may say another mode: one that was held goes back so. Raises InputError or Refused.
    """

    def check(state: RolloutState) -> None:
        if state.abort_mode == mode:
            raise Refused(f"{rollout} is aborted already", hint=f"seatrial rollout status {rollout}")

    data = {"why": why, "ticket": ticket, "mode": mode}
    return _wish(journal, rollout, check, Kind.ROLLOUT_ABORTED, by=by, data=data)


def skip(journal: Journal, rollout: str, *, host: str, by: str, why: str, ticket: str = "") -> Event:
    """Leave a host out; of one that is stuck: a person has seen to it, and its peers may go on.

    Raises InputError or Refused.
    """

    def check(state: RolloutState) -> None:
        trial = _trial(state, host)
        seen_to = trial.state is State.STUCK and not trial.seen_to
        if not seen_to and (trial.under_way or trial.over):
            raise Refused(
                f"{host} is {(trial.skipped and 'skipped') or trial.state}, so it cannot be left out any more",
                hint="what is on trial is ended by: seatrial rollout abort",
            )

    data = {"why": why, "ticket": ticket}
    return _wish(journal, rollout, check, Kind.HOST_SKIPPED, host=host, by=by, data=data)


def force(journal: Journal, rollout: str, *, host: str, by: str, why: str, ticket: str = "") -> Event:
    """Let a host begin in spite of waves, windows, budgets and blockers, though never beside a peer of its.

    Raises InputError or Refused.
    """

    def check(state: RolloutState) -> None:
        trial = _trial(state, host)
        if trial.under_way or trial.over or trial.forced:
            raise Refused(
                f"{host} is {(trial.forced and 'forced') or trial.state} already", hint="look at its status"
            )

    data = {"why": why, "ticket": ticket}
    return _wish(journal, rollout, check, Kind.HOST_FORCED, host=host, by=by, data=data)


def force_stage(journal: Journal, rollout: str, *, stage: str, by: str, why: str, ticket: str) -> Event:
    """Let the rollout into a stage without the evidence that its gate wants. Raises InputError or Refused."""

    def check(state: RolloutState) -> None:
        _stage(state, stage)
        if stage in state.forced:
            raise Refused(
                f"stage {stage} of {rollout} is forced already", hint=f"seatrial rollout status {rollout}"
            )

    data = {"stage": stage, "why": why, "ticket": ticket}
    return _wish(journal, rollout, check, Kind.STAGE_FORCED, by=by, data=data)


def _wish(
    journal: Journal,
    rollout: str,
    check: Callable[[RolloutState], None],
    kind: Kind,
    *,
    by: str,
    data: Mapping[str, Any],
    host: str = "",
) -> Event:
    """Write a wish down unless `check` refuses it; of two people who wish at once, the second is asked about both."""
    while True:
        state = _open(journal, rollout)
        check(state)
        decided = Unless(kinds=_DECIDES, after=state.last, rollout=rollout)
        event = journal.append_unless(decided, kind, rollout=rollout, host=host, by=by, data=data)
        if event is not None:
            return event


def note(journal: Journal, rollout: str, *, text: str, by: str) -> Event:
    """A person's line in the journal of a rollout, also of one that is over; "" for none. Raises InputError."""
    if rollout:
        state_of(journal, rollout)
    return journal.append(Kind.NOTE, rollout=rollout, by=by, data={"text": safe(" ".join(text.split()))})


def _stage(state: RolloutState, stage: str) -> None:
    stages = [one.name for one in parse(state.fleet, filename=f"the fleet of {state.id}").stages]
    if stage not in stages:
        raise InputError(
            f"there is no stage {safe(stage)[:80]!r} in {state.id}",
            hint=f"its stages are: {', '.join(stages)}",
        )


def _trial(state: RolloutState, host: str) -> TrialState:
    if host not in state.trials:
        raise InputError(
            f"there is no host {safe(host)[:80]!r} in rollout {state.id}",
            hint=f"seatrial rollout status {state.id}",
        )
    return state.trials[host]


def _open(journal: Journal, rollout: str) -> RolloutState:
    state = state_of(journal, rollout)
    if state.ended:
        raise Refused(f"{rollout} is over: {state.outcome}", hint=f"read it: seatrial report {rollout}")
    return state
