"""What else happened while a trial ran: on its host, on others of its stage, and at a real Alertmanager."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from seatrial.clock import SystemClock
from seatrial.fleetfile import parse
from seatrial.model.command import Command, Output, Trouble, Vantage
from seatrial.model.event import Kind
from seatrial.model.fleet import Policy, Reach
from seatrial.model.trialstate import TrialState
from seatrial.perform import around
from seatrial.perform.world import World
from seatrial.rollout.decide import Terms
from seatrial.vantage.open import open_vantage
from seatrial.vantage.pool import Pool
from tests.drift.said import captured, section
from tests.engine.monitored import Alertmanager

NOW = datetime.now(UTC)
LOG = "libc6:amd64 2.36-9+deb12u10 2.36-9+deb12u13\nslapd:amd64 <none> 2.5.13\nslapd:amd64 2.5.13 2.5.14\nntp:amd64 4.2 <none>"
FLEET = """
version: 1
name: window
stages: [{name: production}, {name: staging}]
hosts:
  gw-1: {stage: production, roles: [gateway], reach: {simulated: true}}
  gw-2: {stage: production, roles: [gateway], reach: {simulated: true}}
  gw-3: {stage: production, roles: [gateway], reach: {simulated: true}}
  ldap: {stage: production, roles: [directory], reach: {simulated: true}}
  away: {stage: production, roles: [directory], reach: {simulated: true}}
  test: {stage: staging, roles: [gateway], reach: {simulated: true}}
vantages:
  mon: {local: true}
rollout:
  blockers:
    pages: {kind: alerts, from: mon, url: "URL", matchers: ['severity="page"']}
"""


class Said:
    """A place that says what it is told to say, by the name of the Command; it keeps what it was asked."""

    def __init__(self, name: str, answers: Mapping[str, str]) -> None:
        self.name, self._answers = name, answers
        self.asked: list[Command] = []

    async def run(self, commands: Sequence[Command]) -> list[Output]:
        self.asked += commands
        return [self._one(command) for command in commands]

    def _one(self, command: Command) -> Output:
        if command.name in self._answers:
            return Output(command=command, status=0, stdout=self._answers[command.name])
        return Output(command=command, status=None, trouble=Trouble.UNREACHABLE, problem="no route to host")

    async def fresh(self) -> None:
        pass

    async def close(self) -> None:
        pass


def framed(**sections: str) -> str:
    told = {name.replace("_", "-"): body for name, body in sections.items()}
    parts = [
        f"@begin {name}\n" + "".join(f"|{line}\n" for line in body.splitlines()) + f"|@0\n@end {name}\n"
        for name, body in told.items()
    ]
    return "".join(parts) + "@done\n"


QUIET = framed(identity="host x", package_log="", certificate_files="")
BUSY = framed(identity="host ldap", package_log=LOG, certificate_files="/etc/ldap/server.pem")


SILENCES = """
silences:
  reboots: {kind: alertmanager, from: mon, url: "URL", matchers: ['instance="$host"', 'alertname="HostDown"']}
