"""A real Pacemaker over the lab's NFS pair: Seatrial asks it for the move and fights it nowhere, while clients write."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml

from seatrial.cli.lab import lab_fleet
from seatrial.engine import failover
from seatrial.fleetfile import parse
from seatrial.journal.store import Journal
from seatrial.lab.clients import Work
from seatrial.lab.lab import Lab
from seatrial.lab.nfspair import GROUP
from seatrial.lab.pacemaker import PacemakerPair, mover
from seatrial.model.failover import Ending, FailoverState
from seatrial.perform.world import World, open_world

pytestmark = pytest.mark.lab


def said(step: str, _part: float | None) -> None:
    """Progress, for whoever waits."""
    print(step, flush=True)


@pytest.fixture(scope="module")
def pair() -> Iterator[Lab]:
    """The pair with its cluster, which dies with the test run, whatever ends that."""
    with TemporaryDirectory(prefix="st-", dir="/tmp") as home, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", home)
        up = asyncio.run(Lab.up("clustered", "nfs-pair", progress=said, owner_pid=os.getpid()))
        try:
            asyncio.run(PacemakerPair(up).form(said))
            yield up
        finally:
            asyncio.run(up.down())


def clustered(lab: Lab) -> World:
    """The lab's fleet, whose group is the cluster's to move."""
    fleet = yaml.safe_load(lab_fleet(lab))
    fleet["groups"][GROUP]["mover"] = mover()
    return open_world(parse(yaml.safe_dump(fleet), filename="the lab's fleet"))


def test_a_cluster_moves_the_service_when_it_is_asked_to_and_its_people_are_not_overruled(
    pair: Lab, tmp_path: Path
) -> None:
    cluster = PacemakerPair(pair)
    journal = Journal(f"sqlite:///{tmp_path / 'journal.db'}")

    async def move(world: World) -> FailoverState:
        return await failover.run(
            journal, world, await failover.begin(journal, world, GROUP, by="ada", to=await cluster.standby())
        )

    async def story() -> None:
        world = clustered(pair)
        work = Work(pair, "clustered")
        await work.begin()
        for _ in range(2):
            to = await cluster.standby()
            ended = await move(world)
            assert (ended.outcome, await cluster.carrier()) == (Ending.MOVED, to), ended.because
            await work.goes_on()
            assert await work.is_refused(), "the lock was lost by the move"
        assert "cli-" not in await pair.ssh("nfs-1", ["cibadmin", "--query", "--scope", "constraints"])

        await pair.ssh("nfs-1", ["crm_attribute", "-n", "maintenance-mode", "-v", "true"])
        ended = await move(world)
        assert (ended.outcome, ended.because) == (Ending.REFUSED, "the cluster is in maintenance mode")
        await pair.ssh("nfs-1", ["crm_attribute", "-n", "maintenance-mode", "-D"])

        checked = await work.end()
        assert checked.acknowledged > 0
        assert (checked.lost, checked.broken, checked.problems) == (0, 0, ())
        await world.close()

    asyncio.run(story())
