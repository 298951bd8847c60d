"""`seatrial rollout`: begin one, be its controller, look at it, and say what a person wishes."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from seatrial.cli.drawn import PANELS, Plot, draw, wanted
from seatrial.cli.follow import Follower, show_line
from seatrial.cli.options import (
    DEFAULT_FLEET,
    Database,
    FleetFile,
    Json,
    Kernel,
    Rollout,
    Why,
    console,
    fleet,
    journal,
    person,
    print_json,
)
from seatrial.cli.report import soaked
from seatrial.engine import controller
from seatrial.errors import InputError, Interrupted
from seatrial.fleetfile import parse
from seatrial.journal.store import Journal
from seatrial.model.fold import RolloutState
from seatrial.perform.world import World, open_world
from seatrial.report.narrate import narrate

Ticket = Annotated[str, Parameter(help="where the decision is written down")]

_CODES = {"blessed": 0, "reverted": 1, "refused": 4, "undone": 4, "aborted": 4, "stuck": 4}


def start(
    kernel: Kernel,
    /,
    *,
    file: FleetFile = DEFAULT_FLEET,
    host: Annotated[tuple[str, ...], Parameter(name="--host", negative="", help="only these hosts")] = (),
    why: Why = "",
    override: Annotated[
        str, Parameter(help="take a kernel that is remembered as bad all the same, and say why")
    ] = "",
    ticket: Ticket = "",
    database: Database = None,
    json: Json = False,
) -> int:
    """Begin a rollout of KERNEL (as `uname -r` calls it) and be its controller until it is over.

    It can be stopped and gone on with at any time: what is on trial is watched by the guard on its host.
    """
    declared, text = fleet(file)
    for name in host:
        if name not in declared.hosts:
            raise InputError(
                f"there is no host {name!r} in {file}", hint=f"hosts are: {', '.join(declared.hosts)}"
            )
    hosts = tuple(name for name in declared.hosts if not host or name in host)
    store = journal(database)
    name = controller.start(
        store,
        declared,
        fleet_text=text,
        candidate=kernel,
        hosts=hosts,
        by=person(),
        why=why,
        override=override,
        ticket=ticket,
    )
    return carry_out(store, open_world(declared), name, as_json=json)


def status(
    rollout: Rollout = None,
    /,
    *,
    database: Database = None,
    follow: Annotated[bool, Parameter(negative="", help="stay until it is over")] = False,
    plot: Plot = None,
    json: Json = False,
) -> int:
    """Where ROLLOUT stands, and what a person could do now; --follow stays until it is over.

    The exit code is 0 while it runs, and after that the one that its controller had. --plot - draws the soak so far.
    """
    if plot is not None:
        wanted(plot, panels=PANELS, width=None, as_json=json)
    store = journal(database)
    name = _named(store, rollout)
    state = controller.state_of(store, name)
    if follow:
        asyncio.run(Follower(store, name, console=console(), as_json=json).follow())
        state = controller.state_of(store, name)
        return _CODES[state.outcome]
    holder = store.lease_holder(name)
    if json:
        print_json(_document(state, holder is not None))
        return _CODES[state.outcome] if state.ended else 0
    out = console()
    for line in narrate(store.read(name), rollout=name):
        show_line(out, line)
    if not state.ended:
        who = f"its controller is process {holder.pid}" if holder else "no controller runs"
        what = "" if holder else f"; go on with: seatrial rollout resume {name}"
        out.print(f"running since {state.started:%Y-%m-%d %H:%M:%S} UTC; {who}{what}")
    if plot is not None:
        draw(soaked(store.read(name), state, "", PANELS), plot, width=None, theme="auto")
    return _CODES[state.outcome] if state.ended else 0


def approve(
    rollout: Rollout = None,
    /,
    *,
    stage: Annotated[str, Parameter(help="the stage's name")],
    why: Why = "",
    ticket: Ticket = "",
    database: Database = None,
    json: Json = False,
) -> int:
    """Let ROLLOUT into a stage that wants a person's approval."""
    store = journal(database)
    name = _named(store, rollout)
    _stage_of(store, name, stage)
    controller.approve(store, name, stage=stage, by=person(), why=why, ticket=ticket)
    return _said(store, name, f"stage {stage} is approved", json)


