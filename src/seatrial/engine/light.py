"""The loops of a rollout without the durable engine: for rehearsals, which nobody has to be able to resume.

A step of the durable engine costs 2 to 7 ms, and ten thousand hosts take about two hundred thousand. The turns, their rules and
what they write are the same ones.
"""

from __future__ import annotations

import asyncio

from seatrial.engine.turns import Turns


async def run(turns: Turns) -> None:
    """Go on with the rollout until it is over. Cancelling this is the death of its controller: nothing is put in order."""
    async with asyncio.TaskGroup() as loops:
        while not (turn := await turns.rollout_turn()).get("over"):
            for host in turn["trials"]:
                loops.create_task(_trial(turns, host))


async def _trial(turns: Turns, host: str) -> None:
    while not await turns.trial_turn(host):
        pass
