"""`seatrial soak`: recorded samples judged, and load made on purpose."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from seatrial.cli.drawn import PANELS, Panels, Plot, Theme, Width, draw, wanted
from seatrial.cli.given import bytes_of
from seatrial.cli.options import DEFAULT_FLEET, FleetFile, Json, console, fleet, print_json
from seatrial.clock import monotonic
from seatrial.errors import InputError
from seatrial.model.declared import parse_duration
from seatrial.model.result import Outcome, Verdict
from seatrial.model.text import safe

if TYPE_CHECKING:
    from seatrial.model.fleet import Fleet
    from seatrial.picture.values import Mark
    from seatrial.soak.judge import Judgement
    from seatrial.soak.samples import CountSeries, Series

CODES = {Outcome.PASS: 0, Outcome.FAIL: 1, Outcome.UNKNOWN: 3, Outcome.SKIP: 0}
MOST_LOAD = 3600.0
MOST_EVENTS = 1024 * 1024
TOLD_EVERY = 10.0
STYLES = {Outcome.PASS: "green", Outcome.FAIL: "bold red", Outcome.UNKNOWN: "yellow"}


def judge(
    file: Annotated[Path, Parameter(help="CSV: series,arm,t,value[,work] or series,arm,t,failed,sent")],
    /,
    *,
    alpha: Annotated[
        float, Parameter(help="the chance of any false alarm, over all series and looks")
    ] = 0.01,
    min_effect: Annotated[float, Parameter(help="so many times good is too much")] = 1.1,
    matters: Annotated[
        tuple[str, ...],
        Parameter(negative="", help="SERIES=NUMBER: so much more of it, in its own units, does not matter"),
    ] = (),
    plot: Plot = None,
    events: Annotated[
        str | None,
        Parameter(name="--events", help="what happened, for the time line: CSV t,text or JSON lines"),
    ] = None,
    panels: Panels = PANELS,
    width: Width = None,
    theme: Theme = "auto",
    json: Json = False,
) -> int:
    """Judge the samples in FILE: is the candidate worse than good? May be asked as often as you like while it grows.

    Exit code 0 when all series pass, 1 when one fails, 3 when none fails and one cannot be decided. --plot draws both
    arms, the effect with its bounds, and the events on one clock.
    """
    from seatrial.soak import judge as rules
    from seatrial.soak.samples import read

    if plot is not None:
        wanted(plot, panels=panels, width=width, as_json=json)
    elif events is not None:
        raise InputError("--events are drawn, and there is no --plot", hint="such as --plot soak.svg")
    try:
        data = file.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}", hint="name a CSV file") from error
    floors = dict(_floor(one) for one in matters)
    recorded = read(data, filename=str(file))
    judgements = rules.judge(recorded, alpha=alpha, min_effect=min_effect, matters=floors)
    summary = rules.summary(judgements)
    _tell(judgements, summary, as_json=json)
    if plot is not None:
        from seatrial.soak.pictured import pictured

        picture = pictured(
            recorded, judgements, title=f"{file.name}: candidate against good",
            events=() if events is None else _events(events, recorded), most=panels, alpha=alpha, min_effect=min_effect, matters=floors,
        )  # fmt: skip
        draw(picture, plot, width=width, theme=theme)
        if plot != "-" and not json:
            shown = f"{len(picture.panels)} of {len(judgements)} series, the worst first"
            console().print(safe(f"picture   {plot}: {shown}"), markup=False)
    return CODES[summary.outcome]


def _tell(judgements: Sequence[Judgement], summary: Verdict, *, as_json: bool) -> None:
    if as_json:
        for judgement in judgements:
            print_json(_document(judgement))
        return
    out = console()
    longest = max(len(safe(judgement.series)) for judgement in judgements)
    for judgement in judgements:
        at = "" if judgement.at is None else f"t = {judgement.at:.6g}: "
        out.print(f"{judgement.outcome:<8}", style=STYLES[judgement.outcome], end="")
        out.print(f"{safe(judgement.series):<{longest}}  {safe(at + judgement.because)}", markup=False)
    out.print(f"{summary.because} of {len(judgements)} series")


def _floor(text: str) -> tuple[str, float]:
    """What `--matters disk.*.latency=5` says. Raises InputError."""
    name, _, number = text.rpartition("=")
    try:
        floor = float(number)
    except ValueError:
        floor = math.nan
    if not name or not 0 < floor < math.inf:
        raise InputError(
            f"--matters {safe(text)}: is no SERIES=NUMBER with a number above 0",
            hint="such as --matters 'disk.*.latency=5', in the units of the series",
        )
    return name, floor


def _events(file: str, recorded: Sequence[Series | CountSeries]) -> list[Mark]:
    from seatrial.picture.events import HINT, read, within
    from seatrial.soak.pictured import clock_of, span_of

    data = bytes_of(file, most=MOST_EVENTS, what=HINT, too_large="keep the events that matter")
    begin, end = span_of(recorded)
    return within(read(data, filename=file), begin, end, clock_of(recorded), filename=file)


def load(
    name: Annotated[str, Parameter(help="one of the fleet file's loads")],
    /,
    *,
    file: FleetFile = DEFAULT_FLEET,
    seconds: Annotated[
        str, Parameter(name="--for", help="how long, such as 90s or 10m; an hour at most")
    ] = "60s",
    json: Json = False,
) -> int:
    """Make one of the fleet's loads for a while, and say every ten seconds how long its operations took.

    It works from where the fleet file says and on nothing else, no faster than its rate, and ends with this program.
    Exit code 0 when it worked all the time, 3 when some of it could not be done.
    """
    try:
        wanted = parse_duration(seconds)
    except ValueError as error:
        raise InputError(f"--for {seconds}: {error}", hint="such as --for 90s") from None
    if not 0 < wanted <= MOST_LOAD:
        raise InputError(f"--for {seconds} is not within an hour", hint="such as --for 10m")
    declared, _ = fleet(file)
    if name not in declared.loads:
        known = ", ".join(sorted(declared.loads)) or "none: write one under `loads`"
        raise InputError(f"there is no load {name!r} in {file}", hint=f"there are: {known}")
    return asyncio.run(_drive(declared, name, wanted, as_json=json))


async def _drive(declared: Fleet, name: str, seconds: float, *, as_json: bool) -> int:
    from seatrial.perform.loading import drive
    from seatrial.perform.world import open_world

    world = open_world(declared)
    ends = monotonic() + seconds
    wrong = 0
    try:
        while (left := ends - monotonic()) > 0:
            series, problem = await drive(world, name, min(left, TOLD_EVERY))
            wrong += bool(problem)
            failed = int(sum(row[1] for row in series.pop(f"load.{name}.failed", [])))
            done = {key.rpartition(".")[2]: _mean(rows) for key, rows in series.items()}
            if as_json:
                print_json({"load": name, "operations": done, "failed": failed, "problem": problem or None})
                continue
            said = "  ".join(f"{key} {one['a_second']:.3g}/s {one['ms']:.3g} ms" for key, one in done.items())
            said += f"  {failed} failed" if failed else ""
            console().print(safe(f"{name}  {said or 'nothing was done'}"), markup=False)
            if problem:
                console().print(safe(f"{name}  {problem}"), markup=False, style="yellow")
            if not done:
                # Nothing could be done at all: asking again at once would only say so more often.
                await world.clock.sleep(1.0)
    finally:
        await world.close()
    return 3 if wrong else 0


def _mean(rows: list[tuple[float, ...]]) -> dict[str, float]:
    """Of rows (t, ms, a second): the mean time, by how often it was done, and how often a second."""
    work = sum(row[2] for row in rows)
    return {
        "ms": round(sum(row[1] * row[2] for row in rows) / work, 3) if work else 0.0,
        "a_second": round(work / len(rows), 3),
    }


def _document(judgement: Judgement) -> dict[str, Any]:
    """One line of the answer. What is infinite or was not found is null, since JSON has no infinity."""
    low, high = judgement.interval or (None, None)
    return {
        "series": judgement.series,
        "outcome": judgement.outcome.value,
        "at": judgement.at,
        "effect": _finite(judgement.effect),
        "because": judgement.because,
        "interval": None if judgement.interval is None else [low, _finite(high)],
        "since": judgement.since,
        "e_value": judgement.e_value,
        "e_needed": judgement.e_needed,
        "p_value": judgement.p_value,
        "samples": judgement.samples,
    }


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None
