"""Which flows and checks a person means: the filters that `check` and `watch` share, and what is left of the fleet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter

from seatrial.errors import InputError
from seatrial.model.fleet import Fleet

Source = Annotated[str | None, Parameter(name="--from", help="only what this vantage asks")]
Flows = Annotated[tuple[str, ...], Parameter(name="--flow", negative="", help="only these flows")]
HostName = Annotated[
    str | None, Parameter(name="--host", help="only what this host must carry, and that it carries it")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Names of flows and checks, in the order of the file; `host` is the one that must carry the flows."""

    flows: tuple[str, ...]
    checks: tuple[str, ...]
    host: str | None = None


def choose(declared: Fleet, source: str | None, flow: tuple[str, ...], host: str | None) -> Chosen:
    """What is left of the fleet. Raises InputError for a name that it does not have, and when nothing is left."""
    places = {*declared.vantages, *declared.hosts}
    for what, name, known in (("vantage", source, places), ("host", host, set(declared.hosts))):
        if name is not None and name not in known:
            raise InputError(f"there is no {what} {name!r}", hint=f"there are: {', '.join(sorted(known))}")
    for name in flow:
        if name not in declared.flows:
            raise InputError(
                f"there is no flow {name!r}", hint=f"there are: {', '.join(sorted(declared.flows))}"
            )
    flows = tuple(
        name
        for name, one in declared.flows.items()
        if (not flow or name in flow)
        and source in (None, one.source_vantage)
        and (host is None or name in declared.flows_of(host))
    )
    stage = declared.hosts[host].stage if host else None
    checks = tuple(
        name
        for name, one in declared.checks.items()
        if not flow and source in (None, one.source_vantage) and (stage is None or one.stage in (None, stage))
    )
    if not flows and not checks:
        raise InputError(
            "nothing is left to ask",
            hint="leave out --from, --flow or --host, or write flows into the fleet file",
        )
    return Chosen(flows=flows, checks=checks, host=host)
