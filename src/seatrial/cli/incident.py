"""`seatrial incident`: say that something is going on, so that no rollout begins a trial, and say that it is over."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from cyclopts import App, Parameter

from seatrial.cli.examples import epilogue_of
from seatrial.cli.options import Database, Json, Why, journal, person, print_json
from seatrial.engine import incidents
from seatrial.model.text import safe

app = App(
    name="incident",
    help="An open incident holds every rollout; what is on trial is finished.",
    help_epilogue=epilogue_of("incident"),
)


@app.default
def listed(*, database: Database = None, json: Json = False) -> int:
    """Which incidents are open."""
    found = incidents.open_incidents(journal(database))
    if json:
        print_json({"incidents": [asdict(one) for one in found]})
        return 0
    for one in found:
        print(safe(one.sentence))
    if not found:
        print("no incident is open")
    return 0


@app.command(name="open", help_epilogue=epilogue_of("incident open"))
def open_(
    *,
    why: Why = "",
    ticket: Annotated[str, Parameter(help="where it is written down")] = "",
    database: Database = None,
    json: Json = False,
) -> int:
    """Open an incident: no rollout of this journal begins a trial until it is closed."""
    name = incidents.open_incident(journal(database), by=person(), why=why, ticket=ticket)
    return _said(name, f"incident {name} is open: nothing begins until: seatrial incident close {name}", json)


@app.command(help_epilogue=epilogue_of("incident close"))
def close(
    name: Annotated[str, Parameter(help="its name, such as i1")],
    /,
    *,
    why: Why = "",
    database: Database = None,
    json: Json = False,
) -> int:
    """Close an incident."""
    incidents.close_incident(journal(database), name, by=person(), why=why)
    return _said(name, f"incident {safe(name)} is closed", json)


def _said(name: str, what: str, as_json: bool) -> int:
    if as_json:
        print_json({"incident": name})
    else:
        print(what)
    return 0
