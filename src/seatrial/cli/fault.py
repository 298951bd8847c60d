"""`seatrial lab fault`: break one thing of a lab that is up, and mend it. What is not in: asking what is broken."""

from __future__ import annotations

import asyncio
from typing import Annotated

from cyclopts import Parameter

from seatrial.cli.lab import Name
from seatrial.cli.options import Json, print_json
from seatrial.errors import InputError
from seatrial.lab.faults import FAULTS
from seatrial.lab.lab import Lab


def fault(
    name: Annotated[str, Parameter(help="a fault, or list, or off")] = "list",
    /,
    *,
    lab: Name = "lab",
    json: Json = False,
) -> int:
    """Put fault NAME on a lab of the topology gateway-services, in place of any other; `off` takes it off again."""
    if name == "list":
        return _list(json)
    if name != "off" and name not in FAULTS:
        raise InputError(f"there is no fault {name!r}", hint=f"there are: {', '.join(FAULTS)}")
    here = Lab.attach(lab)
    was = asyncio.run(here.take_off() if name == "off" else _put(here, name))
    if json:
        print_json({"lab": lab, "fault": None if name == "off" else name, "before": was})
    elif name == "off":
        print(f"{was} is taken off" if was else "there was no fault")
    else:
        print(f"{name}: {FAULTS[name].says}")
    return 0


async def _put(here: Lab, name: str) -> str | None:
    was = here.fault
    await here.put(name)
    return was


def _list(as_json: bool) -> int:
    if as_json:
        print_json(
            {"faults": [{"name": one.name, "says": one.says, "named": one.named} for one in FAULTS.values()]}
        )
        return 0
    width = max(map(len, FAULTS)) + 2
    for one in FAULTS.values():
        print(f"{one.name:<{width}}{one.says}")
    return 0
