"""`seatrial drift`: what would the next boot, restart or failover of each host change, in order of danger, with the fix."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from typing import Annotated, Literal

from cyclopts import App, Parameter
from rich.markup import escape

from seatrial.cli.examples import epilogue_of
from seatrial.cli.given import bytes_of
from seatrial.cli.options import (
    DEFAULT_FLEET,
    Database,
    FleetFile,
    Json,
    console,
    fleet,
    journal,
    person,
    print_json,
)
from seatrial.drift.accepted import check_names
from seatrial.drift.snapshot import Snapshot, differences, read_text
from seatrial.errors import InputError
from seatrial.model.event import Kind
from seatrial.model.finding import Audit, Finding, Severity, Unread
from seatrial.model.fleet import Fleet
from seatrial.model.text import safe
from seatrial.perform.drifting import Drift, audit, only, snapshots, this_machine
from seatrial.perform.world import open_world
from seatrial.report.drifted import Answer, answer, as_document, as_kept, as_nagios, as_prometheus

# It has verbs of its own and is one itself, so it is a whole App, which the front door loads when it is called.
app = App(
    name="drift",
    help="What the next boot, restart or failover would change.",
    help_epilogue=epilogue_of("drift"),
)

Hosts = Annotated[tuple[str, ...], Parameter(name="--host", negative="", help="only these hosts")]
Local = Annotated[bool, Parameter(name="--local", negative="", help="this machine; no fleet file is needed")]
Keep = Annotated[bool, Parameter(negative="", help="write it into the journal as well, for the page")]
Format = Literal["text", "json", "prometheus", "nagios"]
FailOn = Annotated[
    Literal["danger", "warning", "note"],
    Parameter(name="--fail-on", help="the least that makes the exit code 1"),
]
MOST_BYTES = 256_000_000
_SNAPSHOT = "give what `seatrial drift snapshot` printed"
_COLOURS = {Severity.DANGER: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


@app.default
def drift(
    *,
    file: FleetFile = DEFAULT_FLEET,
    host: Hosts = (),
    local: Local = False,
    format: Annotated[Format, Parameter(help="how to tell it")] = "text",
    json: Json = False,
    fail_on: FailOn = "warning",
    keep: Keep = False,
    database: Database = None,
) -> int:
    """Read every host, and say what its next boot, restart or failover would change, each with the fix.

    Hosts are only read, in one exec each. With --keep what was found is written into the journal, and `seatrial serve` shows it. Exit code 0 when nothing as bad as --fail-on stands, 1 when something does, 3
    when a question had no answer.
    """
    declared = declared_fleet(file, host, local)
    # Before anything is asked: a journal that cannot be opened is no reason to have asked for nothing.
    store = journal(database) if keep else None
    found = asyncio.run(look(declared, host))
    if store is not None:
        for name, one in found.audits.items():
            store.append(Kind.DRIFT_AUDITED, rollout="", host=name, by=person(), data=as_kept(one))
    threshold = Severity(fail_on)
    told = answer(found.audits, threshold)
    code = told.code
    match "json" if json else format:
        case "json":
            print_json(as_document(found.audits, threshold))
        case "prometheus":
            print(as_prometheus(found.audits), end="")
        case "nagios":
            code, text = as_nagios(found.audits)
            print(text)
        case _:
            _tell_people(found, told)
    return code


@app.command(help_epilogue=epilogue_of("drift snapshot"))
def snapshot(*, file: FleetFile = DEFAULT_FLEET, host: Hosts = (), local: Local = False) -> int:
    """Keep the facts of hosts: one JSON object a line for each, for `seatrial drift diff`.

    Hosts are only read. Exit code 0 when all were read, 3 when one was not.
    """
    declared = declared_fleet(file, host, local)
    found = asyncio.run(_snapshots(declared, host or tuple(declared.hosts)))
    for one in found.values():
        if isinstance(one, Snapshot):
            print_json(one.document())
    missing = [one for one in found.values() if isinstance(one, Unread)]
    for lost in missing:
        print(f"seatrial: {safe(lost.because)}\n  hint: {safe(lost.hint)}", file=sys.stderr)
    return 3 if missing else 0


async def _snapshots(declared: Fleet, hosts: tuple[str, ...]) -> dict[str, Snapshot | Unread]:
    world = open_world(declared)
    try:
        return await snapshots(world, dict.fromkeys(hosts, 0.0))
    finally:
        await world.close()


@app.command(help_epilogue=epilogue_of("drift diff"))
def diff(
    before: Annotated[str, Parameter(help="what `drift snapshot` printed, or - for standard input")],
    after: Annotated[str, Parameter(help="what it printed later, or on another host")],
    /,
    *,
    json: Json = False,
) -> int:
    """What differs between two snapshots of a host, or of two hosts; files of several are compared host by host.

    Exit code 0 when nothing differs, 1 when something does.
    """
    pairs = _paired(_read(before), _read(after))
    found = {host: differences(one, other) for host, (one, other) in pairs.items()}
    if json:
        changes = {
            host: [{**asdict(one), "sentence": one.sentence} for one in some] for host, some in found.items()
        }
        print_json({"hosts": changes})
    else:
        for host, some in found.items():
            for one in some:
                console().print(f"{safe(host)}: {safe(one.sentence)}", markup=False)
        total = sum(len(some) for some in found.values())
        console().print(
            f"{total} differences on {len(found)} host{'' if len(found) == 1 else 's'}", markup=False
        )
    return 1 if any(found.values()) else 0


def _read(file: str) -> dict[str, Snapshot]:
    data = bytes_of(
        file, most=MOST_BYTES, what=_SNAPSHOT, too_large="give the snapshots of fewer hosts at once"
    )
    return {one.host: one for one in read_text(data.decode("utf-8", "replace"))}


def _paired(before: dict[str, Snapshot], after: dict[str, Snapshot]) -> dict[str, tuple[Snapshot, Snapshot]]:
    """The hosts of both; two files of one host each are compared whatever the hosts are called."""
    if len(before) == len(after) == 1:
        (one,), (other,) = before.values(), after.values()
        return {other.host: (one, other)}
    both = {host: (before[host], after[host]) for host in before if host in after}
    if not both:
        raise InputError("no host is in both files", hint=_SNAPSHOT)
    return both


def declared_fleet(file: FleetFile, host: tuple[str, ...], local: bool) -> Fleet:
    """The fleet that is meant: the file's, or this machine. Raises InputError for a name that it does not have."""
    if local:
        if host or file != DEFAULT_FLEET:
            raise InputError("--local is this machine alone", hint="leave out --fleet and --host")
        return this_machine(os.uname().nodename)
    declared, _ = fleet(file)
    for name in host:
        if name not in declared.hosts:
            raise InputError(
                f"there is no host {name!r}", hint=f"there are: {', '.join(sorted(declared.hosts))}"
            )
    check_names(declared.accepted)
    return declared


