"""From a declared Reach to a Vantage, and one question to many vantages at once.

What is in: choosing the transport, and asking side by side. What is not: any transport.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from seatrial.errors import InputError
from seatrial.model.command import Bundle, Output, Trouble, Vantage
from seatrial.vantage.gate import GatedVantage
from seatrial.vantage.local import LocalVantage
from seatrial.vantage.netns import NetnsVantage
from seatrial.vantage.pool import Pool

if TYPE_CHECKING:
    from seatrial.model.fleet import Reach


def open_vantage(
    name: str, reach: Reach, pool: Pool, simulated: Mapping[str, Vantage] | None = None
) -> Vantage:
    """The Vantage that `reach` declares; nothing is connected yet.

    Raises InputError for a simulated one that the caller did not bring.
    """
    vantage = _open(name, reach, pool, simulated)
    return GatedVantage(vantage) if reach.sudo == "listed" else vantage


def _open(name: str, reach: Reach, pool: Pool, simulated: Mapping[str, Vantage] | None) -> Vantage:
    if reach.local:
        return LocalVantage(name, places=pool.places)
    if reach.netns:
        return NetnsVantage(name, netns=reach.netns, userns=reach.userns, places=pool.places)
    if reach.ssh and reach.transport == "openssh":
        from seatrial.vantage.openssh import OpensshVantage

        return OpensshVantage(name, alias=reach.ssh, ssh_config=reach.ssh_config, pool=pool)
    if reach.ssh:
        from seatrial.vantage.ssh import SshVantage

        return SshVantage(name, alias=reach.ssh, ssh_config=reach.ssh_config, board=pool.switchboard)
    if simulated is not None and name in simulated:
        return simulated[name]
    raise InputError(
        f"{name} is a simulated place, and this is not a rehearsal",
        hint="`seatrial demo --rehearse` has simulated hosts; give this one `ssh`, `local` or `netns` to ask it for real",
    )


async def ask(vantages: Mapping[str, Vantage], bundles: Sequence[Bundle]) -> dict[str, list[Output]]:
    """Send each bundle to its vantage, all at once; the Outputs by vantage, in the order of its commands.

    A vantage that is slow or dead delays no other: its own time limits end it. Several bundles for one vantage are
    sent as one. A vantage that nobody knows, or whose transport fails in a way that it should not, has Outputs
    that say so.
    """
    wanted: dict[str, list[Bundle]] = {}
    for bundle in bundles:
        wanted.setdefault(bundle.vantage, []).append(bundle)
    if len(wanted) == 1:
        # Most questions are for one host, and a task of its own for each costs as much as many an answer.
        ((name, mine),) = wanted.items()
        return {name: await _ask(vantages.get(name), name, mine)}
    answers = await asyncio.gather(*(_ask(vantages.get(name), name, mine) for name, mine in wanted.items()))
    return dict(zip(wanted, answers, strict=True))


async def _ask(vantage: Vantage | None, name: str, bundles: Sequence[Bundle]) -> list[Output]:
    commands = [command for bundle in bundles for command in bundle.commands]
    if vantage is None:
        return [
            Output(command=command, status=None, trouble=Trouble.UNREACHABLE, problem=f"nobody knows {name}")
            for command in commands
        ]
    return await vantage.run(commands)
