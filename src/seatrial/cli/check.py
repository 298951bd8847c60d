"""`seatrial check`: ask the platform once, from every vantage at once, and say what is wrong and where."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from seatrial.checklist.telling import told_apart
from seatrial.checks.compared import compare
from seatrial.cli.choosing import Chosen, Flows, HostName, Source, choose
from seatrial.cli.given import bytes_of
from seatrial.cli.options import DEFAULT_FLEET, FleetFile, Json, console, fleet
from seatrial.cli.told import Format, tell
from seatrial.errors import InputError
from seatrial.perform.probe import Probed, probe
from seatrial.perform.world import World, open_world
from seatrial.report import baseline as recorded

MOST_ROUNDS = 1000
MOST_BYTES = 64_000_000

Baseline = Annotated[
    str | None,
    Parameter(
        allow_leading_hyphen=True,
        help="what an earlier `check --format json` printed: only what is worse than there counts as wrong",
    ),
]
Repeat = Annotated[
    int, Parameter(help="ask this many rounds, and tell what is broken from what comes and goes")
]
ChecklistFile = Annotated[
    Path | None, Parameter(help="run this file of cmd-checklist-runner instead, here or --from a vantage")
]
Parallel = Annotated[
    int | None, Parameter(help="of a checklist: tests side by side, if none needs what another one did")
]
Plan = Annotated[
    bool,
    Parameter(
        name="--plan",
        negative="",
        help="ask nothing: say which faults the flows and checks could not tell apart, and which to add",
    ),
]
Timeout = Annotated[float | None, Parameter(help="of a checklist: seconds for each command [default: 60]")]


def check(
    *,
    file: FleetFile = DEFAULT_FLEET,
    source: Source = None,
    flow: Flows = (),
    host: HostName = None,
    format: Annotated[Format, Parameter(help="how to tell it")] = "text",
    json: Json = False,
    baseline: Baseline = None,
    repeat: Repeat = 1,
    plan: Plan = False,
    checklist: ChecklistFile = None,
    parallel: Parallel = None,
    timeout: Timeout = None,
) -> int:
    """Ask every flow and check of the fleet file, or those that are named.

    Exit code 0 when all pass, 1 when something is wrong, 3 when something could not be found out. With a baseline: 1
    when something is worse than it was, 3 when something could not be compared.
    """
    if plan:
        if source or flow or host or baseline is not None or repeat != 1 or checklist is not None:
            raise InputError("--plan is about the whole fleet file", hint="give it with -f and --json only")
        from seatrial.cli.coverage import tell_coverage

        return tell_coverage(fleet(file)[0], as_json=json or format == "json")
    if checklist is not None:
        if flow or host or baseline is not None or repeat != 1:
            raise InputError(
                "--flow, --host, --baseline and --repeat are not for a checklist", hint="leave them out"
            )
        # Reads YAML and runs commands without any of what a platform needs.
        from seatrial.cli.checklist import check_checklist

        return check_checklist(
            checklist,
            source=source,
            fleet_file=file,
            parallel=parallel,
            timeout=timeout,
            format="json" if json else format,
        )
    if parallel is not None or timeout is not None:
        raise InputError("--parallel and --timeout are for a checklist", hint="name it with --checklist FILE")
    if not 1 <= repeat <= MOST_ROUNDS:
        raise InputError(f"--repeat {repeat}: 1 to {MOST_ROUNDS} rounds", hint="such as --repeat 5")
    declared, _ = fleet(file)
    chosen = choose(declared, source, flow, host)
    # Before anything is asked: a wrong file must not cost a round.
    before = _read(baseline) if baseline is not None else None
    probed = asyncio.run(_ask(open_world(declared), chosen, repeat))
    compared = None
    if before is not None and baseline is not None:
        unasked = {*declared.flows, *declared.checks} - {*chosen.flows, *chosen.checks}
        compared = compare(
            probed.results, before.results, baseline=baseline, diagnosis=before.diagnosis, unasked=unasked
        )
    return tell(probed, compared, "json" if json else format)


def _read(baseline: str) -> recorded.Baseline:
    data = bytes_of(
        baseline,
        most=MOST_BYTES,
        what=recorded.HINT,
        too_large="give what one `seatrial check --format json` printed",
    )
    return recorded.read(data, name=baseline)


async def _ask(world: World, chosen: Chosen, rounds: int) -> Probed:
    policy = world.fleet.policy_of(chosen.host or next(iter(world.fleet.hosts)))
    try:
        with console().status("asking") if console().is_terminal else nullcontext():
            probed = await probe(
                world,
                flows=chosen.flows,
                checks=chosen.checks,
                probes=policy.probes,
                rate=policy.rate,
                max_loss=policy.max_loss,
                carrier=chosen.host,
                rounds=rounds,
            )
    finally:
        await world.close()
    # A flow and a check may have one name; in a document and in a comparison a name is a key.
    return replace(probed, results=told_apart(probed.results))
