"""`seatrial check`: ask the platform once, from every vantage at once, and say what is wrong and where."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from seatrial.cli.follow import show_line
from seatrial.cli.options import DEFAULT_FLEET, FleetFile, Json, console, fleet, print_json
from seatrial.clock import SystemClock
from seatrial.errors import InputError
from seatrial.model.fleet import Fleet
from seatrial.model.result import Outcome, worst
from seatrial.model.text import duration, safe
from seatrial.perform.probe import Probed, probe
from seatrial.perform.world import World, open_world
from seatrial.report.formats import as_document, as_junit, as_nagios, as_prometheus
from seatrial.report.narrate import MARKS, Line

CODES = {Outcome.PASS: 0, Outcome.FAIL: 1, Outcome.UNKNOWN: 3, Outcome.SKIP: 0}
Format = Literal["text", "json", "junit", "prometheus", "nagios"]


def check(
    *,
    file: FleetFile = DEFAULT_FLEET,
    source: Annotated[str | None, Parameter(name="--from", help="only what this vantage asks")] = None,
    flow: Annotated[tuple[str, ...], Parameter(name="--flow", negative="", help="only these flows")] = (),
    host: Annotated[
        str | None, Parameter(help="only what this host must carry, and that it carries it")
    ] = None,
    format: Annotated[Format, Parameter(help="how to tell it")] = "text",
    json: Json = False,
    checklist: Annotated[
        Path | None, Parameter(help="run this file of cmd-checklist-runner instead, here or --from a vantage")
    ] = None,
    parallel: Annotated[
        int | None, Parameter(help="of a checklist: tests side by side, if none needs what another one did")
    ] = None,
    timeout: Annotated[
        float | None, Parameter(help="of a checklist: seconds for each command [default: 60]")
    ] = None,
) -> int:
    """Ask every flow and check of the fleet file, or those that are named.

    Exit code 0 when all pass, 1 when something is wrong, 3 when something could not be found out.
    """
    if checklist is not None:
        if flow or host:
            raise InputError("--flow and --host are not for a checklist", hint="leave them out")
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
    declared, _ = fleet(file)
    flows, checks = _chosen(declared, source, flow, host)
    if not flows and not checks:
        raise InputError(
            "nothing is left to ask",
            hint="leave out --from, --flow or --host, or write flows into the fleet file",
        )
    probed = asyncio.run(_ask(open_world(declared), flows, checks, host))
    return _tell(probed, "json" if json else format)


def _chosen(
    declared: Fleet, source: str | None, flow: tuple[str, ...], host: str | None
) -> tuple[list[str], list[str]]:
    places = {*declared.vantages, *declared.hosts}
    for what, name, known in (("vantage", source, places), ("host", host, set(declared.hosts))):
        if name is not None and name not in known:
            raise InputError(f"there is no {what} {name!r}", hint=f"there are: {', '.join(sorted(known))}")
    for name in flow:
        if name not in declared.flows:
            raise InputError(
                f"there is no flow {name!r}", hint=f"there are: {', '.join(sorted(declared.flows))}"
            )
    flows = [
        name
        for name, one in declared.flows.items()
        if (not flow or name in flow)
        and source in (None, one.source_vantage)
        and (host is None or name in declared.flows_of(host))
    ]
    stage = declared.hosts[host].stage if host else None
    checks = [
        name
        for name, one in declared.checks.items()
        if not flow and source in (None, one.source_vantage) and (stage is None or one.stage in (None, stage))
    ]
    return flows, checks


async def _ask(world: World, flows: list[str], checks: list[str], host: str | None) -> Probed:
    policy = world.fleet.policy_of(host or next(iter(world.fleet.hosts)))
    try:
        with console().status("asking") if console().is_terminal else nullcontext():
            return await probe(
                world,
                flows=flows,
                checks=checks,
                probes=policy.probes,
                rate=policy.rate,
                max_loss=policy.max_loss,
                carrier=host,
            )
    finally:
        await world.close()


def _tell(probed: Probed, format: Format) -> int:
    results = probed.results
    sentence = probed.explanation.sentence if probed.explanation else ""
    code = CODES[worst(result.outcome for result in results)]
    match format:
        case "json":
            print_json(as_document(results, diagnosis=sentence, seconds=probed.seconds))
        case "junit":
            print(as_junit(results, seconds=probed.seconds), end="")
        case "prometheus":
            print(as_prometheus(results), end="")
        case "nagios":
            code, text = as_nagios(results, diagnosis=sentence)
            print(text)
        case "text":
            _tell_people(probed, sentence)
    return code


def _tell_people(probed: Probed, sentence: str) -> None:
    out = console()
    now = SystemClock().now()
    if sentence:
        out.print(safe(sentence), style="bold", markup=False)
    width = max(len(result.check) for result in probed.results) + 2
    for result in probed.results:
        detail = (f"hint: {result.hint}",) if result.hint and result.outcome is not Outcome.PASS else ()
        text = f"{result.vantage:<14} {result.because}"
        show_line(
            out,
            Line(
                at=now, step=f"{result.check:<{width}}", text=text, mark=MARKS[result.outcome], detail=detail
            ),
        )
    passed = sum(1 for result in probed.results if result.outcome is Outcome.PASS)
    out.print(f"{passed} of {len(probed.results)} pass   {duration(probed.seconds)}")
