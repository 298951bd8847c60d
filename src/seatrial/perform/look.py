"""One look at a host on trial and at its group: reads only, at most one exec a host."""

from __future__ import annotations

from seatrial.boot.guard import look_commands, read_look
from seatrial.boot.method import BootMethod
from seatrial.boot.methods import method_of
from seatrial.ha import keepalived
from seatrial.model.command import Command
from seatrial.model.fleet import Group
from seatrial.model.hostfacts import Sight
from seatrial.perform.world import World
from seatrial.rollout.decide import Seen


def boot_method(world: World, host: str) -> BootMethod:
    """The way in which a host chooses its kernel."""
    return method_of(world.fleet.hosts[host].boot)


async def look(world: World, host: str) -> Seen:
    """The host's boot loader and guard, and who of its group carries the traffic."""
    method = boot_method(world, host)
    group = world.fleet.group_of(host)
    questions: dict[str, list[Command]] = {host: list(look_commands(method))}
    if group is not None:
        owner = keepalived.owner_command(world.fleet.groups[group].mover)
        for member in world.fleet.groups[group].hosts:
            questions.setdefault(member, []).append(owner)
    answers = await world.ask_all(questions)
    carrier: str | None = ""
    if group is not None:
        members = world.fleet.groups[group].hosts
        carrier = keepalived.carrier(
            {member: keepalived.has_address(answers[member][-1]) for member in members}
        )
    return Seen(sight=read_look(method, answers[host][:2]), carrier=carrier, now=world.clock.now())


async def sight_of(world: World, host: str, *, whole: bool = False) -> Sight | None:
    """The host's boot loader and guard; None when it does not answer. `whole` for all that refusals are judged by."""
    method = boot_method(world, host)
    return read_look(method, await world.ask(host, *look_commands(method, whole=whole)))


async def carrier_of(world: World, group: Group) -> str | None:
    """The host of a group that carries its traffic; None when that cannot be told."""
    owner = keepalived.owner_command(group.mover)
    answers = await world.ask_all({member: [owner] for member in group.hosts})
    return keepalived.carrier({member: keepalived.has_address(answers[member][0]) for member in group.hosts})


async def carriers(world: World) -> dict[str, str | None]:
    """For each group, who carries its traffic."""
    return {name: await carrier_of(world, group) for name, group in world.fleet.groups.items()}
