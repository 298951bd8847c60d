"""Suspects where hosts are at hand: a plan names what is known to be bad, a failed rollout what to look at first."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seatrial.engine import controller
from seatrial.engine.rehearsal import CANDIDATE, GOOD, rehearsal_world
from seatrial.engine.suspecting import expect
from seatrial.errors import InputError
from seatrial.model.command import Command, Output
from seatrial.model.event import Kind
from seatrial.perform.changelogs import Found
from seatrial.perform.world import World
from seatrial.report.narrate import narrate
from seatrial.vantage.simulated import SimulatedVantage
from seatrial.vantage.simulation import Fault, Simulation
from tests.engine.rehearsed import TEXT, fleet, journal

CHANGELOG = """linux (6.1.92-1) x; urgency=low

  * Revert "vrf: reset the conntrack entry"

linux (6.1.90-1) x; urgency=low

  * Bump ABI to 56
  * drm: set x
  * vrf: reset the conntrack entry
  * netfilter: nf_nat: drop y

linux (6.1.80-1) x; urgency=low

  * Bump ABI to 47
"""


class Documented(SimulatedVantage):
    """A simulated host that has the changelog of its candidate on disk."""

    def __init__(self, name: str, simulation: Simulation, text: str) -> None:
        super().__init__(name, simulation)
        self._text = text

    async def run(self, commands: Sequence[Command]) -> list[Output]:
        outputs = await super().run(commands)
        return [
            Output(command=one.command, status=0, stdout=self._text)
            if one.command.name == "kernel.changelog"
            else one
            for one in outputs
        ]


def world(folder: Path, *faults: Fault, text: str = CHANGELOG) -> World:
    simulation = Simulation.create(
        folder / "sim.json", fleet(), good=GOOD, candidate=CANDIDATE, faults=faults
    )
    made = rehearsal_world(fleet(), simulation)
    hosts = {name: Documented(name, simulation, text) for name in fleet().hosts}
    return replace(made, places={**made.places, **hosts})


def rolled_out(folder: Path, text: str = CHANGELOG) -> list[Any]:
    platform = world(folder, Fault(host="gw-s1", kind="replies-lost", kernel=CANDIDATE), text=text)
    store = journal(folder)
    controller.start(
        store,
        fleet(),
        fleet_text=TEXT,
        candidate=CANDIDATE,
        hosts=tuple(fleet().hosts),
        by="test",
        why="test",
    )
    assert asyncio.run(controller.run(store, platform, "r1")).outcome == "reverted"
    return store.read("r1")


def test_a_rollout_that_failed_says_which_patch_to_look_at_first(tmp_path: Path) -> None:
    events = rolled_out(tmp_path)
    (found,) = [event for event in events if event.kind == Kind.SUSPECTS]
    assert events[-1].kind == Kind.ROLLOUT_ENDED
    assert found.data["suspects"][0]["subject"] == "vrf: reset the conntrack entry"
    assert found.data["suspects"][0]["reverted_in"] == "6.1.92-1"
    assert found.data["examined"] == 3
    (line,) = [line for line in narrate(events, rollout="r1") if line.step == "suspects"]
    assert line.text == (
        "first of 3 patches to look at: vrf: reset the conntrack entry, taken back in 6.1.92-1 "
        "(2 more: seatrial suspects r1)"
    )


@pytest.mark.parametrize("text", ["", "no changelog at all", "linux (9.9-1) x; urgency=low\n\n  * net: a\n"])
def test_a_changelog_that_does_not_fit_ends_no_rollout_in_another_way(tmp_path: Path, text: str) -> None:
    assert [event for event in rolled_out(tmp_path, text) if event.kind == Kind.SUSPECTS] == []


def test_a_plan_names_what_was_taken_back_later_and_touches_the_fleet(tmp_path: Path) -> None:
    found = asyncio.run(expect(world(tmp_path), CANDIDATE, None))
    assert found is not None
    (known,) = found.document()["taken_back"]
    assert (known["subject"], known["reverted_in"]) == ("vrf: reset the conntrack entry", "6.1.92-1")
    assert found.newest == "6.1.92-1"
    assert found.where.startswith("gw-s1:")


def test_a_changelog_that_a_person_gives_has_to_fit(tmp_path: Path) -> None:
    given = Found(text="linux (9.9-1) x; urgency=low\n\n  * net: a\n", where="given")
    with pytest.raises(InputError, match="has no version"):
        asyncio.run(expect(world(tmp_path), CANDIDATE, given))


def test_without_a_changelog_a_plan_says_nothing_of_patches(tmp_path: Path) -> None:
    assert asyncio.run(expect(world(tmp_path, text=""), CANDIDATE, None)) is None
