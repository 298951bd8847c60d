"""The real openstacksdk against a served Keystone, Nova and Neutron: disabled, migrated away, refused, turned round, enabled.

The served documents are those of the documented APIs (tests/checks/platform/apis.py); no real cloud is in reach here.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from seatrial.clock import SystemClock
from seatrial.engine import failover
from seatrial.journal.store import Journal
from seatrial.model.failover import Ending, FailoverState
from seatrial.model.fleet import Fleet, Reach
from seatrial.perform.world import World
from seatrial.vantage.open import open_vantage
from seatrial.vantage.pool import Pool
from tests.checks.platform.apis import PASSWORD, TOKEN, Openstack, agent, clouds, server, service

L3 = "neutron-l3-agent"


class Cloud(Openstack):
    """Two hypervisors. A live migration ends at the other one, unless the server is stubborn."""

    def __init__(self, *servers: dict[str, Any], stubborn: tuple[str, ...] = ()) -> None:
        super().__init__(
            servers=servers,
            services=tuple(service("nova-compute", name) for name in ("compute-1", "compute-2")),
            agents=tuple(agent(L3, name) for name in ("compute-1", "compute-2")),
        )
        self.stubborn = stubborn
        self.told: list[tuple[str, str]] = []

    def answer(
        self, method: str, path: str, words: dict[str, str], headers: Any, body: Any
    ) -> tuple[int, Any, dict[str, str]]:
        if method == "GET" and path == "/compute/v2.1/servers/detail":
            host = words.get("host")
            mine = [one for one in self.servers if host in (None, one["OS-EXT-SRV-ATTR:host"])]
            return 200, {"servers": mine}, {}
        if method == "PUT" and path.startswith("/compute/v2.1/os-services/"):
            return self.change(path.rpartition("/")[2], body)
        if method == "PUT" and path.startswith("/network/v2.0/agents/"):
            return self.switch(path.rpartition("/")[2], body["agent"])
        if method == "POST" and path.endswith("/action"):
            return self.act(path.split("/")[-2], body)
        return super().answer(method, path, words, headers, body)

    def change(self, ident: str, body: Any) -> tuple[int, Any, dict[str, str]]:
        (one,) = (each for each in self.services if each["id"] == ident or each["binary"] + "-" in ident)
        return 200, {"service": {**one, **body}}, {}

    def switch(self, ident: str, body: Any) -> tuple[int, Any, dict[str, str]]:
        (one,) = (each for each in self.agents if each["id"] == ident)
        one.update({key: body[key] for key in ("admin_state_up", "description") if key in body})
        self.told.append(("agent", one["host"]))
        return 200, {"agent": one}, {}

    def act(self, ident: str, body: Any) -> tuple[int, Any, dict[str, str]]:
        (one,) = (each for each in self.servers if each["id"] == ident)
        self.told.append(("migrate", one["name"]))
        if one["name"] in self.stubborn:
            return 400, {"badRequest": {"code": 400, "message": "No valid host was found."}}, {}
        assert "os-migrateLive" in body
        one["OS-EXT-SRV-ATTR:host"] = (
            "compute-2" if one["OS-EXT-SRV-ATTR:host"] == "compute-1" else "compute-1"
        )
        return 202, b"", {}


class Services(Cloud):
    """The same, with the way in which Nova changes a service: by its id, since 2.53."""

    def change(self, ident: str, body: Any) -> tuple[int, Any, dict[str, str]]:
        if ident in ("disable", "enable", "disable-log-reason"):
            (one,) = (each for each in self.services if each["host"] == body["host"])
            one["status"] = "enabled" if ident == "enable" else "disabled"
            one["disabled_reason"] = body.get("disabled_reason")
        else:
            (one,) = (each for each in self.services if each["id"] == ident)
            one.update({key: body[key] for key in ("status", "disabled_reason") if key in body})
            if one["status"] == "enabled":
                one["disabled_reason"] = None
        self.told.append((one["status"], one["host"]))
        return 200, {"service": one}, {}


async def moved(folder: Path, served: Cloud, *goals: dict[str, str], **mover: Any) -> list[FailoverState]:
    """Failovers one after the other, with the real engine, script and library."""
    with served.serving() as url:
        file = clouds(folder, url)
        declared = {
            "driver": "openstack",
            "from": "ops",
            "cloud": "test",
            "clouds_file": str(file),
            "python": sys.executable,
            "agents": [L3],
            **mover,
        }
        host = {"stage": "s", "roles": ["compute"], "reach": {"simulated": True}}
        fleet = Fleet.model_validate_json(
            json.dumps(
                {
                    "version": 1,
                    "name": "f",
                    "stages": [{"name": "s"}],
                    "hosts": {"compute-1": host, "compute-2": host},
                    "vantages": {"ops": {"local": True}},
                    "groups": {"cloud": {"hosts": ["compute-1", "compute-2"], "mover": declared}},
                }
            )
        )
        place = open_vantage("ops", Reach(local=True), Pool())
        world = World(fleet=fleet, places={"ops": place}, clock=SystemClock())
        journal = Journal(f"sqlite:///{folder / 'journal.db'}")
        states = []
        for goal in goals:
            name = await failover.begin(journal, world, "cloud", by="ada", **goal)
            states.append(await failover.run(journal, world, name))
        assert TOKEN not in str(journal.read()) and PASSWORD not in str(journal.read())
        return states


AWAY, BACK = {"away": "compute-1", "to": "compute-2"}, {"to": "compute-1"}


async def test_a_hypervisor_is_disabled_emptied_and_enabled_again(tmp_path: Path) -> None:
    cloud = Services(server("vm-1"), server("vm-2", "PAUSED"), server("vm-3", host="compute-2"))
    away, back = await moved(tmp_path, cloud, AWAY, BACK)
    assert away.outcome == Ending.MOVED, away
    assert {one["OS-EXT-SRV-ATTR:host"] for one in cloud.servers} == {"compute-2"}
    assert back.outcome == Ending.MOVED, back
    assert [one["status"] for one in cloud.services] == ["enabled", "enabled"]
    assert [one["admin_state_up"] for one in cloud.agents] == [True, True]
    assert cloud.told[0] == ("disabled", "compute-1"), "nothing leaves before nothing new can come"


async def test_servers_that_cannot_be_migrated_refuse_it_before_anything_is_changed(tmp_path: Path) -> None:
    cloud = Services(server("vm-1"), server("vm-2", "ERROR"))
    (state,) = await moved(tmp_path, cloud, AWAY)
    assert (state.outcome, state.because) == (
        Ending.REFUSED,
        "vm-2: it is ERROR, which is not live-migrated",
    )
    assert not cloud.told


async def test_a_server_that_no_other_host_takes_turns_it_round_and_says_what_nova_said(
    tmp_path: Path,
) -> None:
    cloud = Services(server("vm-1"), server("vm-2"), stubborn=("vm-2",))
    (state,) = await moved(tmp_path, cloud, AWAY, timeout="1s")
    assert state.outcome == Ending.BACK
    assert "still on compute-1: vm-2" in state.because
    assert "No valid host was found" in state.because
    assert [one["status"] for one in cloud.services] == ["enabled", "enabled"]


async def test_what_an_operator_has_disabled_is_not_enabled_behind_his_back(tmp_path: Path) -> None:
    cloud = Services(server("vm-1"))
    cloud.services[1].update(status="disabled", disabled_reason="disk is changed")
    (state,) = await moved(tmp_path, cloud, AWAY)
    assert (state.outcome, state.because) == (
        Ending.REFUSED,
        "compute-2 is shut by somebody else: disk is changed",
    )
    assert not cloud.told


async def test_network_hosts_have_their_agents_switched_off_and_nothing_else(tmp_path: Path) -> None:
    cloud = Services(server("vm-1"))
    away, back = await moved(tmp_path, cloud, AWAY, BACK, compute=False)
    assert (away.outcome, back.outcome) == (Ending.MOVED, Ending.MOVED)
    assert cloud.told == [("agent", "compute-1"), ("agent", "compute-1")]


@pytest.mark.parametrize("wrong", ["library", "login", "cloud"])
async def test_what_cannot_be_asked_is_unknown_and_nothing_is_changed(tmp_path: Path, wrong: str) -> None:
    cloud = Services(server("vm-1"))
    more: dict[str, Any] = {}
    if wrong == "library":
        bare = tmp_path / "python"
        bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S -I "$@"\n')
        bare.chmod(0o755)
        more["python"] = str(bare)
    elif wrong == "login":
        cloud.allowed = False
    else:
        more["cloud"] = "other"
    (state,) = await moved(tmp_path, cloud, AWAY, **more)
    assert state.outcome == Ending.REFUSED
    assert {
        "library": "ops has no Python library openstack",
        "login": "cloud test does not answer: ",
        "cloud": "cloud other does not answer: ",
    }[wrong] in state.because
    assert not cloud.told
