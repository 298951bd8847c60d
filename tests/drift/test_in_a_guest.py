"""Each state is made for real on a guest, found with its fix, and found no more when the fix was run."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from seatrial.fleetfile import parse
from seatrial.lab import image
from seatrial.lab.fleet import fleet_text
from seatrial.lab.lab import TOPOLOGIES, Lab
from seatrial.model.finding import Audit
from seatrial.perform.drifting import audit
from seatrial.perform.world import open_world
from tests.drift.cases import BOOT, NETWORK, SERVICES, SETTINGS, Case

pytestmark = pytest.mark.lab

HOST, TOPOLOGY = "gw-s1", "gateway-staging"
TOGETHER = {
    "settings": SETTINGS,
    "network": NETWORK,
    "services": SERVICES,
    **{f"boot {number}": some for number, some in enumerate(BOOT, start=1)},
}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """One guest, which dies with the test run, whatever ends that."""
    # Short, because the paths of unix sockets are; the images stay in the user's own cache.
    with TemporaryDirectory(prefix="st-", dir="/tmp") as home, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", home)
        up = asyncio.run(
            Lab.up("drift", TOPOLOGY, progress=lambda step, part: print(step), owner_pid=os.getpid())
        )
        yield up
        asyncio.run(up.down())
        assert not Path(home, "seatrial").exists(), "a lab that is down leaves no file"


async def audited(lab: Lab) -> Audit:
    """The audit of the guest by the lab's own fleet file, with what that accepts."""
    text = fleet_text(
        TOPOLOGIES[TOPOLOGY](),
        lambda place: (
            {"ssh": place, "ssh_config": str(lab.ssh_config)} if place == HOST else {"simulated": True}
        ),
        checks=False,
    )
    fleet = parse(text, filename="the lab's fleet")
    # Its vantages are not asked: an audit is about hosts.
    world = open_world(fleet.model_copy(update={"vantages": {}, "flows": {}}))
    try:
        return (await audit(world, (HOST,))).audits[HOST]
    finally:
        await world.close()


def filled(lab: Lab, text: str) -> str:
    """The kernels and menu entries of this lab in a case's words."""
    base = image.cached()
    assert base is not None
    for word, value in (
        ("{candidate_release}", lab.kernels.candidate),
        ("{good_release}", lab.kernels.good),
        ("{candidate}", base.menu_id(lab.kernels.candidate)),
    ):
        text = text.replace(word, value)
    return text


def expected(lab: Lab, cases: Sequence[Case]) -> set[tuple[str, str]]:
    return {(name, filled(lab, what)) for case in cases for name, what in (case.found, *case.beside)}


async def test_a_fresh_guest_has_no_finding(lab: Lab) -> None:
    fresh = await audited(lab)
    assert [(one.name, one.because) for one in fresh.standing] == []
    assert fresh.unknown == ()
    assert [one.name for one in fresh.findings if one.accepted] == ["boot.installed"]


@pytest.mark.parametrize("together", TOGETHER)
async def test_what_was_made_is_found_and_its_fix_mends_it(lab: Lab, together: str) -> None:
    cases = TOGETHER[together]
    for case in cases:
        await lab.ssh(HOST, ["sh", "-ec", filled(lab, case.put)], timeout=600)
    broken = await audited(lab)
    assert {(one.name, one.what) for one in broken.standing} == expected(lab, cases)
    assert broken.unknown == ()
    by_name = {(one.name, one.what): one for one in broken.standing}
    for case in cases:
        name, what = case.found
        fix = case.mend or by_name[name, filled(lab, what)].fix
        await lab.ssh(HOST, ["sh", "-ec", fix], timeout=600)
    mended = await audited(lab)
    assert [(one.name, one.what, one.because) for one in mended.standing] == []


def test_there_are_thirty_cases_and_more() -> None:
    cases = [case for some in TOGETHER.values() for case in some]
    assert len({case.name for case in cases}) == len(cases) >= 40
