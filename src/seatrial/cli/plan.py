"""`seatrial plan`: what a rollout would do, host after host, and what it would refuse, without touching anything."""

from __future__ import annotations

import asyncio

from seatrial.cli.follow import show_line
from seatrial.cli.options import (
    DEFAULT_FLEET,
    Database,
    FleetFile,
    Json,
    Kernel,
    console,
    fleet,
    journal,
    print_json,
)
from seatrial.clock import SystemClock
from seatrial.engine.memory import verdicts_of
from seatrial.engine.planning import PlannedHost, plan_rollout
from seatrial.model.result import Outcome
from seatrial.model.text import duration
from seatrial.perform.world import open_world
from seatrial.report.narrate import MARKS, Line


def plan(
    kernel: Kernel, /, *, file: FleetFile = DEFAULT_FLEET, database: Database = None, json: Json = False
) -> int:
    """Show the order in which KERNEL would be tried, the gates between stages, and what would be refused today.

    Hosts are only read. Exit code 0 when nothing stands in the way, 1 when something does, 3 when a host did not say.
    """
    declared, _ = fleet(file)
    verdicts = verdicts_of(journal(database))
    planned = asyncio.run(plan_rollout(open_world(declared), kernel, verdicts))
    outcomes = {host.outcome for host in planned}
    code = 1 if Outcome.FAIL in outcomes else 3 if Outcome.UNKNOWN in outcomes else 0
    if json:
        print_json({"kernel": kernel, "hosts": [host.document() for host in planned]})
        return code
    _tell(kernel, planned)
    return code


def _tell(kernel: str, planned: list[PlannedHost]) -> None:
    out = console()
    stage = ""
    for host in planned:
        if host.stage != stage:
            stage = host.stage
            out.print(f"stage {stage}   gate: {host.gate}", markup=False)
        detail = tuple(
            f"{result.because}" + (f" (hint: {result.hint})" if result.hint else "")
            for result in host.standing
        )
        text = f"{host.running or '?'} -> {kernel}   {host.role}"
        line = Line(
            at=SystemClock().now(),
            host=host.host,
            step=f"{host.place}.",
            text=text,
            mark=MARKS[host.outcome],
            detail=detail,
        )
        show_line(out, line)
    longest = sum(host.at_most for host in planned)
    out.print(f"one host at a time; at most {duration(longest)} when every limit is used up")
