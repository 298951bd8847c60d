"""`seatrial failover`: move the service of a group to another of its hosts, with proof, and say how it went."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import Annotated

from cyclopts import Parameter

from seatrial.cli.follow import show_line
from seatrial.cli.options import (
    DEFAULT_FLEET,
    Database,
    FleetFile,
    Json,
    Why,
    console,
    fleet,
    journal,
    person,
    print_json,
)
from seatrial.engine import failover as engine
from seatrial.errors import InputError, Interrupted
from seatrial.fleetfile import parse
from seatrial.journal.store import Journal
from seatrial.model.event import Event
from seatrial.model.failover import Ending, FailoverState
from seatrial.model.result import Outcome
from seatrial.perform.world import World, open_world
from seatrial.report.failover import FailoverNarrator, document_of

CODES = {Ending.MOVED: 0, Ending.BACK: 4, Ending.REFUSED: 4, Ending.UNDONE: 4, Ending.STUCK: 4}
Group = Annotated[str, Parameter(help="the group of the fleet file whose service moves")]


def failover(
    group: Group,
    /,
    *,
    file: FleetFile = DEFAULT_FLEET,
    to: Annotated[str, Parameter(help="the host that is to carry it [default: the other one]")] = "",
    away: Annotated[
        str, Parameter(help="the host that is to carry it no more, where several do at once")
    ] = "",
    resume: Annotated[
        bool, Parameter(negative="", help="go on with the one that a dead controller left")
    ] = False,
    force: Annotated[
        str,
        Parameter(
            help="go without the word of a peer that does not answer, and say how you know that it is off"
        ),
    ] = "",
    why: Why = "",
    database: Database = None,
    json: Json = False,
) -> int:
    """Move the service of GROUP to a peer: asked first, step by step with a way back, and proven.

    It can be stopped and gone on with at any time. The exit code is 0 when it has moved, 3 when it could not be found out
    whether it may, and 4 when it was refused, is served again where it was, or a person is needed.
    """
    store = journal(database)
    shower = _Shower(as_json=json)
    open_ = engine.unfinished(store, group)
    if resume:
        if open_ is None:
            raise InputError(f"no failover of {group} is open", hint=f"begin one: seatrial failover {group}")
        world = open_world(
            parse(open_.fleet, filename=f"fleet of {open_.id}") if open_.fleet else fleet(file)[0]
        )
        return carry_out(store, world, open_.id, shower)
    declared, text = fleet(file)
    return carry_out(store, open_world(declared), "", shower, begin=_Begin(group, to, away, force, why, text))


class _Begin:
    """What a new failover is begun with."""

    def __init__(self, group: str, to: str, away: str, force: str, why: str, text: str) -> None:
        self.group, self.to, self.away = group, to, away
        self.force, self.why, self.text = force, why, text


class _Shower:
    """Prints each Event of a failover once it is in the journal."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._narrator: FailoverNarrator | None = None

    def show(self, event: Event) -> None:
        """Print what this Event adds."""
        if self._narrator is None:
            self._narrator = FailoverNarrator(event.rollout)
        lines = self._narrator.feed(event)
        if self.as_json:
            print_json(event)
            return
        for line in lines:
            show_line(console(), line)


def carry_out(
    store: Journal, world: World, name: str, shower: _Shower, *, begin: _Begin | None = None
) -> int:
    """Be the controller of a failover until it is over, showing it. Returns the exit code.

    Raises Interrupted, with how to go on, when a person stops it.
    """
    try:
        state = asyncio.run(_carry_out(store, world, name, shower, begin))
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise Interrupted(
            "stopped between two steps of a failover; nothing is lost",
            hint="go on: seatrial failover GROUP --resume; until then the service may be down",
        ) from None
    if shower.as_json:
        print_json(document_of(state))
    if state.outcome == Ending.REFUSED and state.preflight and state.preflight.outcome is Outcome.UNKNOWN:
        return 3
    return CODES[Ending(state.outcome)]


async def _carry_out(
    store: Journal, world: World, name: str, shower: _Shower, begin: _Begin | None
) -> FailoverState:
    task = asyncio.current_task()
    assert task is not None
    with contextlib.suppress(NotImplementedError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        if begin is not None:
            name = await engine.begin(
                store,
                world,
                begin.group,
                to=begin.to,
                away=begin.away,
                by=person(),
                why=begin.why,
                force=begin.force,
                fleet_text=begin.text,
            )
        return await engine.run(store, world, name, tell=shower.show)
    finally:
        await world.close()
