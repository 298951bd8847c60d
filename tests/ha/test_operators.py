"""The operator's own commands: real programs on this machine, driven by the real engine, and what `where` may say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from seatrial.clock import SystemClock
from seatrial.engine import failover
from seatrial.fleetfile import load
from seatrial.ha.drivers import DRIVERS, driver_of
from seatrial.journal.store import Journal
from seatrial.model.command import Output, Trouble
from seatrial.model.failover import Ending, FailoverState
from seatrial.model.fleet import Fleet, Reach
from seatrial.perform.world import World
from seatrial.vantage.open import open_vantage
from seatrial.vantage.pool import Pool

# A load balancer that is a folder: a file for each host that is in.
LB = """#!/bin/sh
set -eu
cd "$(dirname "$0")/pool"
case $1 in
    where) ls ;;
    depool) [ ! -e ../frozen ] || { echo "the pool is frozen" >&2; exit 1; }; rm -f "./$2" ;;
    repool) : >"./$2" ;;
esac
"""


def fleet_of(lb: Path, **more: Any) -> Fleet:
    mover = {
        "driver": "command",
        "from": "lb",
        "where": [str(lb), "where"],
        "depool": [str(lb), "depool", "{host}"],
        "repool": [str(lb), "repool", "{host}"],
        **more,
    }
    host = {"stage": "production", "roles": ["web"], "reach": {"simulated": True}}
    return Fleet.model_validate_json(
        json.dumps(
            {
                "version": 1,
                "name": "webs",
                "stages": [{"name": "production"}],
                "hosts": dict.fromkeys(("web-1", "web-2", "web-3"), host),
                "vantages": {"lb": {"local": True}},
                "groups": {"web": {"hosts": ["web-1", "web-2", "web-3"], "mover": mover}},
            }
        )
    )


class Webs:
    """Three hosts behind it, a journal, and a failover of them."""

    def __init__(self, folder: Path, **more: Any) -> None:
        lb = folder / "lb"
        lb.write_text(LB)
        lb.chmod(0o755)
        (folder / "pool").mkdir()
        names = more.get("names", {})
        self.pool = folder / "pool"
        for name in ("web-1", "web-2", "web-3"):
            (self.pool / names.get(name, name)).touch()
        self.journal = Journal(f"sqlite:///{folder / 'journal.db'}")
        fleet = fleet_of(lb, **more)
        place = open_vantage("lb", Reach(local=True), Pool())
        self.world = World(fleet=fleet, places={"lb": place}, clock=SystemClock())

    def inside(self) -> list[str]:
        return sorted(path.name for path in self.pool.iterdir())

    async def move(self, **goal: str) -> FailoverState:
        name = await failover.begin(self.journal, self.world, "web", by="ada", **goal)
        return await failover.run(self.journal, self.world, name)


async def test_a_host_leaves_the_pool_and_comes_back(tmp_path: Path) -> None:
    webs = Webs(tmp_path)
    state = await webs.move(away="web-2")
    assert (state.outcome, webs.inside()) == (Ending.MOVED, ["web-1", "web-3"])
    state = await webs.move(to="web-2")
    assert (state.outcome, webs.inside()) == (Ending.MOVED, ["web-1", "web-2", "web-3"])


async def test_hosts_go_by_the_names_that_they_have_there(tmp_path: Path) -> None:
    webs = Webs(tmp_path, names={"web-1": "web-1.example.test"})
    state = await webs.move(away="web-1")
    assert (state.outcome, webs.inside()) == (Ending.MOVED, ["web-2", "web-3"])


async def test_a_pool_that_does_not_let_go_leaves_all_as_it_was_and_says_why(tmp_path: Path) -> None:
    webs = Webs(tmp_path)
    (tmp_path / "frozen").touch()
    state = await webs.move(away="web-2")
    assert state.outcome == Ending.BACK
    assert "web-2 is not shut: lb: the pool is frozen" in state.because
    assert webs.inside() == ["web-1", "web-2", "web-3"]


async def test_the_last_one_is_not_taken_out(tmp_path: Path) -> None:
    webs = Webs(tmp_path)
    for name in ("web-1", "web-3"):
        (webs.pool / name).unlink()
    state = await webs.move(away="web-2")
    assert (state.outcome, webs.inside()) == (Ending.REFUSED, ["web-2"])
    assert "web-2 is the last one" in state.because


@pytest.mark.parametrize(
    ("output", "carriers", "problem"),
    [
        ({"status": 0, "stdout": "web-1\n\n web-3 \n"}, {"web-1", "web-3"}, ""),
        ({"status": 0, "stdout": ""}, set(), ""),
        ({"status": 0, "stdout": "web-1\nweb-9\n"}, None, "says 'web-9', which is no host of the group"),
        ({"status": 0, "stdout": "\x1b[2J\n"}, None, "which is no host of the group"),
        ({"status": 0, "stdout": "web-1\n", "truncated": True}, None, "ended with status 0"),
        (
            {"status": 2, "stdout": "web-1\n", "stderr": "no\x1b[2J route\n"},
            None,
            "status 2: no\\x1b[2J route",
        ),
        (
            {"status": None, "trouble": Trouble.TIMEOUT, "problem": "no answer within 60 s"},
            None,
            "no answer within 60 s",
        ),
        (None, None, "did not answer"),
    ],
)
def test_what_where_says_is_believed_as_a_whole_or_not_at_all(
    output: dict[str, Any] | None, carriers: set[str] | None, problem: str
) -> None:
    group = fleet_of(Path("/lb")).groups["web"]
    driver = driver_of(group)
    ((place, (command,)),) = driver.look(group).items()
    answers = {place: [Output(command=command, **output)]} if output is not None else {}
    found = driver.carriers(group, answers)
    assert (None if found is None else set(found)) == carriers
    standing = driver.read(group, answers)
    assert problem in str(standing.told().get("problem", ""))
    assert str(standing.told()).isprintable()


def test_the_verb_takes_one_of_several_out_by_its_name(tmp_path: Path) -> None:
    webs = Webs(tmp_path)
    declared = webs.world.fleet.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True)
    for host in declared["hosts"].values():
        host["reach"] = {"ssh": "nowhere.invalid"}
    for number, host in enumerate(declared["hosts"].values()):
        host["reach"]["ssh"] += str(number)
    (tmp_path / "fleet.yaml").write_text(json.dumps(declared))
    words = ["failover", "web", "--away", "web-2", "-f", str(tmp_path / "fleet.yaml")]
    done = subprocess.run(
        [sys.executable, "-m", "seatrial", *words, "--database", f"sqlite:///{tmp_path / 'other.db'}"],
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, webs.inside()) == (0, ["web-1", "web-3"]), done.stdout + done.stderr


def test_the_example_of_every_driver_is_right() -> None:
    fleet = load(Path(__file__).parents[2] / "examples" / "movers" / "fleet.yaml")
    drivers = {driver_of(group).name for group in fleet.groups.values()}
    # A pair on DRBD has a page of its own, and a group without a mover moves nothing.
    assert drivers == set(DRIVERS) - {"drbd-nfs", "none"}
