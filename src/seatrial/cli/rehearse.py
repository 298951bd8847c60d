"""`seatrial rehearse`: the operator's own plan on simulated hosts that fail as told, as fast as it can be computed."""

from __future__ import annotations

import gc
import resource
from collections import Counter
from contextlib import nullcontext
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from rich.status import Status

from seatrial.cli.given import bytes_of
from seatrial.cli.options import DEFAULT_FLEET, FleetFile, Json, console, fleet, print_json
from seatrial.clock import SystemClock
from seatrial.errors import InputError
from seatrial.model.event import Event
from seatrial.model.text import safe
from seatrial.report.rehearsed import ending, failure_lines, held_lines, held_of, wave_lines, waves_of

if TYPE_CHECKING:
    from seatrial.engine.rehearse import Rehearsed

_TOLD_EVERY = 2000
_MOST = 1024 * 1024


def rehearse(
    *,
    file: FleetFile = DEFAULT_FLEET,
    faults: Annotated[Path | None, Parameter(help="a YAML file that says what goes wrong")] = None,
    begin: Annotated[
        str, Parameter(help="when it begins, such as 2026-12-18T15:00+01:00 [default: now]")
    ] = "",
    json: Json = False,
) -> int:
    """Run a rollout of the fleet on simulated hosts, and print what would have happened.

    No real host is asked and nothing is written. Exit code 0 when it would end blessed, 1 when it would not, 4 when one of
    Seatrial's own promises was broken (two peers at once, a budget, a blessing without evidence).
    """
    # Values that never make a cycle are made by the million here; looking for cycles would take a third of the time.
    gc.disable()
    try:
        return _rehearse(file, faults, begin, json)
    finally:
        gc.enable()


def _rehearse(file: Path, faults: Path | None, begin: str, json: bool) -> int:
    from seatrial.engine.rehearse import read_faults
    from seatrial.engine.rehearse import rehearse as run

    declared, _ = fleet(file)
    given = read_faults(_text(faults), filename=str(faults or "faults"), fleet=declared)
    moment = _moment(begin)
    out = console()
    with out.status("rehearsing") if out.is_terminal and not json else nullcontext() as status:

        def tell(event: Event) -> None:
            if isinstance(status, Status) and event.seq % _TOLD_EVERY == 0:
                status.update(f"{event.seq} events, {event.at:%Y-%m-%d %H:%M} on the simulated clock")

        done = run(declared, given, begin=moment, tell=tell)
    if json:
        print_json(_document(done))
    else:
        _tell(done)
    return 4 if done.audit.broken else 0 if done.state.outcome == "blessed" else 1


def _text(faults: Path | None) -> str:
    if faults is None:
        return ""
    data = bytes_of(
        str(faults), most=_MOST, what="docs/rehearse.md lists what may be in it", too_large="name fewer hosts"
    )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{faults}: is no UTF-8", hint="save it as UTF-8") from None


def _moment(begin: str) -> datetime:
    if not begin:
        return SystemClock().now().replace(microsecond=0)
    try:
        moment = datetime.fromisoformat(begin)
    except ValueError:
        raise InputError(f"{begin!r} is no time", hint="such as 2026-12-18T15:00+01:00") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _memory() -> int:
    """The most memory that this process had, in MiB."""
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


def _tell(done: Rehearsed) -> None:
    out, state = console(), done.state
    kinds = Counter(fault.kind for fault in done.faults)
    told = ", ".join(f"{number} {kind}" for kind, number in kinds.items())
    told += f"{', ' if told else ''}controller killed {done.killed} times" if done.killed else ""
    hosts = len(state.trials)
    out.print(f"rehearsed  {hosts} hosts, simulated; what goes wrong: {told or 'nothing'}", markup=False)
    for line in done.left_out:
        out.print(f"           {line}", markup=False)
    stages = {name: host.stage for name, host in done.fleet.hosts.items()}
    for line in wave_lines(waves_of(done.events, stages)):
        out.print(line, markup=False)
    for title, lines in (("held", held_lines(held_of(done.events))), ("failed", failure_lines(state))):
        for number, line in enumerate(lines):
            out.print(f"{title if not number else '':<11}{safe(line)}", markup=False)
    for line in done.audit.broken[:20]:
        out.print(f"BROKEN     {safe(line)}", markup=False)
    if not done.audit.broken:
        out.print(
            f"kept       never two peers, at most {done.audit.most_at_once} at once, no budget passed,"
            " none blessed without evidence",
            markup=False,
        )
    out.print(f"ends       {safe(ending(state))}", markup=False)
    events = len(done.events)
    out.print(f"took       {done.seconds:.1f} s, {_memory()} MiB, {events} events", markup=False)


def _document(done: Rehearsed) -> dict[str, Any]:
    state = done.state
    stages = {name: host.stage for name, host in done.fleet.hosts.items()}
    return {
        "hosts": len(state.trials),
        "began": done.began,
        "ended": state.ended,
        "outcome": state.outcome or None,
        "because": ending(state),
        "simulated_seconds": (state.ended - done.began).total_seconds() if state.ended else None,
        "left_out": list(done.left_out),
        "killed": done.killed,
        "waves": [wave.document() for wave in waves_of(done.events, stages)],
        "held": [asdict(one) for one in held_of(done.events)],
        "trials": [
            {"host": t.host, "state": str(t.state), "because": t.cause or t.because}
            for t in state.trials.values()
        ],
        "broken": done.audit.broken,
        "most_at_once": done.audit.most_at_once,
        "events": len(done.events),
        "seconds": round(done.seconds, 2),
        "memory_mib": _memory(),
    }
