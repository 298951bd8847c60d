"""`seatrial demo`: a whole story on the lab's real kernels, or the same story rehearsed on simulated hosts."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from seatrial.cli.follow import show_line
from seatrial.cli.options import Json, console, person, print_json
from seatrial.cli.rollout import carry_out
from seatrial.clock import SystemClock, monotonic
from seatrial.engine import controller
from seatrial.errors import InputError, Interrupted
from seatrial.fleetfile import parse
from seatrial.journal.store import Journal
from seatrial.model.fold import RolloutState
from seatrial.model.text import duration
from seatrial.model.trial import State
from seatrial.perform.world import World, open_world
from seatrial.report.document import recovery
from seatrial.report.narrate import Line

Scenario = Literal["gateway-2021", "good", "dead-network", "panic", "load", "load-good", "nfs-2017"]

# How each story ends when Seatrial keeps its promise.
ENDINGS: dict[str, str] = {
    "gateway-2021": "reverted",
    "good": "blessed",
    "dead-network": "reverted",
    "panic": "reverted",
    "load": "reverted",
    "load-good": "blessed",
    "nfs-2017": "reverted",
}
# The platform of a story, where it is another one than the gateways.
TOPOLOGIES: dict[str, str] = {"load": "nfs-load", "load-good": "nfs-load", "nfs-2017": "nfs-pair"}
# What is wrong with the candidate, where the story is not called after it.
FAULTS: dict[str, str] = {"load-good": "good", "nfs-2017": "load"}
# dead-network is about the guard's own clock, which nobody wants to watch for ten minutes.
GUARDS: dict[str, str] = {"dead-network": "60s"}
# What it took people, in the incident reports that the stories are told after.
PEOPLE: dict[str, str] = {
    "gateway-2021": "In 2021 it took people 85 minutes to suspect the network and 105 to go back.",
    "nfs-2017": "In 2017 it took people 2 h 54 m to notice the load and 9 h 47 m to be back on the good kernel.",
    "load": "In 2017 it took people 2 h 54 m to notice the load and 9 h 47 m to be back on the good kernel.",
}


def demo(
    *,
    scenario: Annotated[Scenario, Parameter(help="which story")] = "gateway-2021",
    rehearse: Annotated[
        bool, Parameter(negative="", help="on simulated hosts: no root, no QEMU, no waiting")
    ] = False,
    real_bug: Annotated[
        bool, Parameter(name="--real-bug", negative="", help="with the real patch of 2021, built as a module")
    ] = False,
    keep: Annotated[bool, Parameter(negative="", help="leave the lab up afterwards")] = False,
    json: Json = False,
) -> int:
    """Replay the outage of 2021-11-02, or another story, and end with exit code 0 when it ends as it should.

    The lab needs QEMU and Debian's packages (`make demo` installs them); --rehearse needs nothing.
    """
    if real_bug and (rehearse or scenario != "gateway-2021"):
        raise InputError(
            "--real-bug goes with the scenario gateway-2021 in the lab", hint="leave out --rehearse"
        )
    began = monotonic()
    folder = _fresh_folder(scenario, rehearse)
    store = Journal(f"sqlite:///{folder / 'journal.db'}")
    if rehearse:
        phases, state = _rehearse(store, folder, scenario, json)
    else:
        phases, state = _in_the_lab(store, scenario, real_bug=real_bug, keep=keep, as_json=json)
    phases["all of it"] = monotonic() - began
    return _conclude(store, state, scenario, phases, json)


def _fresh_folder(scenario: str, rehearse: bool) -> Path:
    """A journal of its own for each story: what a demo learns of a kernel must not stand in the way of real rollouts."""
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "seatrial"
    folder = state / "demo" / (scenario + ("-rehearsed" if rehearse else ""))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    return folder


def _begin(store: Journal, text: str, candidate: str) -> str:
    fleet = parse(text, filename="the demo's fleet")
    return controller.start(
        store,
        fleet,
        fleet_text=text,
        candidate=candidate,
        hosts=tuple(fleet.hosts),
        by=f"demo ({person()})",
        why="security update",
    )


def _rehearse(
    store: Journal, folder: Path, scenario: str, as_json: bool
) -> tuple[dict[str, float], RolloutState]:
    from seatrial.engine.rehearsal import (
        CANDIDATE,
        MEASURED,
        PAIR_TEXT,
        open_simulation,
        rehearsal_fleet,
        rehearsal_world,
    )

    text = PAIR_TEXT if scenario == "nfs-2017" else rehearsal_fleet(measured=scenario in MEASURED)
    simulation = open_simulation(
        folder / "simulation.json", parse(text, filename="the demo's fleet"), scenario
    )
    store.set_clock(simulation)
    world = rehearsal_world(simulation.fleet, simulation)
    _say(as_json, "lab", "simulated hosts: the times below pass on their clock, not on yours")
    began = monotonic()
    name = _begin(store, text, CANDIDATE)
    carry_out(store, world, name, as_json=as_json)
    return {"rollout": monotonic() - began}, controller.state_of(store, name)


def _in_the_lab(
    store: Journal, scenario: str, *, real_bug: bool, keep: bool, as_json: bool
) -> tuple[dict[str, float], RolloutState]:
    from seatrial.cli.lab import lab_fleet, lab_up, prepare
    from seatrial.lab.lab import Lab

    phases: dict[str, float] = {}
    began = monotonic()
    lab: Lab | None = None
    try:
        topology = TOPOLOGIES.get(scenario, "gateway")
        lab = asyncio.run(lab_up("demo", topology, quiet=as_json, owner_pid=None if keep else os.getpid()))
        phases["platform up"] = monotonic() - began
        began = monotonic()
        fault = "real-bug" if real_bug else FAULTS.get(scenario, scenario)
        asyncio.run(prepare(lab, fault, quiet=as_json))
        phases["fault prepared"] = monotonic() - began
        text = lab_fleet(lab, guard=GUARDS.get(scenario, "10m"), story=True)
        (lab.home / "fleet.yaml").write_text(text, encoding="utf-8")
        began = monotonic()
        name = _begin(store, text, lab.kernels.candidate)
        carry_out(store, _world(text), name, as_json=as_json)
        phases["rollout"] = monotonic() - began
        _tell_boots(lab, as_json)
        return phases, controller.state_of(store, name)
    except Interrupted as stopped:
        raise Interrupted(
            "the demo was stopped" + ("" if keep else ", and its lab with it"),
            hint=stopped.hint if keep else "begin again: seatrial demo; --keep leaves the lab up",
        ) from None
    finally:
        if lab is not None and not keep:
            began = monotonic()
            asyncio.run(lab.down())
            phases["platform down"] = monotonic() - began


def _world(text: str) -> World:
    return open_world(parse(text, filename="the demo's fleet"))


def _tell_boots(lab: object, as_json: bool) -> None:
    from seatrial.lab.lab import Lab

    assert isinstance(lab, Lab)
    for host in lab.hosts:
        for number, timings in enumerate(lab.boot_timings(host), start=1):
            _say(as_json, "boot", f"{host} boot {number}: {timings}")


def _say(as_json: bool, step: str, text: str) -> None:
    if not as_json:
        show_line(console(), Line(at=SystemClock().now(), step=step, text=text))


def _roles(store: Journal, state: RolloutState) -> str:
    """The roles of the hosts whose trial has ended, as the rollout's first event has them."""
    roles = store.read(state.id)[0].data.get("roles", {})
    ended = [trial.host for trial in state.trials.values() if trial.over]
    return ", ".join(sorted({role for host in ended for role in roles.get(host, ())}))


