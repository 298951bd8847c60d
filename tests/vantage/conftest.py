"""The four ways to run a bundle, as one parametrized place; and the ground they stand on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from seatrial.model.command import Vantage
from seatrial.model.fleet import Reach
from seatrial.vantage.open import open_vantage
from seatrial.vantage.pool import Pool

from .grounds import Client, Sshd, namespace


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A vantage, and the name of the process that a Command hangs on."""

    vantage: Vantage
    hangs_on: str


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with Sshd(tmp_path_factory.mktemp("sshd") / "host").up() as started:
        yield started


@pytest.fixture(scope="session")
def holder() -> Iterator[tuple[str, str | None]]:
    with namespace() as made:
        yield made


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return Client(tmp_path)


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    pool = Pool()
    yield pool
    await pool.close()


@pytest.fixture(params=["local", "netns", "asyncssh", "openssh"])
def place(request: pytest.FixtureRequest, pool: Pool, client: Client) -> Place:
    if request.param == "local":
        return Place(vantage=open_vantage("here", Reach(local=True), pool), hangs_on="sh")
    if request.param == "netns":
        netns, userns = request.getfixturevalue("holder")
        return Place(vantage=open_vantage("inside", Reach(netns=netns, userns=userns), pool), hangs_on="sh")
    sshd = request.getfixturevalue("sshd")
    return Place(vantage=reached(sshd, client, pool, request.param), hangs_on="sshd")


@pytest.fixture(params=["asyncssh", "openssh"])
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def reached(sshd: Sshd, client: Client, pool: Pool, transport: str) -> Vantage:
    """A vantage that can log in."""
    sshd.admit(client.key)
    client.knows(sshd)
    client.host("there", sshd)
    return over(client, "there", pool, transport)


def over(client: Client, alias: str, pool: Pool, transport: str) -> Vantage:
    reach = Reach.model_validate({"ssh": alias, "ssh_config": str(client.config), "transport": transport})
    return open_vantage(alias, reach, pool)
