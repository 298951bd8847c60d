"""`rehearse`: the operator's own plan on simulated hosts, as fast as it can be computed.

The fleet, its pace, the rules, the turns, the fold and the Events are the real ones. The hosts are simulated, the journal
is in memory, the loops are the light ones, and whoever waits looks again after five seconds at the soonest. What is not
in: how it is told (report room).
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import yaml
from pydantic import ValidationError

from seatrial.clock import LoopClock, monotonic, run_fast
from seatrial.engine import light
from seatrial.engine.rehearsal import CANDIDATE, GOOD, rehearsal_world
from seatrial.engine.turns import Turns
from seatrial.errors import InputError
from seatrial.journal.memory import MemoryJournal
from seatrial.model.event import Event, Kind
from seatrial.model.fleet import Fleet, Flow, Reach
from seatrial.model.fold import RolloutState
from seatrial.model.rehearsed import RehearsedFault, RehearsedFaults
from seatrial.rollout.audit import Audit, audit
from seatrial.vantage.simulation import Fault, FaultKind, Simulation

GRAIN = 5.0
# A rollout of four months that has not ended never will.
LONGEST = 120 * 86400.0
# Nobody comes in a rehearsal: what only a person can go on with is over after that.
PATIENCE = 86400.0
# How long it takes until another controller is there where one was killed.
TAKEN_OVER_AFTER = 60.0
_STAND_IN = ("stand-in-inside", "stand-in-outside")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """What would have happened. `platform` is how the simulated hosts were left; `left_out` says what the simulated hosts could not be asked; `seconds` is real time."""

    fleet: Fleet
    events: list[Event]
    state: RolloutState
    audit: Audit
    platform: Simulation
    faults: tuple[Fault, ...]
    killed: int
    left_out: tuple[str, ...]
    began: datetime
    seconds: float


def read_faults(text: str, *, filename: str, fleet: Fleet) -> RehearsedFaults:
    """The faults of a file. Raises InputError with every mistake."""
    try:
        return _checked(RehearsedFaults.model_validate(_tuples(yaml.safe_load(text) or {})), fleet, filename)
    except yaml.YAMLError as error:
        raise InputError(f"{filename}: {str(error).splitlines()[0]}", hint="it is YAML") from None
    except ValidationError as error:
        lines = [f"{filename}: {'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        raise InputError("\n".join(lines), hint="docs/rehearse.md lists what may be in it") from None


def _tuples(value: object) -> object:
    if isinstance(value, list):
        return tuple(_tuples(one) for one in value)
    return {key: _tuples(one) for key, one in value.items()} if isinstance(value, dict) else value


def _checked(faults: RehearsedFaults, fleet: Fleet, filename: str) -> RehearsedFaults:
    racks = {host.rack for host in fleet.hosts.values()}
    for number, fault in enumerate(faults.faults):
        unknown = [host for host in fault.hosts if host not in fleet.hosts]
        unknown += [fault.rack] if fault.rack and fault.rack not in racks else []
        unknown += [fault.vantage] if fault.vantage and fault.vantage not in fleet.vantages else []
        if unknown:
            raise InputError(
                f"{filename}: faults.{number}: the fleet has no {unknown[0]!r}",
                hint="a name of the fleet file",
            )
    return faults


def rehearse(
    fleet: Fleet,
    faults: RehearsedFaults,
    *,
    begin: datetime,
    hosts: tuple[str, ...] = (),
    tell: Callable[[Event], None] | None = None,
) -> Rehearsed:
    """Run a rollout of these hosts (all of them without any) from `begin` on to its end.

    Raises InputError when it would not end within four months.
    """
    began = monotonic()
    fleet, left_out = simulated(fleet)
    # Values that never make a cycle are made by the million here; looking for cycles would take a third of the time.
    gc.disable()
    try:
        drawn = draw(faults, fleet)
        kills = sorted(moment for fault in faults.faults for moment in fault.at)
        events, state, platform, killed = run_fast(
            _run(fleet, drawn, kills, begin, hosts or tuple(fleet.hosts), tell)
        )
        return Rehearsed(
            fleet=fleet,
            events=events,
            state=state,
            audit=audit(events, fleet),
            platform=platform,
            faults=drawn,
            killed=killed,
            left_out=left_out,
            began=begin,
            seconds=monotonic() - began,
        )
    finally:
        gc.enable()


async def _run(
    fleet: Fleet,
    faults: tuple[Fault, ...],
    kills: list[float],
    begin: datetime,
    hosts: tuple[str, ...],
    tell: Callable[[Event], None] | None,
) -> tuple[list[Event], RolloutState, Simulation, int]:
    clock = LoopClock(begin)
    simulation = Simulation.create(
        None, fleet, good=GOOD, candidate=CANDIDATE, faults=faults, start=begin, clock=clock, grain=GRAIN
    )
    world = rehearsal_world(fleet, simulation)
    journal = MemoryJournal(simulation, after_append=tell)
    started = {"candidate": CANDIDATE, "hosts": list(hosts), "why": "rehearsal"}
    roles = {host: list(fleet.hosts[host].roles) for host in hosts}
    journal.append(Kind.ROLLOUT_STARTED, rollout="r1", by="rehearsal", data={**started, "roles": roles})
    for stage in fleet.stages:
        if stage.gate == "approval":
            data = {"stage": stage.name, "why": "taken as given in a rehearsal", "ticket": ""}
            journal.append(Kind.STAGE_APPROVED, rollout="r1", by="rehearsal", data=data)
    killed = 0
    while True:
        journal.append(
            Kind.CONTROLLER_TOOK, rollout="r1", by="rehearsal", data={"pid": killed + 1, "machine": "here"}
        )
        turns = Turns(world, journal, "r1", idle_poll=3600.0, patience=PATIENCE)
        running = asyncio.create_task(light.run(turns))
        until = kills[killed] if killed < len(kills) else LONGEST
        alarm = asyncio.create_task(clock.sleep(max(0.0, until - simulation.seconds)))
        await asyncio.wait({running, alarm}, return_when=asyncio.FIRST_COMPLETED)
        alarm.cancel()
        if running.done():
            running.result()
            return journal.read("r1"), turns.state(), simulation, killed
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        if until == LONGEST:
            raise InputError(
                "the rollout would not end within four months",
                hint="look at its windows, freezes and budgets: seatrial plan KERNEL --explain HOST",
            )
        killed += 1
        await clock.sleep(TAKEN_OVER_AFTER)


def simulated(fleet: Fleet) -> tuple[Fleet, tuple[str, ...]]:
    """The fleet with what simulated hosts can answer, and in words what was left out of it or put in its place."""
    told: list[str] = []
    if fleet.checks:
        told.append(f"{len(fleet.checks)} checks are left out: simulated hosts answer flows only")
    changes: dict[str, object] = {"checks": {}, "loads": {}}
    bare = [host for host in fleet.hosts if not fleet.flows_of(host)]
    if bare:
        told.append(f"{len(bare)} hosts have no flow: a stand-in is probed in their trials")
        reach = Reach(simulated=True)
        changes["vantages"] = {**fleet.vantages, **dict.fromkeys(_STAND_IN, reach)}
        changes["flows"] = {**fleet.flows, **{f"stand-in-{host}": _stand_in(fleet, host) for host in bare}}
    measured = [role for role, policy in fleet.policies.items() if policy.measure is not None]
    if measured:
        told.append(
            f"soaks of {', '.join(measured)} are not measured: simulated disks would only confirm themselves"
        )
        changes["policies"] = {
            role: policy.model_copy(update={"measure": None}) for role, policy in fleet.policies.items()
        }
    if fleet.rollout.blockers:
        told.append(f"{len(fleet.rollout.blockers)} blockers are left out: nothing stands in the way")
        changes["rollout"] = fleet.rollout.model_copy(update={"blockers": {}})
    if fleet.silences:
        told.append(f"{len(fleet.silences)} silences are left out: nobody is told of simulated hosts")
        changes["silences"] = {}
    fields = {name: getattr(fleet, name) for name in Fleet.model_fields}
    return Fleet.model_construct(**{**fields, **changes}), tuple(told)


def _stand_in(fleet: Fleet, host: str) -> Flow:
    return Flow(
        stage=fleet.hosts[host].stage,
        source_vantage=_STAND_IN[0],
        to=_STAND_IN[1],
        address="192.0.2.1",
        protocol="icmp",
        by=host,
    )


def draw(faults: RehearsedFaults, fleet: Fleet) -> tuple[Fault, ...]:
    """Which place has which fault; the same each time for one seed."""
    dice = random.Random(faults.seed)  # noqa: S311 - a rehearsal, and the same each time
    taken: set[str] = set()
    found: list[Fault] = []
    for fault in faults.faults:
        found += _faults(fault, fleet, dice, taken)
    return tuple(found)


def _faults(fault: RehearsedFault, fleet: Fleet, dice: random.Random, taken: set[str]) -> list[Fault]:
    span: dict[str, Any] = {
        "begin": fault.begin,
        "until": fault.begin + (fault.lasts if fault.lasts is not None else LONGEST),
    }
    if fault.kind == "controller-killed":
        return []
    if fault.kind == "flaky-vantage":
        return [Fault(host=str(fault.vantage), kind="flaky", percent=fault.percent or 0.0, **span)]
    if fault.kind == "cut-off-rack":
        cut = [name for name, host in fleet.hosts.items() if host.rack == fault.rack]
        return [Fault(host=name, kind="cut-off", **span) for name in cut]
    hosts = list(fault.hosts)
    if fault.percent is not None:
        free = [host for host in fleet.hosts if host not in taken]
        hosts = dice.sample(free, min(len(free), max(1, round(len(fleet.hosts) * fault.percent / 100))))
        taken.update(hosts)
    # What a kernel does wrong it does only while it runs; what is wrong with the host does not ask which kernel runs.
    kernel = "" if fault.kind in ("disk-full", "unreachable") else CANDIDATE
    kind: FaultKind = fault.kind
    return [Fault(host=host, kind=kind, kernel=kernel, seconds=fault.late, **span) for host in hosts]