async def look(declared: Fleet, host: tuple[str, ...]) -> Drift:
    """Audit the hosts that are named, and their peers for comparison; all of them when none is."""
    world = open_world(declared)
    wanted = host or tuple(declared.hosts)
    peers = [peer for name in wanted for peer in declared.peers_of(name)]
    asked = tuple(dict.fromkeys((*wanted, *peers)))
    many = f"{len(asked)} hosts" if len(asked) > 1 else asked[0]
    try:
        with console().status(f"reading {many}") if console().is_terminal else nullcontext():
            return only(await audit(world, asked), wanted)
    finally:
        await world.close()


def _tell_people(found: Drift, told: Answer) -> None:
    out = console()
    several = len(found.audits) > 1
    for one in told.standing:
        _show(one, several)
    for missing in told.unknown:
        out.print(
            f"[yellow]UNKNOWN[/]  {_where(missing.host, several)}{missing.name}: {escape(safe(missing.because))}"
        )
        if missing.hint:
            out.print(f"         hint: {escape(safe(missing.hint))}")
    for one in told.accepted:
        out.print(f"[dim]accepted[/] {_where(one.host, several)}{escape(safe(one.because))}")
        out.print(f"         by {escape(safe(one.accepted))}")
    for name, one_audit in found.audits.items():
        if len(one_audit.restarts) > 1:
            out.print(
                f"restart in this order{f' on {name}' if several else ''}: {', '.join(one_audit.restarts)}",
                markup=False,
            )
    out.print(_summary(tuple(found.audits.values()), told), markup=False)


def _show(one: Finding, several: bool) -> None:
    out = console()
    colour = _COLOURS[one.severity]
    out.print(f"[{colour}]{one.severity:<8}[/] {_where(one.host, several)}{escape(safe(one.because))}")
    out.print(f"         fix: {escape(safe(one.fix))}")
    if one.instead:
        out.print(f"         or:  {escape(safe(one.instead))}")


def _where(host: str, several: bool) -> str:
    return f"{escape(safe(host))}: " if several else ""


def _summary(every: Sequence[Audit], told: Answer) -> str:
    counted = [
        (sum(1 for one in told.standing if one.severity is severity), str(severity)) for severity in Severity
    ]
    words = ", ".join(
        f"{number} {word}{'' if number == 1 or word == 'danger' else 's'}"
        for number, word in counted
        if number
    )
    skipped = sum(1 for one in every for missing in one.unread if missing.skipped)
    asked = sum(one.asked for one in every)
    parts = [words or "the next boot changes nothing that is known"]
    parts += [f"{len(told.accepted)} accepted"] if told.accepted else []
    parts += [f"{len(told.unknown)} not known"] if told.unknown else []
    return f"{len(every)} host{'' if len(every) == 1 else 's'}: {'; '.join(parts)}   {asked} questions asked, {skipped} do not arise"
