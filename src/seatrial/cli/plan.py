"""`seatrial plan`: what a rollout would do, host after host, and what it would refuse, without touching anything."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import Annotated

from cyclopts import Parameter

from seatrial.cli.ahead import duration_document, duration_lines, explained_document, explained_lines
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
from seatrial.cli.suspects import ChangelogFile, find
from seatrial.clock import SystemClock
from seatrial.engine.memory import verdicts_of
from seatrial.engine.planning import PlannedHost, foresee, plan_rollout
from seatrial.engine.suspecting import Expected, expect
from seatrial.errors import InputError
from seatrial.model.fleet import Fleet
from seatrial.model.pace import Pace
from seatrial.model.result import Outcome
from seatrial.model.text import duration, safe
from seatrial.perform.world import open_world
from seatrial.report.narrate import MARKS, Line

# How many patches are shown; `seatrial suspects` has all.
_SHOWN = 5


def plan(
    kernel: Kernel,
    /,
    *,
    file: FleetFile = DEFAULT_FLEET,
    explain: Annotated[
        str, Parameter(help="a host: why it goes on trial then and not before, and what would hold it")
    ] = "",
    changelog: ChangelogFile = None,
    database: Database = None,
    json: Json = False,
) -> int:
    """Show the order in which KERNEL would be tried, the gates between stages, and what would be refused today.

    Where a changelog of KERNEL is at hand, its patches that were taken back later and touch what this fleet uses are
    named. How long it takes is foreseen by past trials of the journal, or by the limits of the fleet file. Hosts are only read. Exit code 0 when nothing stands in the way, 1 when something does, 3 when a host did not say.
    """
    declared, _ = fleet(file)
    if explain and explain not in declared.hosts:
        raise InputError(
            f"there is no host {explain!r} in {file}",
            hint=f"hosts are: {', '.join(list(declared.hosts)[:20])}",
        )
    store, now = journal(database), SystemClock().now()
    verdicts = verdicts_of(store)
    planned = asyncio.run(plan_rollout(open_world(declared), kernel, verdicts))
    expected = asyncio.run(_expected(declared, kernel, changelog, quiet=json))
    # Ten thousand hosts take a while.
    with nullcontext() if json else console().status("looking ahead"):
        ahead = foresee(store, declared, planned, begin=now, explain=explain)
    outcomes = {host.outcome for host in planned}
    code = 1 if Outcome.FAIL in outcomes else 3 if Outcome.UNKNOWN in outcomes else 0
    if json:
        patches = expected.document() if expected else None
        print_json(
            {
                "kernel": kernel,
                "hosts": [host.document() for host in planned],
                "patches": patches,
                "duration": duration_document(ahead),
                "explain": explained_document(ahead, declared, explain, now) if explain else None,
            }
        )
        return code
    _tell(kernel, planned, declared.rollout)
    _tell_patches(expected)
    for line in (*duration_lines(ahead, now), *explained_lines(ahead, declared, explain, now)):
        console().print(safe(line), markup=False)
    return code


async def _expected(declared: Fleet, kernel: str, changelog: str | None, *, quiet: bool) -> Expected | None:
    given = await find(kernel, changelog, download=False, quiet=quiet) if changelog else None
    try:
        return await expect(open_world(declared), kernel, given)
    except InputError:
        # A changelog that a person gave has to fit; one that only lay at hand need not.
        if changelog:
            raise
        return None


def _tell_patches(expected: Expected | None) -> None:
    if expected is None:
        return
    out = console()
    ranking = expected.ranking
    known = [one for one in ranking.suspects if one.reverted_in and one.score > 0.5]
    head = f"patches   {ranking.examined:,} from {safe(ranking.old)} to {safe(ranking.new)}"
    if expected.newest == ranking.new:
        out.print(
            f"{head}; the changelog ends there, so what was taken back later is not known", markup=False
        )
        return
    out.print(
        f"{head}; by {safe(expected.newest)}, {len(known)} that touch what this fleet uses were taken back later",
        markup=False,
    )
    for one in known[:_SHOWN]:
        out.print(f"          {safe(one.subject)}   taken back in {safe(one.reverted_in)}", markup=False)
    if len(known) > _SHOWN:
        words = f"seatrial suspects {safe(ranking.old)} {safe(ranking.new)}"
        out.print(f"          and {len(known) - _SHOWN} more: {words}", markup=False)


def _tell(kernel: str, planned: list[PlannedHost], pace: Pace) -> None:
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
    longest = duration(sum(host.at_most for host in planned))
    if pace.at_once == 1:
        out.print(f"one host at a time; at most {longest} when every limit is used up")
    else:
        out.print(
            f"{pace.at_once} hosts at a time at most; one after the other they would take {longest} at most"
        )
