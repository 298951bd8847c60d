"""One look at a host on trial and at its group: reads only, at most one exec a host."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable

from seatrial.boot.guard import look_commands, read_look
from seatrial.boot.method import BootMethod
from seatrial.boot.methods import method_of
from seatrial.ha.driver import Standing
from seatrial.ha.drivers import driver_of
from seatrial.model.command import Command
from seatrial.model.fleet import Group
from seatrial.model.hostfacts import Sight
from seatrial.perform.world import World
from seatrial.rollout.decide import Seen

# Connections that a survey makes side by side.
SURVEYED_AT_ONCE = 64


def boot_method(world: World, host: str) -> BootMethod:
    """The way in which a host chooses its kernel."""
    return method_of(world.fleet.hosts[host].boot)


async def look(world: World, host: str) -> Seen:
    """The host's boot loader and guard, and who of its group carries the traffic."""
    method = boot_method(world, host)
    group = world.fleet.group_of(host)
    questions: dict[str, list[Command]] = {host: list(look_commands(method))}
    if group is not None:
        for place, commands in driver_of(world.fleet.groups[group]).glance(world.fleet.groups[group]).items():
            questions.setdefault(place, []).extend(commands)
    answers = await world.ask_all(questions)
    carriers: frozenset[str] | None = frozenset()
    if group is not None:
        own = len(look_commands(method))
        rest = {place: outputs[own:] if place == host else outputs for place, outputs in answers.items()}
        carriers = driver_of(world.fleet.groups[group]).carriers(world.fleet.groups[group], rest)
    return Seen(sight=read_look(method, answers[host][:2]), carriers=carriers, now=world.clock.now())


async def sight_of(world: World, host: str, *, whole: bool = False) -> Sight | None:
    """The host's boot loader and guard; None when it does not answer. `whole` for all that refusals are judged by."""
    method = boot_method(world, host)
    return read_look(method, await world.ask(host, *look_commands(method, whole=whole)))


async def carriers_of(world: World, group: Group) -> frozenset[str] | None:
    """The hosts of a group that carry its service; None when that cannot be told."""
    driver = driver_of(group)
    return driver.carriers(group, await world.ask_all(driver.glance(group)))


async def standing_of(world: World, group: Group, *, whole: bool = True) -> Standing:
    """All that a failover of the group is decided by; `whole` with what it is refused or proven by."""
    driver = driver_of(group)
    return driver.read(group, await world.ask_all(driver.look(group, whole=whole)))


async def carriers(world: World) -> dict[str, frozenset[str] | None]:
    """For each group, who carries its service."""
    return {name: await carriers_of(world, group) for name, group in world.fleet.groups.items()}


async def carriers_of_all(world: World, groups: Iterable[str]) -> dict[str, frozenset[str] | None]:
    """For each of these groups, who carries its service."""
    names = tuple(groups)
    found = await asyncio.gather(*(carriers_of(world, world.fleet.groups[name]) for name in names))
    return dict(zip(names, found, strict=True))


async def survey(world: World, on_trial: Collection[str]) -> tuple[list[str], int]:
    """The hosts that do not answer, and how many were asked: all but those that are on trial, a batch at a time."""
    hosts = [host for host in world.fleet.hosts if host not in on_trial]
    up, down = Command(name="host.up", argv=("true",)), list[str]()
    for first in range(0, len(hosts), SURVEYED_AT_ONCE):
        batch = hosts[first : first + SURVEYED_AT_ONCE]
        answers = await world.ask_all({host: [up] for host in batch})
        down += [host for host in batch if not answers[host][0].ok]
    return down, len(hosts)