"""


def world(url: str = "http://127.0.0.1:9", text: str = FLEET) -> World:
    snapshot = captured("guest.facts")
    places: dict[str, Vantage] = {
        "gw-1": Said("gw-1", {"drift.snapshot": snapshot, "drift.window": QUIET}),
        "gw-2": Said("gw-2", {"drift.snapshot": snapshot, "drift.window": QUIET}),
        "gw-3": Said("gw-3", {"drift.window": QUIET}),
        "ldap": Said("ldap", {"drift.window": BUSY}),
        "away": Said("away", {}),
        "test": Said("test", {"drift.window": BUSY}),
        "mon": open_vantage("mon", Reach(local=True), Pool()),
    }
    fleet = parse(text.replace("URL", url), filename="window.yaml")
    return World(fleet=fleet, places=places, clock=SystemClock())


TERMS = Terms(trial="r1.gw-1", host="gw-1", candidate="6.2", policy=Policy(), peers=("gw-2",))
BEGUN = TrialState(host="gw-1", begun=NOW - timedelta(minutes=10))


async def begun(there: World) -> TrialState:
    events = await around.before(there, BEGUN, TERMS)
    assert {kind for kind, _ in events} == {Kind.SNAPSHOT}
    return TrialState(
        host="gw-1", begun=BEGUN.begun, snapshots={str(data["place"]): data for _, data in events}
    )


def told(events: around.Events) -> dict[str, Mapping[str, Any]]:
    assert all(kind == Kind.CHANGED for kind, _ in events)
    return {str(data["place"]): data for _, data in events}


async def test_what_was_done_on_other_hosts_of_the_stage_is_told_and_of_quiet_ones_nothing() -> None:
    there = world()
    trial = await begun(there)
    assert set(trial.snapshots) == {"gw-1", "gw-2"}
    found = told(await around.after(there, trial, TERMS))
    assert [one["sentence"] for one in found["ldap"]["changes"]] == [
        "packages: libc6 is 2.36-9+deb12u13, it was 2.36-9+deb12u10",
        "packages: slapd is new (2.5.14)",
        "packages: ntp is gone (it was 4.2)",
        "/etc/ldap/server.pem was changed",
    ]
    assert found["away"]["unread"] == "no route to host"
    assert set(found) == {"gw-1", "gw-2", "ldap", "away", "http://127.0.0.1:9"}
    asked = there.places["ldap"]
    assert isinstance(asked, Said)
    word, seconds = asked.asked[0].argv[-2:]
    assert word == "window" and int(seconds) >= 600


async def test_a_host_that_was_told_of_is_not_told_of_again() -> None:
    there = world()
    trial = await begun(there)
    found = told(await around.after(there, trial, TERMS))
    again = TrialState(host="gw-1", begun=trial.begun, snapshots=trial.snapshots, changed=found)
    assert await around.after(there, again, TERMS) == ()


async def test_a_snapshot_that_is_missing_because_its_controller_died_is_taken_by_the_next_one() -> None:
    there = world()
    trial = await begun(there)
    half = TrialState(host="gw-1", begun=trial.begun, snapshots={"gw-1": trial.snapshots["gw-1"]})
    assert [data["place"] for _, data in await around.before(there, half, TERMS)] == ["gw-2"]


async def test_a_host_that_changed_says_what() -> None:
    there = world()
    trial = await begun(there)
    after = section(captured("guest.facts"), "packages", "nginx 1.22 ii", more=True)
    there.places["gw-2"]._answers = {"drift.snapshot": after}  # type: ignore[attr-defined]
    found = told(await around.after(there, trial, TERMS))
    assert [one["sentence"] for one in found["gw-2"]["changes"]] == ["packages: nginx is new (1.22)"]


async def test_alerts_that_people_silenced_are_told_and_those_of_ours_and_of_last_week_are_not(
    tmp_path: Path,
) -> None:
    def silence(alertmanager: Alertmanager, by: str, name: str, begin: int, end: int) -> None:
        body = {
            "matchers": [{"name": "alertname", "value": name, "isRegex": False, "isEqual": True}],
            "startsAt": (NOW + timedelta(minutes=begin)).isoformat(),
            "endsAt": (NOW + timedelta(minutes=end)).isoformat(),
            "createdBy": by,
            "comment": "the disks are moved",
        }
        head = {"Content-Type": "application/json"}
        url = f"{alertmanager.url}/api/v2/silences"
        urllib.request.urlopen(
            urllib.request.Request(url, data=json.dumps(body).encode(), headers=head), timeout=60
        ).close()

    with Alertmanager(tmp_path / "alertmanager").up() as alertmanager:
        silence(alertmanager, "bob", "DiskSlow", 0, 60)
        silence(alertmanager, "bob", "Later", 30, 60)
        silence(alertmanager, "seatrial", "HostDown", 0, 60)
        there = world(alertmanager.url)
        found = told(await around.after(there, await begun(there), TERMS))
    (one,) = found[alertmanager.url]["changes"]
    assert one["sentence"].startswith('bob silenced alertname="DiskSlow" from 20')
    assert one["sentence"].endswith("(the disks are moved)")


async def test_an_alertmanager_that_is_named_for_silences_alone_is_asked_as_well() -> None:
    text = FLEET.partition("rollout:")[0] + SILENCES
    there = world(text=text)
    found = told(await around.after(there, await begun(there), TERMS))
    assert "Connection refused" in found["http://127.0.0.1:9"]["unread"]
