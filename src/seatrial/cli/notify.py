"""`seatrial notify`: try whether those who are named in the fleet file hear it, or tell them what they were not told yet."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated

from cyclopts import Parameter

from seatrial.cli.options import (
    DEFAULT_FLEET,
    Database,
    FleetFile,
    Json,
    Rollout,
    console,
    fleet,
    journal,
    print_json,
)
from seatrial.errors import InputError
from seatrial.model.event import Kind
from seatrial.model.text import safe


def notify(
    rollout: Rollout = None,
    /,
    *,
    file: FleetFile = DEFAULT_FLEET,
    try_: Annotated[
        bool, Parameter(name="--try", negative="", help="send one message that says that it is none")
    ] = False,
    to: Annotated[
        tuple[str, ...], Parameter(name="--to", negative="", help="with --try: only these, by name")
    ] = (),
    database: Database = None,
    json: Json = False,
) -> int:
    """Tell people of ROLLOUT what they were not told yet, because its controller died or a service was away.

    With --try: send a message to everybody that the fleet file names, and say what came of it. Exit code 4 when one did
    not go.
    """
    if try_:
        if rollout is not None:
            raise InputError("--try is about the fleet file, not about a rollout", hint="leave the name out")
        return _try(file, to, json)
    if to:
        raise InputError("--to goes with --try", hint="everybody is told what they were not told yet")
    return _rest(rollout, database, json)


def _try(file: FleetFile, to: tuple[str, ...], json: bool) -> int:
    from seatrial.engine.telling import try_all

    known = fleet(file)[0].notify
    if not known:
        raise InputError(f"{file} has no `notify`", hint="docs/notify.md says what it is")
    for name in to:
        if name not in known:
            raise InputError(f"there is no {name!r} in notify", hint=f"there are: {', '.join(known)}")
    wanted = {name: one for name, one in known.items() if not to or name in to}
    out = console()
    with out.status("sending"):
        said = asyncio.run(try_all(wanted))
    return _told(said, json)


def _told(said: Mapping[str, str], json: bool) -> int:
    if json:
        print_json({"tried": [{"to": to, "sent": not why, "because": why} for to, why in said.items()]})
    else:
        for to, why in said.items():
            console().print(safe(f"{to:<12} {f'not sent: {why}' if why else 'sent'}"), markup=False)
    return 4 if any(said.values()) else 0


def _rest(rollout: str | None, database: str | None, json: bool) -> int:
    from seatrial.engine import controller
    from seatrial.engine.telling import tell_rest
    from seatrial.fleetfile import parse

    store = journal(database)
    known = store.rollouts()
    if rollout is None and not known:
        raise InputError("there is no rollout yet", hint="start one with: seatrial rollout start KERNEL")
    name = rollout or known[-1]
    state = controller.state_of(store, name)
    declared = parse(state.fleet, filename=f"fleet of {name}")
    if not declared.notify:
        raise InputError(f"the fleet file of {name} has no `notify`", hint="docs/notify.md says what it is")
    asyncio.run(tell_rest(store, name, declared))
    news = store.read(name, after=state.last, kinds=(Kind.NOTICE_SENT, Kind.NOTICE_FAILED))
    sent = sum(1 for event in news if event.kind == Kind.NOTICE_SENT)
    failed = [event for event in news if event.kind == Kind.NOTICE_FAILED]
    if json:
        print_json({"rollout": name, "sent": sent, "failed": [event.data for event in failed]})
    else:
        console().print(f"{name}: {sent} sent, {len(failed)} not")
        for event in failed:
            line = f"{event.data['to']:<12} #{event.data['of']}: {event.data['because']}"
            console().print(safe(line), markup=False)
    return 4 if failed else 0
