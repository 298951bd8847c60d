"""What a rollout would do today: order, gates, refusals. Safe Commands only; nothing is written, not even an Event."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from seatrial.engine import memory
from seatrial.journal.store import Journal
from seatrial.kernels.remembered import KernelVerdict
from seatrial.model.fleet import Fleet, Stage
from seatrial.model.hostfacts import Sight
from seatrial.model.result import Outcome, Result, worst
from seatrial.perform.look import boot_method, carriers, sight_of
from seatrial.perform.world import World
from seatrial.rollout.course import order
from seatrial.rollout.forecast import Forecast, forecast
from seatrial.rollout.lengths import KINDS, Lengths, past_of

_CARRIES = "carries the traffic"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedHost:
    """One host's turn. `standing` is what stands in its way; `at_most` is in seconds, when every limit is used up."""

    host: str
    place: int
    stage: str
    gate: str
    role: str
    running: str
    results: tuple[Result, ...]
    at_most: float

    @property
    def outcome(self) -> Outcome:
        """PASS when nothing stands in the way."""
        return worst(result.outcome for result in self.results)

    @property
    def standing(self) -> tuple[Result, ...]:
        """What is not as it must be."""
        return tuple(result for result in self.results if result.outcome is not Outcome.PASS)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "host": self.host,
            "place": self.place,
            "stage": self.stage,
            "gate": self.gate,
            "running": self.running or None,
            "outcome": str(self.outcome),
            "at_most_seconds": self.at_most,
            "standing": [
                {"check": r.check, "outcome": str(r.outcome), "because": r.because, "hint": r.hint or None}
                for r in self.standing
            ],
        }


async def plan_rollout(
    world: World, kernel: str, verdicts: Mapping[tuple[str, str], KernelVerdict]
) -> list[PlannedHost]:
    """Every host in the order in which it would go on trial."""
    fleet = world.fleet
    try:
        who = await carriers(world)
        turns = order(fleet, tuple(fleet.hosts), who)
        sights = await asyncio.gather(*(sight_of(world, host, whole=True) for host in turns))
    finally:
        await world.close()
    return [
        _planned(world, host, place, sight, kernel, verdicts, who)
        for place, (host, sight) in enumerate(zip(turns, sights, strict=True), start=1)
    ]


# Rollouts of the past whose trials say how long one takes: the newest ones.
MOST_ROLLOUTS = 20


def foresee(
    journal: Journal, fleet: Fleet, planned: Sequence[PlannedHost], *, begin: datetime, explain: str = ""
) -> Forecast:
    """How long the plan takes, by the past of this journal; and when the turn of the host `explain` comes, and why then."""
    names = journal.rollouts()[-MOST_ROLLOUTS:]
    events = (event for name in names for event in journal.read(name, kinds=KINDS))
    carrying = {host.host for host in planned if host.role == _CARRIES}
    return forecast(
        fleet,
        Lengths(fleet=fleet, past=past_of(events)),
        hosts=tuple(fleet.hosts),
        begin=begin,
        carriers={
            name: frozenset(carrying.intersection(group.hosts)) or None
            for name, group in fleet.groups.items()
        },
        down=tuple(host.host for host in planned if not host.running),
        explain=explain,
    )


def _planned(
    world: World,
    host: str,
    place: int,
    sight: Sight | None,
    kernel: str,
    verdicts: Mapping[tuple[str, str], KernelVerdict],
    who: Mapping[str, frozenset[str] | None],
) -> PlannedHost:
    fleet = world.fleet
    stage = fleet.stage(fleet.hosts[host].stage)
    results = list(_remembered(fleet, host, kernel, verdicts, world.clock.now()))
    if sight is None:
        hint = f"try: seatrial check --host {host}"
        results.append(
            Result(
                check="reach", outcome=Outcome.UNKNOWN, because=f"{host} did not say what it runs", hint=hint
            )
        )
    else:
        results += boot_method(world, host).refusals(sight.boot, sight.boot.running, kernel)
    group = fleet.group_of(host)
    carrying = who.get(group) if group else None
    role = "no peers" if group is None else _CARRIES if host in (carrying or ()) else "standby"
    if group is not None and carrying is None:
        role = "not known who carries the traffic"
    policy = fleet.policy_of(host)
    return PlannedHost(
        host=host,
        place=place,
        stage=stage.name,
        gate=_gate(fleet, stage),
        role=role,
        running=sight.boot.running if sight else "",
        results=tuple(results),
        # There and back again, each as long as a person is not asked yet.
        at_most=2 * (policy.guard + 2 * policy.reboot) + policy.soak,
    )


def _gate(fleet: Fleet, stage: Stage) -> str:
    if stage.gate == "approval":
        return "a person's approval"
    return "open" if stage is fleet.stages[0] else "evidence of the stage before"


def _remembered(
    fleet: Fleet, host: str, kernel: str, verdicts: Mapping[tuple[str, str], KernelVerdict], now: datetime
) -> list[Result]:
    found = [verdicts.get((kernel, role)) for role in fleet.hosts[host].roles]
    return [_standing(verdict, now) for verdict in found if verdict is not None and not verdict.good]


def _standing(verdict: KernelVerdict, now: datetime) -> Result:
    said = (
        f"{verdict.kernel} is remembered as bad for role {verdict.role} ({verdict.origin}): {verdict.because}"
    )
    if verdict.refuses(now):
        return Result(
            check="kernel.remembered", outcome=Outcome.FAIL, because=said, hint=memory.refusal(verdict).hint
        )
    assert verdict.override is not None
    word = f"{verdict.override.by} lets it be tried until {verdict.override.until:%Y-%m-%d %H:%M} UTC"
    # It stands in nobody's way, and it is not hidden either.
    return Result(
        check="kernel.remembered", outcome=Outcome.SKIP, because=f"{said}; {word}: {verdict.override.why}"
    )