def _conclude(
    store: Journal, state: RolloutState, scenario: str, phases: dict[str, float], as_json: bool
) -> int:
    trial = next((trial for trial in state.trials.values() if trial.first_failure), None)
    named, restored = recovery(trial, store.read(state.id)) if trial else (None, None)
    untouched = [t.host for t in state.trials.values() if t.state is State.PLANNED]
    # A story that ends badly ends at its first host.
    left = 0 if ENDINGS[scenario] == "blessed" else len(state.trials) - 1
    as_told = state.outcome == ENDINGS[scenario] and len(untouched) == left
    if as_json:
        print_json(
            {
                "scenario": scenario,
                "outcome": state.outcome,
                "as_expected": as_told,
                "because": state.because,
                "not_touched": untouched,
                "named_seconds": named,
                "restored_seconds": restored,
                "phases": {name: round(seconds, 2) for name, seconds in phases.items()},
            }
        )
        return 0 if as_told else 1
    out = console()
    out.print()
    if state.outcome == "reverted":
        out.print(
            f"{state.candidate} is remembered as bad for role {_roles(store, state)}"
            + (f"; {', '.join(untouched)} were not touched." if untouched else "."),
            markup=False,
        )
    if named is not None and restored is not None:
        out.print(
            f"From the first failing probe: named after {duration(named)}, reverted and proven after {duration(restored)}."
        )
        out.print(PEOPLE.get(scenario, PEOPLE["gateway-2021"]), style="dim")
    out.print(
        "took      " + ", ".join(f"{name} {duration(seconds)}" for name, seconds in phases.items()),
        markup=False,
    )
    other = "load-good" if scenario in TOPOLOGIES else "good"
    again = "" if scenario == other else f"   with a good kernel: seatrial demo --scenario {other}"
    out.print(f"report    seatrial report {state.id} --database {store.url}{again}", markup=False)
    if not as_told:
        out.print(
            f"[bold red]FAIL[/] the story was to end {ENDINGS[scenario]}, and it ended {state.outcome or 'nowhere'}"
        )
    return 0 if as_told else 1
