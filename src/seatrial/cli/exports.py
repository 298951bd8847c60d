"""`seatrial exports`: what NFS servers serve, compared with what they should, and added where it is missing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from seatrial.cli.options import (
    DEFAULT_FLEET,
    Database,
    FleetFile,
    Json,
    Why,
    console,
    fleet,
    journal,
    person,
    print_json,
)
from seatrial.errors import InputError, SeatrialError
from seatrial.exports.plan import Plan
from seatrial.exports.table import Entry, named
from seatrial.model.event import Kind
from seatrial.model.exports import Exports
from seatrial.model.fleet import Fleet
from seatrial.model.text import safe
from seatrial.perform.exports import Applied, Compared, apply, compare, hosts_of
from seatrial.perform.world import World, open_world

if TYPE_CHECKING:
    from seatrial.journal.store import Journal

Group = Annotated[str | None, Parameter(name="--group", help="only the exports of this group or host")]
MOST_TOLD = 200


def check_exports(*, file: FleetFile = DEFAULT_FLEET, group: Group = None, json: Json = False) -> int:
    """Compare what is wanted with what every host has and serves. Nothing is changed.

    Exit code 0 when they are the same everywhere, 1 when not, 3 when the source or a host gave no whole answer.
    """
    declared, _ = fleet(file)
    codes = [_check(declared, name, as_json=json) for name in _chosen(declared, group)]
    return _worst(codes)


def apply_exports(
    *,
    file: FleetFile = DEFAULT_FLEET,
    group: Group = None,
    allow_removals: Annotated[
        str, Parameter(help="let go what is not wanted any more, however much it is, and say why")
    ] = "",
    why: Why = "",
    database: Database = None,
    json: Json = False,
) -> int:
    """Add what is missing, on every host the same. What is not wanted any more goes only as far as `removals` allows.

    Exit code 0 when what is wanted is served, 1 when something is kept that is not wanted, 3 when the source gave no whole
    answer (nothing was changed then), 4 when a host could not be made to serve it.
    """
    declared, _ = fleet(file)
    names = _chosen(declared, group)
    store = journal(database)
    codes = [_apply(declared, name, store, allow=allow_removals, why=why, as_json=json) for name in names]
    return _worst(codes)


def _chosen(declared: Fleet, group: str | None) -> tuple[str, ...]:
    if not declared.exports:
        raise InputError("the fleet file declares no exports", hint="docs/exports.md shows how")
    names = tuple(name for name, one in declared.exports.items() if group in (None, one.group))
    if not names:
        known = ", ".join(sorted({one.group for one in declared.exports.values()}))
        raise InputError(f"no exports are declared for {group!r}", hint=f"there are some for: {known}")
    return names


def _check(declared: Fleet, name: str, *, as_json: bool) -> int:
    try:
        compared = asyncio.run(_compared(declared, declared.exports[name]))
    except SeatrialError as error:
        return _told(name, error, as_json=as_json)
    wrong = {host: one.sentence for host, one in compared.mismatches.items() if one.sentence}
    if as_json:
        print_json(_document(name, compared) | {"outcome": _outcome(compared, wrong)})
    else:
        _tell_hosts(name, compared, wrong)
    return 3 if compared.problems else 1 if wrong else 0


def _outcome(compared: Compared, wrong: dict[str, str]) -> str:
    return "unknown" if compared.problems else "fail" if wrong else "pass"


def _tell_hosts(name: str, compared: Compared, wrong: dict[str, str]) -> None:
    out = console()
    for host, found in compared.found.items():
        state = f"serves with {found.threads} threads" if found.threads else "stands by"
        said = wrong.get(host, f"{len(compared.wanted)} entries as wanted")
        mark, style = ("FAIL", "bold red") if host in wrong else ("ok", "green")
        out.print(f"{name:<12} {host:<12} {state}: {safe(said)}", markup=False, end="   ")
        out.print(mark, style=style)
    for problem in compared.problems.values():
        out.print(f"{name:<12} {safe(problem)}", markup=False, end="   ")
        out.print("UNKNOWN", style="yellow")


def _apply(declared: Fleet, name: str, store: Journal, *, allow: str, why: str, as_json: bool) -> int:
    wanted = declared.exports[name]
    about = {"exports": name, "group": wanted.group, "file": wanted.into, "why": allow or why}

    def note(kind: Kind, **more: Any) -> None:
        store.append(kind, rollout="", by=person(), data={**about, **more})

    def intent(planned: Plan) -> None:
        note(
            Kind.EXPORTS_INTENT,
            **_changes(planned),
            hosts=list(hosts_of(declared, wanted)),
            allowed=bool(allow),
        )

    try:
        applied = asyncio.run(_applied(declared, wanted, bool(allow), intent))
    except SeatrialError as error:
        note(Kind.EXPORTS_FAILED, problem=error.message, hint=error.hint)
        return _told(name, error, as_json=as_json)
    if applied.problems:
        note(Kind.EXPORTS_FAILED, problem="; ".join(applied.problems.values()), done=list(applied.done))
    elif applied.plan.added or applied.plan.removed or applied.plan.changed:
        note(Kind.EXPORTS_APPLIED, **_changes(applied.plan), done=list(applied.done))
    if as_json:
        print_json({"exports": name, "group": wanted.group, **asdict_of(applied)})
    else:
        _tell_applied(name, applied)
    return 4 if applied.problems else 1 if applied.plan.kept else 0


def asdict_of(applied: Applied) -> dict[str, Any]:
    """What was done, as plain JSON."""
    return {**_changes(applied.plan), "done": list(applied.done), "problems": dict(applied.problems)}


def _changes(planned: Plan) -> dict[str, Any]:
    lists = {
        "added": planned.added,
        "removed": planned.removed,
        "changed": planned.changed,
        "kept": planned.kept,
    }
    told: dict[str, Any] = {key: _entries(entries) for key, entries in lists.items()}
    return {**told, "because": planned.because, "entries": len(planned.table)}


def _entries(entries: Iterable[Entry]) -> list[str]:
    every = [f"{path} {client}" for path, client in sorted(entries)]
    more = [f"and {len(every) - MOST_TOLD} more"] if len(every) > MOST_TOLD else []
    return [*every[:MOST_TOLD], *more]


def _tell_applied(name: str, applied: Applied) -> None:
    out = console()
    planned = applied.plan
    for word, entries in (
        ("added", planned.added),
        ("removed", planned.removed),
        ("changed", planned.changed),
    ):
        if entries:
            out.print(f"{name:<12} {word}: {safe(named(entries, most=10))}", markup=False)
    if planned.kept:
        out.print(f"{name:<12} kept: {safe(named(planned.kept, most=10))}: {planned.because}", markup=False)
        out.print("             hint: look at the source; --allow-removals 'why' lets them go", markup=False)
    for problem in applied.problems.values():
        out.print(f"{name:<12} {safe(problem)}", markup=False, end="   ")
        out.print("FAIL", style="bold red")
    if applied.done:
        where = ", ".join(applied.done)
        out.print(f"{name:<12} {len(planned.table)} entries on {where}", markup=False, end="   ")
        out.print("ok", style="green")


def _document(name: str, compared: Compared) -> dict[str, Any]:
    hosts = {
        host: {
            "threads": compared.found[host].threads,
            **{key: _entries(entries) for key, entries in asdict(one).items()},
        }
        for host, one in compared.mismatches.items()
    }
    return {
        "exports": name,
        "wanted": len(compared.wanted),
        "hosts": hosts,
        "problems": dict(compared.problems),
    }


async def _compared(declared: Fleet, wanted: Exports) -> Compared:
    world = open_world(declared)
    try:
        with console().status("asking") if console().is_terminal else nullcontext():
            return await compare(world, wanted)
    finally:
        await world.close()


async def _applied(declared: Fleet, wanted: Exports, allowed: bool, intent: Any) -> Applied:
    world: World = open_world(declared)
    try:
        with console().status("asking, then writing") if console().is_terminal else nullcontext():
            compared = await compare(world, wanted)
            return await apply(world, wanted, compared, allowed=allowed, intent=intent)
    finally:
        await world.close()


def _told(name: str, error: SeatrialError, *, as_json: bool) -> int:
    """One source that gives no answer hinders none of the others."""
    if as_json:
        print_json({"exports": name, "outcome": "unknown", "error": error.message, "hint": error.hint})
    else:
        console().print(f"{name:<12} {safe(error.message)}", markup=False, end="   ")
        console().print("UNKNOWN", style="yellow")
        console().print(f"             hint: {safe(error.hint)}", markup=False)
    return error.exit_code


def _worst(codes: Iterable[int]) -> int:
    """What could not be done comes before what is not known, and that before what was found wrong."""
    seen = set(codes)
    return next((code for code in (4, 3, 1) if code in seen), 0)