def pause(rollout: Rollout = None, /, *, why: Why = "", database: Database = None, json: Json = False) -> int:
    """Begin no further trial in ROLLOUT; what is on trial is finished."""
    store = journal(database)
    name = _named(store, rollout)
    controller.pause(store, name, by=person(), why=why)
    return _said(store, name, "paused", json)


def abort(
    rollout: Rollout = None,
    /,
    *,
    mode: Annotated[
        Literal["revert", "finish", "hold"],
        Parameter(
            help="what is on trial goes back, is finished, or stays where it is for a person to look at"
        ),
    ] = "revert",
    why: Why = "",
    ticket: Ticket = "",
    database: Database = None,
    json: Json = False,
) -> int:
    """Begin nothing else in ROLLOUT, and send back what is on trial (or --mode finish, or --mode hold)."""
    store = journal(database)
    name = _named(store, rollout)
    controller.abort(store, name, by=person(), why=why, ticket=ticket, mode=mode)
    return _said(store, name, f"aborted: {_ABORTED[mode]}", json)


_ABORTED = {
    "revert": "what is on trial goes back to the good kernel",
    "finish": "what is on trial is finished, and nothing else begins",
    "hold": "what is on trial stays on the candidate until: seatrial rollout abort --mode revert",
}


def skip(
    rollout: Rollout = None,
    /,
    *,
    host: Annotated[str, Parameter(help="the host's name")],
    why: Why = "",
    ticket: Ticket = "",
    database: Database = None,
    json: Json = False,
) -> int:
    """Leave a host out of ROLLOUT; of one that is stuck: say that a person has seen to it."""
    store = journal(database)
    name = _named(store, rollout)
    controller.skip(store, name, host=host, by=person(), why=why, ticket=ticket)
    return _said(store, name, f"{host} is skipped", json)


def force(
    rollout: Rollout = None,
    /,
    *,
    host: Annotated[
        str, Parameter(help="a host that is to begin now, whatever waves, windows and blockers say")
    ] = "",
    stage: Annotated[str, Parameter(help="a stage that is to be entered without its evidence")] = "",
    why: Why = "",
    ticket: Ticket = "",
    database: Database = None,
    json: Json = False,
) -> int:
    """Take the responsibility for one host or one gate of ROLLOUT. Two peers are never on trial together all the same."""
    if bool(host) == bool(stage) or not why:
        raise InputError(
            "a host or a stage is wanted, and why", hint="--host h1 --why 'it crashes daily anyway'"
        )
    store = journal(database)
    name = _named(store, rollout)
    if host:
        controller.force(store, name, host=host, by=person(), why=why, ticket=ticket)
    else:
        _stage_of(store, name, stage)
        controller.force_stage(store, name, stage=stage, by=person(), why=why, ticket=ticket)
    return _said(store, name, f"{host or stage} is forced", json)


def resume(
    rollout: Rollout = None, /, *, why: Why = "", database: Database = None, json: Json = False
) -> int:
    """Take back the pause of ROLLOUT; where no controller runs, be its controller until it is over."""
    store = journal(database)
    name = _named(store, rollout)
    state = controller.state_of(store, name)
    controller.resume(store, name, by=person(), why=why)
    if state.is_paused and store.lease_holder(name) is not None:
        return _said(store, name, "goes on", json)
    return carry_out(store, open_world(parse(state.fleet, filename=f"fleet of {name}")), name, as_json=json)


def _stage_of(store: Journal, name: str, stage: str) -> None:
    declared = parse(controller.state_of(store, name).fleet, filename=f"fleet of {name}")
    if stage not in {known.name for known in declared.stages}:
        raise InputError(
            f"{stage!r} is not a stage of {name}",
            hint=f"stages are: {', '.join(s.name for s in declared.stages)}",
        )


