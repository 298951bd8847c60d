"""The programs around a lab's hosts, without the hosts: real servers under a real warden, stopped, hung and mended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from seatrial.errors import LabError
from seatrial.fleetfile import parse
from seatrial.lab import plan
from seatrial.lab.accel import Accelerator
from seatrial.lab.faults import FAULTS, SERVICES, Kept
from seatrial.lab.fleet import fleet_text
from seatrial.lab.gateway import gateway_topology, services_topology
from seatrial.lab.image import Kernels
from seatrial.lab.lab import Lab
from seatrial.lab.places import lab_home
from seatrial.lab.topology import Endpoint, Program, Topology
from seatrial.model.result import Outcome, Result
from seatrial.perform.asking import ask_checks
from seatrial.perform.world import open_world

ASKED = ("p-dns", "p-http", "p-ldap", "p-nfs", "p-tls")
OF_SERVICES = {"dns-down": "p-dns", "ldap-down": "p-ldap", "nfs-hung": "p-nfs", "wrong-certificate": "p-tls"}
LIMIT = 120
SOURCE = Path(__file__).parents[2] / "src"


def without_hosts() -> Topology:
    """The topology with services, and nothing to boot."""
    return replace(services_topology(), hosts=())


async def warden_of(home: Path, topology: Topology) -> Lab:
    """A lab whose warden has begun; it ends with this process."""
    told = plan.LabPlan(
        name="programs",
        topology=topology,
        accelerator=Accelerator(accel="tcg", cpu="max", because=""),
        kernels=Kernels(good="", candidate=""),
        root_uuid="",
        owner_pid=os.getpid(),
    )
    (home / "www").mkdir(parents=True)
    (home / "www" / "index.html").write_text("seatrial\n")
    plan.write_plan(home, told)
    lab = Lab(home, told)
    await lab._start_warden()
    return lab


@pytest.fixture
async def lab(short_home: None) -> AsyncIterator[Lab]:
    """All services of the endpoint, in namespaces of their own."""
    up = await warden_of(lab_home("programs"), without_hosts())
    yield up
    await up.down()


def told(*argv: str) -> tuple[int, str, str]:
    """What `seatrial lab fault ...` exits with and says."""
    ended = subprocess.run(
        [sys.executable, "-m", "seatrial", "lab", "fault", *argv],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    return ended.returncode, ended.stdout, ended.stderr


async def asked(lab: Lab) -> dict[str, Result]:
    """What the checks of the services say, from a place that is beside them: no gateway is between."""
    said = lab.status()

    def reach(place: str) -> dict[str, object]:
        if place not in said.endpoints:
            return {"ssh": place}
        where = said.endpoints[place]
        return {"netns": where.netns, **({"userns": where.userns} if where.userns else {})}

    fleet = parse(fleet_text(services_topology(), reach, home=str(lab.home)), filename="the lab's fleet")
    checks = {name: fleet.checks[name].model_copy(update={"source_vantage": "p-outside"}) for name in ASKED}
    world = open_world(fleet.model_copy(update={"checks": checks}))
    try:
        return {one.check: one for one in await ask_checks(world, ASKED)}
    finally:
        await world.close()


async def until(lab: Lab, wrong: set[str]) -> dict[str, Result]:
    """Ask until exactly these checks fail and all others pass: a server that was started may need a moment."""
    for _ in range(LIMIT):
        results = await asked(lab)
        failing = {name for name, one in results.items() if one.outcome is Outcome.FAIL}
        if failing == wrong and all(one.outcome is not Outcome.UNKNOWN for one in results.values()):
            return results
    raise AssertionError({name: one.because for name, one in results.items()})


async def test_each_service_answers_fails_alone_with_its_fault_and_is_mended(lab: Lab) -> None:
    await until(lab, set())
    for name, check in OF_SERVICES.items():
        await lab.do(FAULTS[name].put)
        results = await until(lab, {check})
        assert results[check].because
        await lab.do(FAULTS[name].off)
        await until(lab, set())
    assert lab.status().problem == ""


async def test_the_verb_puts_a_fault_and_takes_it_off_again(lab: Lab) -> None:
    code, said, _ = told("dns-down", "--lab", "programs")
    assert (code, said) == (0, f"dns-down: {FAULTS['dns-down'].says}\n")
    assert lab.fault == "dns-down"
    code, said, _ = told("ldap-down", "--lab", "programs", "--json")
    assert json.loads(said) == {"lab": "programs", "fault": "ldap-down", "before": "dns-down"}
    await until(lab, {"p-ldap"})
    assert told("off", "--lab", "programs")[:2] == (0, "ldap-down is taken off\n")
    assert told("off", "--lab", "programs")[:2] == (0, "there was no fault\n")
    await until(lab, set())


def test_the_verb_lists_every_fault_and_says_what_is_wrong_with_another_name(short_home: None) -> None:
    code, said, _ = told()
    assert code == 0
    assert [line.split()[0] for line in said.splitlines()] == list(FAULTS)
    assert {one["name"] for one in json.loads(told("list", "--json")[1])["faults"]} == set(FAULTS)
    code, _, wrong = told("dns-dwon")
    assert code == 2 and "there is no fault 'dns-dwon'" in wrong and "dns-down" in wrong
    code, _, wrong = told("dns-down", "--lab", "nobody")
    assert code == 4 and "no lab nobody is up here" in wrong


async def test_a_lab_without_the_services_is_left_alone_and_the_right_one_is_named(short_home: None) -> None:
    lab = await warden_of(lab_home("plain"), replace(gateway_topology(), hosts=()))
    try:
        with pytest.raises(LabError, match="has not all of the services") as raised:
            await lab.put("dns-down")
        assert "gateway-services" in (raised.value.hint or "")
        assert lab.fault is None
        assert f"{SERVICES}-dns" in lab.status().programs
    finally:
        await lab.down()


async def test_a_program_that_ends_by_itself_is_trouble_and_one_that_was_stopped_is_not(lab: Lab) -> None:
    await lab.do([Kept(program=f"{SERVICES}-dns", state="stopped")])
    assert lab.status().problem == ""
    assert f"{SERVICES}-dns" not in lab.status().programs
    os.kill(lab.status().programs[f"{SERVICES}-ldap"], 9)
    while not lab.status().problem:
        await lab.do([Kept(program=f"{SERVICES}-dns", state="running")])
    assert "p-services-ldap ended with" in lab.status().problem
    assert "slapd" in lab.status().hint


@pytest.mark.parametrize(
    ("program", "says"),
    [
        (Program(name="x", argv=("true",), before=(("false",),), package="thing"), "false ended with 1"),
        (
            Program(name="x", argv=("true",), before=(("no-such-program",),), package="thing"),
            "no-such-program",
        ),
    ],
)
async def test_a_program_that_cannot_be_made_ready_fails_the_lab_with_its_package(
    program: Program, says: str
) -> None:
    topology = Topology(
        name="one", segments=(), hosts=(), endpoints=(Endpoint(name="e", role="e", stage="s", nics=(), programs=(program,)),)
    )  # fmt: skip
    with TemporaryDirectory(prefix="st-", dir="/tmp") as folder:
        with pytest.raises(LabError, match=says) as raised:
            await warden_of(Path(folder) / "lab", topology)
        assert "apt install thing" in (raised.value.hint or "")
