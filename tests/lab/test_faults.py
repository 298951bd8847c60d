"""Faults of a running platform: as values, and on real kernels and services, each named by what the platform answers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from seatrial.cli.lab import lab_fleet
from seatrial.fleetfile import parse
from seatrial.lab.faults import FAULTS, Kept, OnPlace
from seatrial.lab.fleet import fleet_text
from seatrial.lab.gateway import gateway_topology, services_topology
from seatrial.lab.lab import Lab
from seatrial.model.fleet import Fleet
from seatrial.model.observation import Diagnosis, Suspect
from seatrial.model.result import Outcome
from seatrial.perform.probe import Probed, probe
from seatrial.perform.world import World, open_world

DOCS = Path(__file__).parents[2] / "docs"
# On a busy machine an answer may come late once; a fault that stays is seen in one of so many rounds.
MOST_ROUNDS = 20


def declared() -> Fleet:
    """The fleet file of the topology with services, as it would be written for a lab."""
    text = fleet_text(services_topology(), lambda name: {"ssh": name}, home="/srv/lab")
    return parse(text, filename="the lab's fleet")


def test_there_are_twelve_faults() -> None:
    assert len(FAULTS) == 12


def test_every_fault_is_of_a_place_or_a_program_of_the_topology_and_can_be_taken_off() -> None:
    topology = services_topology()
    places = {host.name for host in topology.hosts} | {place.name for place in topology.endpoints}
    programs = {f"{place.name}-{program.name}" for place in topology.endpoints for program in place.programs}
    for fault in FAULTS.values():
        assert fault.put and fault.off and fault.named, fault.name
        for deed in (*fault.put, *fault.off):
            if isinstance(deed, OnPlace):
                assert deed.place in places, fault.name
            elif isinstance(deed, Kept):
                assert deed.program in programs, fault.name
        assert isinstance(fault.off[0], OnPlace) or fault.off[0].state == "running"  # type: ignore[union-attr]


def test_the_first_suspect_is_what_is_named_alone_or_in_its_class() -> None:
    fault = FAULTS["nat-reply"]
    wanted = fault.named[0]

    def first(*components: str, alike: tuple[tuple[str, ...], ...] = ()) -> Diagnosis:
        return Diagnosis(suspects=(Suspect(components=components, same_evidence=alike),))

    assert fault.is_named_first(first(wanted))
    assert fault.is_named_first(first("another", alike=(("third",), (wanted,))))
    assert not fault.is_named_first(first(wanted, "another"))
    assert not fault.is_named_first(first("another"))
    assert not fault.is_named_first(Diagnosis())


def test_the_page_about_the_lab_tells_every_fault_as_it_is() -> None:
    page = (DOCS / "lab.md").read_text()
    for fault in FAULTS.values():
        named = " or ".join(f"`{name}`" for name in fault.named)
        assert f"| `{fault.name}` | {fault.says} | {named} |" in page, fault.name


def test_the_fleet_with_services_is_valid_and_the_one_without_has_none_of_them() -> None:
    fleet = declared()
    assert {"p-ldap", "p-nfs", "p-tls"} <= set(fleet.checks)
    assert fleet.flows["p-outside-to-translated-tcp"].lands == "192.0.2.139"
    plain = parse(fleet_text(gateway_topology(), lambda name: {"ssh": name}), filename="the lab's fleet")
    assert {check.kind for check in plain.checks.values()} == {"dns", "http", "ping"}
    assert not any(flow.lands for flow in plain.flows.values())


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A lab of the topology with services, with the platform well at its beginning."""
    with TemporaryDirectory(prefix="st-", dir="/tmp") as home, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", home)
        up = asyncio.run(
            Lab.up(
                "faults", "gateway-services", progress=lambda step, _part: print(step), owner_pid=os.getpid()
            )
        )
        yield up
        asyncio.run(up.down())
        assert not Path(home, "seatrial").exists(), "a lab that is down leaves no file"


async def ask(world: World) -> Probed:
    """One round of all that the fleet declares."""
    policy = world.fleet.policies["gateway"]
    return await probe(
        world,
        flows=world.fleet.flows,
        checks=world.fleet.checks,
        probes=policy.probes,
        rate=policy.rate,
        max_loss=0.0,
    )


async def until_well(world: World) -> None:
    """Ask until nothing fails."""
    for _ in range(MOST_ROUNDS):
        probed = await ask(world)
        if probed.outcome is Outcome.PASS:
            return
    wrong = [f"{one.check}: {one.because}" for one in probed.results if one.outcome is not Outcome.PASS]
    raise AssertionError(f"not all is well: {wrong}")


@pytest.mark.lab
@pytest.mark.parametrize("name", FAULTS)
async def test_each_fault_is_named_first_and_leaves_no_trace(lab: Lab, name: str) -> None:
    world = open_world(parse(lab_fleet(lab), filename="the lab's fleet"))
    try:
        await until_well(world)
        await lab.put(name)
        assert lab.fault == name
        for _ in range(MOST_ROUNDS):
            probed = await ask(world)
            if probed.outcome is Outcome.FAIL and probed.explanation and probed.explanation.sentence:
                break
        else:
            raise AssertionError(f"nothing was named for {name}")
        assert FAULTS[name].is_named_first(probed.explanation.diagnosis), probed.explanation.sentence
        assert await lab.take_off() == name
        assert lab.fault is None
        await until_well(world)
    finally:
        await lab.take_off()
        await world.close()
