"""What is asked of a kernel: a program's exit codes, and an operator's fleet in the lab. No guest is booted."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.cli.lab import topology_fleet
from seatrial.engine.bisecting.asked import CommandAsked, in_the_lab, places_of
from seatrial.engine.bisecting.guest import Guest
from seatrial.engine.bisecting.module import series
from seatrial.errors import InputError
from seatrial.fleetfile import parse
from seatrial.lab.accel import Accelerator
from seatrial.lab.gateway import staging_topology
from seatrial.lab.image import Kernels
from seatrial.lab.lab import Lab
from seatrial.lab.plan import LabPlan
from seatrial.model.fleet import Fleet
from seatrial.model.result import Outcome


@pytest.fixture
def guest(tmp_path: Path) -> Guest:
    """A guest of a lab that is not up: a program that runs here needs its name only."""
    told = LabPlan(
        name="paper",
        topology=staging_topology(),
        accelerator=Accelerator(accel="tcg", cpu="qemu64", because="paper"),
        kernels=Kernels(good="6.1.0-47-cloud-amd64", candidate="6.1.0-56-cloud-amd64"),
        root_uuid="",
    )
    return Guest(Lab(tmp_path, told), "gw-s1")


@pytest.mark.parametrize(
    ("script", "outcome", "says"),
    [
        ("exit 0", Outcome.PASS, "the test ended with 0"),
        ("echo one; echo lost 3 of 4; exit 1", Outcome.FAIL, "the test ended with 1: lost 3 of 4"),
        ("exit 127", Outcome.FAIL, "the test ended with 127"),
        ("echo no such card >&2; exit 125", Outcome.SKIP, "cannot tell (125): no such card"),
        ("exit 128", Outcome.UNKNOWN, "the test broke: it ended with 128"),
        ("kill -9 $$", Outcome.UNKNOWN, "the test broke: it ended with -9"),
        ("exec sleep 600", Outcome.UNKNOWN, "the test did not end within"),
        (
            'test "$SEATRIAL_HOST $SEATRIAL_RELEASE" = "gw-s1 6.1.0-50-cloud-amd64" && test -n "$SEATRIAL_SSH_CONFIG"',
            Outcome.PASS,
            "the test ended with 0",
        ),
    ],
)
async def test_a_program_is_read_as_git_bisect_run_reads_it(
    guest: Guest, script: str, outcome: Outcome, says: str
) -> None:
    asked = CommandAsked(argv=("sh", "-c", script), on_host=False, timeout=1.0 if "sleep" in script else 60.0)
    said = await asked.ask(guest, "6.1.0-50-cloud-amd64", login=True)
    assert (said.outcome, says in said.because) == (outcome, True), said.because


async def test_a_program_that_is_not_there_is_wrong_input_and_no_bad_kernel(guest: Guest) -> None:
    asked = CommandAsked(argv=("/no/such/program",), on_host=False, timeout=60.0)
    with pytest.raises(InputError, match="/no/such/program cannot be run"):
        await asked.ask(guest, "6.1.0-50-cloud-amd64", login=True)


async def test_nothing_is_run_on_a_host_that_lets_nobody_in(guest: Guest) -> None:
    asked = CommandAsked(argv=("false",), on_host=True, timeout=60.0)
    assert (await asked.ask(guest, "6.1.0-50-cloud-amd64", login=False)).outcome is Outcome.SKIP


def lab_fleet(reach: dict[str, object]) -> Fleet:
    return parse(topology_fleet(staging_topology(), lambda _: reach), filename="fleet")


def test_an_operators_places_are_reached_in_the_lab() -> None:
    mine, labs = lab_fleet({"ssh": "far-away"}), lab_fleet({"simulated": True})
    places = places_of(mine, ("s-private-to-outside-tcp",), ("s-dns",))
    assert places == {"s-vm-private", "s-outside"}
    moved = in_the_lab(mine, labs, places)
    assert moved.flows == mine.flows
    assert moved.vantages == labs.vantages
    assert moved.hosts["gw-s1"].reach == labs.hosts["gw-s1"].reach


def test_a_place_that_the_lab_has_not_is_named() -> None:
    with pytest.raises(InputError, match="the lab has no place gw-x9") as refused:
        in_the_lab(lab_fleet({"ssh": "a"}), lab_fleet({"simulated": True}), {"gw-x9", "s-outside"})
    assert "s-outside" in refused.value.hint


def test_patches_are_in_the_order_of_their_names_and_nothing_else_is_one(tmp_path: Path) -> None:
    for name in ("0002-b.patch", "0001-a.patch", "cover.txt", "0010-c.diff"):
        (tmp_path / name).touch()
    assert [path.name for path in series(tmp_path)] == ["0001-a.patch", "0002-b.patch", "0010-c.diff"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="has no patch"):
        series(tmp_path / "empty")
    with pytest.raises(InputError, match="cannot be read"):
        series(tmp_path / "nowhere")
