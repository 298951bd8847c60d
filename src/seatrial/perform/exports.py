"""Exports asked and applied: the source, then every host that serves them, side by side.

What is in: the order of it, and the proof. What is not: what an answer means and what may go (exports room), and writing
it down, for which whoever calls gives two functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from seatrial.errors import NotKnown
from seatrial.exports.commands import look_commands, read_look, serve_commands, source_command, write_command
from seatrial.exports.plan import Found, Mismatch, Plan, is_served, mismatch, plan
from seatrial.exports.table import Table, named
from seatrial.exports.wanted import NoAnswer, read_wanted
from seatrial.model.command import Command, Output
from seatrial.model.exports import Exports
from seatrial.model.fleet import Fleet, Reach
from seatrial.model.text import safe
from seatrial.perform.world import World
from seatrial.vantage.open import open_vantage
from seatrial.vantage.pool import Pool


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What is wanted beside what each host has. `problems` has the hosts of which nothing is known, and why."""

    wanted: Table
    found: Mapping[str, Found]
    mismatches: Mapping[str, Mismatch]
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What came of an apply: the hosts on which it is done and proven, and what went wrong on others."""

    plan: Plan
    done: tuple[str, ...]
    problems: Mapping[str, str]


def hosts_of(fleet: Fleet, declared: Exports) -> tuple[str, ...]:
    """The hosts that serve these exports."""
    return fleet.groups[declared.group].hosts if declared.group in fleet.groups else (declared.group,)


async def compare(world: World, declared: Exports) -> Compared:
    """Ask the source, then the hosts. Raises NotKnown when the source gives no whole answer; nothing else is asked then."""
    wanted = read_wanted(declared, await _source(world, declared), _called(declared))
    if isinstance(wanted, NoAnswer):
        raise NotKnown(
            f"it is not known what should be served: {wanted.because}",
            hint=wanted.hint or "nothing was changed; what is served stays served",
        )
    hosts = hosts_of(world.fleet, declared)
    answers = await world.ask_all({host: look_commands(declared, wanted.table) for host in hosts})
    found = {host: read_look(answers[host], host) for host in hosts}
    known = {host: one for host, one in found.items() if not one.problem}
    return Compared(
        wanted=wanted.table,
        found=known,
        mismatches={host: mismatch(wanted.table, one.file, one.served) for host, one in known.items()},
        problems={host: one.problem for host, one in found.items() if one.problem},
    )


async def apply(
    world: World,
    declared: Exports,
    compared: Compared,
    *,
    allowed: bool,
    intent: Callable[[Plan], None],
) -> Applied:
    """Write the file on every host that answers, serve what it has where nfsd runs, and look whether it is so.

    `intent` is called with the plan before anything is changed, and not at all when nothing is to be.
    """
    planned = plan(
        compared.wanted,
        {host: one.file for host, one in compared.found.items()},
        declared.removals,
        allowed=allowed,
    )
    at = {host: one for host, one in compared.found.items() if _is_due(planned, one)}
    problems = dict(compared.problems)
    if at:
        intent(planned)
        written = await world.ask_all({host: _deeds(declared, planned, one) for host, one in at.items()})
        looked = await world.ask_all({host: look_commands(declared, planned.table) for host in at})
        for host in at:
            if problem := _unproven(planned, written[host], read_look(looked[host], host), host):
                problems[host] = problem
    done = tuple(host for host in compared.found if host not in problems)
    return Applied(plan=planned, done=done, problems=problems)


def _is_due(planned: Plan, found: Found) -> bool:
    if dict(found.file) != dict(planned.table):
        return True
    served = found.served
    return served is not None and not all(
        is_served(one, options, served) for one, options in planned.table.items()
    )


def _deeds(declared: Exports, planned: Plan, found: Found) -> list[Command]:
    deeds = [write_command(declared, planned.text, found)]
    return [*deeds, *serve_commands(planned.removed)] if found.threads else deeds


def _unproven(planned: Plan, outputs: list[Output], after: Found, host: str) -> str:
    write, *serve = outputs
    if not write.ok:
        return f"{host}: the file was not written: {_why(write)}"
    if after.problem:
        return f"{after.problem}; the file is written"
    if dict(after.file) != dict(planned.table):
        return f"{host}: the file is not what was written: somebody else writes it too"
    if after.served is None:
        return ""
    served = after.served
    missing = [one for one, options in planned.table.items() if not is_served(one, options, served)]
    if not missing:
        return ""
    said = next((_why(output) for output in reversed(serve) if not output.ok), "exportfs says nothing of it")
    return f"{host}: written and not served: {named(missing)}: {said}"


async def _source(world: World, declared: Exports) -> Output:
    command = source_command(declared)
    if declared.source_vantage is not None:
        return (await world.ask(declared.source_vantage, command))[0]
    pool = world.pool or Pool()
    return (await open_vantage("this machine", Reach(local=True), pool).run([command]))[0]


def _called(declared: Exports) -> str:
    what = declared.file or (declared.command or ("",))[0]
    return f"{what} on {declared.source_vantage}" if declared.source_vantage else str(what)


def _why(output: Output) -> str:
    said = output.problem or output.stderr.strip().rpartition("\n")[2] or f"status {output.status}"
    return safe(said[:300])
