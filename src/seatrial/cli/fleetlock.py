"""`seatrial fleetlock`: who may reboot by itself now, who waits and why, and a person's word for one that is stuck."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from seatrial.cli.examples import epilogue_of
from seatrial.cli.options import Database, Json, Why, console, journal, person, print_json
from seatrial.errors import InputError
from seatrial.model.text import safe

app = App(name="fleetlock", help="Hosts that reboot by themselves: who has a slot, and why others have none.")


@app.command(help_epilogue=epilogue_of("fleetlock status"))
def status(*, database: Database = None, json: Json = False) -> int:
    """Slots that are taken, and the last no to each host that has none since."""
    from seatrial.engine.reboots import away_of

    away = away_of(journal(database))
    if json:
        print_json(
            {
                "slots": [
                    {"host": s.host, "group": s.group, "since": s.at, "back": s.wished, "because": s.because}
                    for s in away.slots.values()
                ],
                "refused": [{"host": host, "because": because} for host, because in away.refused.items()],
            }
        )
        return 0
    out = console()
    for slot in away.slots.values():
        back = "has its slot and has not said that it is back"
        if slot.wished is not None:
            back = f"is back, and not proven: {slot.because or 'its checks are asked'}"
        line = f"{slot.host:<12} {slot.group:<12} since {slot.at:%Y-%m-%d %H:%M} UTC: {back}"
        out.print(safe(line), markup=False)
    for host, because in away.refused.items():
        out.print(safe(f"{host:<12} refused: {because}"), markup=False)
    if not away.slots and not away.refused:
        out.print("nobody has a slot, and nobody was refused one")
    return 0


@app.command(name="release", help_epilogue=epilogue_of("fleetlock release"))
def free(
    host: Annotated[str, Parameter(help="the host's name")],
    /,
    *,
    why: Why = "",
    ticket: Annotated[str, Parameter(help="where the decision is written down")] = "",
    database: Database = None,
    json: Json = False,
) -> int:
    """Take a slot back from HOST although its checks did not prove it: you have seen to it."""
    from seatrial.engine.reboots import release

    if not why:
        raise InputError("a reason is wanted", hint="--why 'it was replaced'; it stands in the journal")
    event = release(journal(database), host, by=person(), why=why, ticket=ticket)
    if json:
        print_json(event)
    else:
        print(f"{host}: its slot is free")
    return 0
