"""The promise on real kernels: controllers that are killed, a host that nobody can reach, a kernel that panics.

One gateway in staging is booted for all of them. The controllers are the command line's own, in processes of their
own, and they are killed with SIGKILL; what the hosts do is asked over SSH and read from the journal.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from seatrial.boot.grub import Grub
from seatrial.cli.lab import lab_fleet
from seatrial.clock import SystemClock, monotonic
from seatrial.engine import controller
from seatrial.fleetfile import parse
from seatrial.journal.store import Journal
from seatrial.lab.lab import Lab
from seatrial.lab.scenario import Scenario
from seatrial.model.fold import RolloutState
from seatrial.model.hostfacts import Sight
from seatrial.model.trial import FINAL, State
from seatrial.perform.look import sight_of
from seatrial.perform.world import open_world

pytestmark = [pytest.mark.lab, pytest.mark.promise]

HOST = "gw-s1"
SOURCE = Path(__file__).parents[2] / "src"
# Limits for giving up on a machine that is slow and busy; none of them is an expectation.
LONG = 1800.0
GUARD = 60.0


@pytest.fixture(scope="module")
def staging() -> Iterator[Lab]:
    with TemporaryDirectory(prefix="st-", dir="/tmp") as home, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", home)
        up = asyncio.run(
            Lab.up(
                "promise", "gateway-staging", progress=lambda step, part: print(step), owner_pid=os.getpid()
            )
        )
        yield up
        asyncio.run(up.down())


class Story:
    """One rollout on the staging gateway, with its journal and its controllers."""

    def __init__(self, lab: Lab, folder: Path, scenario: Scenario, *, guard: str) -> None:
        self.lab = lab
        self.url = f"sqlite:///{folder / 'journal.db'}"
        self.fleet = folder / "fleet.yaml"
        self.fleet.write_text(lab_fleet(lab, guard=guard), encoding="utf-8")
        self.journal = Journal(self.url)
        self.log = folder / "controllers.log"
        asyncio.run(lab.apply(scenario, progress=lambda step, part: print(step)))

    def controller(self, *verb: str) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-m", "seatrial", "rollout", *verb, "--database", self.url]
        environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
        with self.log.open("ab") as log:
            return subprocess.Popen(argv, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def start(self) -> subprocess.Popen[bytes]:
        return self.controller("start", self.lab.kernels.candidate, "--fleet", str(self.fleet))

    def state(self) -> RolloutState:
        return controller.state_of(self.journal, "r1")

    def trial(self) -> State:
        return (
            self.state().trials[HOST].state
            if self.journal.rollouts() and self.journal.read("r1")
            else State.PLANNED
        )

    def kill_at(
        self, process: subprocess.Popen[bytes], state: State, number: signal.Signals = signal.SIGKILL
    ) -> int:
        """Signal the controller as soon as the journal says that the trial is in `state`; its exit status."""
        try:
            began = monotonic()
            while self.trial() is not state:
                assert process.poll() is None, self.log.read_text()
                assert self.trial() not in FINAL, self.log.read_text()
                assert monotonic() - began < LONG
                asyncio.run(SystemClock().sleep(0.05))
            process.send_signal(number)
            return process.wait(LONG)
        finally:
            process.kill()
            process.wait()

    def finish(self) -> RolloutState:
        resumed = self.controller("resume", "r1")
        try:
            resumed.wait(LONG)
        finally:
            resumed.kill()
            resumed.wait()
        return self.state()

    def look(self) -> Sight | None:
        async def once() -> Sight | None:
            world = open_world(parse(self.fleet.read_text(), filename="fleet"))
            try:
                return await sight_of(world, HOST, whole=True)
            finally:
                await world.close()

        return asyncio.run(once())

    def until_back(self, boot_id: str) -> Sight:
        """Wait until the host runs another boot and the good kernel, doing nothing but asking."""
        began = monotonic()
        while monotonic() - began < LONG:
            sight = self.look()
            if sight and sight.boot.boot_id != boot_id and sight.boot.running == self.lab.kernels.good:
                return sight
            asyncio.run(SystemClock().sleep(2))
        raise AssertionError(f"{HOST} did not come back: {self.lab.console(HOST)[-20:]}")


def is_well(story: Story) -> None:
    sight = story.look()
    assert sight is not None
    good, candidate = story.lab.kernels.good, story.lab.kernels.candidate
    assert (sight.boot.running, sight.boot.default, sight.boot.next) == (good, good, None)
    assert sight.guard.phase == "reverted"
    assert {str(r.outcome) for r in Grub().refusals(sight.boot, good, candidate)} == {"pass"}


def test_a_controller_killed_at_three_points_ends_where_it_would_have_ended(
    staging: Lab, tmp_path: Path
) -> None:
    story = Story(staging, tmp_path, Scenario.GATEWAY_2021, guard="10m")
    boots = len(staging.boot_timings(HOST))
    story.kill_at(story.start(), State.ARMED)
    story.kill_at(story.controller("resume", "r1"), State.REBOOTING)
    story.kill_at(story.controller("resume", "r1"), State.ON_TRIAL)
    # And once as a person does it, who is told how to go on.
    assert story.kill_at(story.controller("resume", "r1"), State.REVERTING, signal.SIGINT) == 130
    assert "seatrial rollout resume r1" in story.log.read_text()
    ended = story.finish()
    assert ended.outcome == "reverted", story.log.read_text()
    trial = ended.trials[HOST]
    assert trial.facts["cause"] == "failed"
    assert "translated flows are lost at gw-s1" in trial.cause
    assert trial.rounds["proof"].outcome == "pass"
    # Once into the candidate and once back: no reboot was asked for twice.
    assert len(staging.boot_timings(HOST)) == boots + 2
    is_well(story)


@pytest.mark.parametrize("scenario", [Scenario.DEAD_NETWORK, Scenario.PANIC])
def test_the_guard_brings_a_host_back_with_the_controller_dead(
    staging: Lab, tmp_path: Path, scenario: Scenario
) -> None:
    story = Story(staging, tmp_path, scenario, guard=f"{GUARD:.0f}s")
    before = story.look()
    assert before is not None
    story.kill_at(story.start(), State.REBOOTING)
    back = story.until_back(before.boot.boot_id)
    assert back.guard.phase == "reverted", back.guard
    if scenario is Scenario.DEAD_NETWORK:
        # By the host's own clock the candidate lived until its deadline, and not much longer.
        assert 0 < back.guard.heartbeat <= GUARD + 30, back.guard
        assert back.guard.boots == 1
    else:
        assert back.guard.boots == 0, "the panic came before userspace"
    ended = story.finish()
    assert ended.outcome == "reverted", story.log.read_text()
    assert ended.trials[HOST].facts["cause"] == "died"
    is_well(story)