def work(
    rollout: Rollout = None,
    /,
    *,
    room: Annotated[int, Parameter(help="trials that this worker runs side by side, at most")] = 50,
    database: Database = None,
    json: Json = False,
) -> int:
    """Be one of several controllers of ROLLOUT, on one Postgres database, until it is over.

    Start as many as wished, on as many machines; one that dies is replaced by the others.
    """
    from seatrial.engine.workers import Worker

    store = journal(database)
    name = _named(store, rollout)
    declared = parse(controller.state_of(store, name).fleet, filename=f"fleet of {name}")
    follower = Follower(store, name, console=console(), as_json=json)
    worker = Worker(open_world(declared), store, name, room=room)
    return _until_over(name, _followed(worker.work(), follower))


def carry_out(store: Journal, world: World, name: str, *, as_json: bool) -> int:
    """Be the controller of a rollout, showing it, until it is over. Returns the exit code.

    Raises Interrupted, with how to go on, when a person stops it.
    """
    follower = Follower(store, name, console=console(), as_json=as_json)
    return _until_over(name, _carry_out(store, world, name, follower))


def _until_over(name: str, running: Coroutine[Any, Any, RolloutState]) -> int:
    try:
        state = asyncio.run(running)
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise Interrupted(
            f"stopped between two steps of {name}; nothing is lost",
            hint=f"go on: seatrial rollout resume {name}; send back what is on trial: seatrial rollout abort {name}; "
            "a host on trial goes back by itself when its guard's time is up",
        ) from None
    return _CODES[state.outcome]


async def _carry_out(store: Journal, world: World, name: str, follower: Follower) -> RolloutState:
    try:
        return await _followed(controller.run(store, world, name), follower)
    finally:
        await world.close()


async def _followed(running: Coroutine[Any, Any, RolloutState], follower: Follower) -> RolloutState:
    task = asyncio.current_task()
    assert task is not None
    with contextlib.suppress(NotImplementedError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    showing = asyncio.create_task(follower.follow())
    try:
        return await running
    finally:
        showing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await showing
        follower.catch_up()


def _named(store: Journal, rollout: str | None) -> str:
    if rollout is not None:
        return rollout
    known = store.rollouts()
    if not known:
        raise InputError("there is no rollout yet", hint="start one with: seatrial rollout start KERNEL")
    return known[-1]


def _said(store: Journal, name: str, what: str, as_json: bool) -> int:
    holder = store.lease_holder(name)
    if as_json:
        print_json(_document(controller.state_of(store, name), holder is not None))
        return 0
    later = (
        ""
        if holder
        else f"\nno controller runs it now; this is carried out by: seatrial rollout resume {name}"
    )
    print(f"{name}: {what}{later}")
    return 0


def _document(state: RolloutState, has_controller: bool) -> dict[str, object]:
    return {
        "rollout": state.id,
        "candidate": state.candidate,
        "started": state.started,
        "by": state.by,
        "why": state.why,
        "controller": has_controller,
        "paused": state.is_paused,
        "aborted": state.is_aborted,
        "abort_mode": state.abort_mode or None,
        "approved": sorted(state.approved),
        "approvals": [
            {"stage": a.stage, "by": a.by, "why": a.why, "ticket": a.ticket, "at": a.at, "forced": a.forced}
            for a in state.approvals
        ],
        "waits_for": state.held or None,
        "blockers": dict(state.blockers),
        "ended": state.ended,
        "outcome": state.outcome or None,
        "because": state.because,
        "seconds": (state.ended - state.started).total_seconds() if state.ended and state.started else None,
        "trials": [
            {
                "host": t.host,
                "state": "skipped" if t.skipped else str(t.state),
                "since": t.since,
                "because": t.because,
                "hint": t.hint,
            }
            for t in state.trials.values()
        ],
    }
