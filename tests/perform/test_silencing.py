"""Silences on a real Alertmanager and downtimes on a real Icinga 2: begun, given more time, ended, each of them twice."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from seatrial.model.fleet import Fleet
from seatrial.model.silence import AlertmanagerSilence
from seatrial.perform.silencing import command, silence, unsilence
from seatrial.perform.world import World, open_world
from tests.engine.monitored import Alertmanager

from .monitoring import PASSWORD, Icinga

TRIAL = "r1.gw"
HOST, SSH, FLOWS = "gw.example.org", "gw.example.org!ssh", "gw.example.org!flows"


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alertmanager]:
    with Alertmanager(tmp_path_factory.mktemp("alertmanager")).up() as made:
        yield made


@pytest.fixture(scope="module")
def icinga(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Icinga]:
    with Icinga(tmp_path_factory.mktemp("icinga")).up() as made:
        yield made


@contextlib.asynccontextmanager
async def world_of(**silences: dict[str, Any]) -> AsyncIterator[World]:
    declared = {name: {"from": "here", "timeout": "60s", **one} for name, one in silences.items()}
    hosts = {
        name: {"stage": "s", "roles": ["gateway"], "reach": {"ssh": f"{name}.invalid"}}
        for name in ("gw", "other")
    }
    fleet = {
        "version": 1,
        "name": "f",
        "stages": [{"name": "s"}],
        "hosts": hosts,
        "vantages": {"here": {"local": True}},
        "silences": declared,
    }
    world = open_world(Fleet.model_validate_json(json.dumps(fleet)))
    try:
        yield world
    finally:
        await world.close()


def pages(alertmanager: Alertmanager, **more: Any) -> dict[str, Any]:
    matchers = ["instance=~$host(:[0-9]+)?", "alertname=~HostDown|HostRebooted"]
    return {
        "kind": "alertmanager",
        "url": alertmanager.url,
        "matchers": matchers,
        "hosts": {"gw": HOST},
        **more,
    }


def downtime(icinga: Icinga, **more: Any) -> dict[str, Any]:
    login = {"user": "seatrial", "password_file": str(icinga.password_file), "ca_file": str(icinga.ca)}
    return {"kind": "icinga2", "url": icinga.url, "services": ["ssh"], "hosts": {"gw": HOST}, **login, **more}


def left(until: str) -> float:
    return (datetime.fromisoformat(until) - datetime.now(UTC)).total_seconds()


async def test_alertmanager_is_silent_about_the_host_for_the_span_only(alertmanager: Alertmanager) -> None:
    for name in ("HostDown", "GatewayLoss"):
        alertmanager.told(alertname=name, instance=f"{HOST}:9100")
    alertmanager.told(alertname="HostRebooted", instance="other:9100")
    assert alertmanager.firing() == {"HostDown", "GatewayLoss", "HostRebooted"}
    async with world_of(pages=pages(alertmanager)) as world:
        facts, problem, _ = await silence(world, "gw", TRIAL, seconds=600)
        assert problem == ""
        assert 500 < left(facts["until"]) <= 601
        (there,) = alertmanager.silences()
        assert (there["createdBy"], there["comment"]) == ("seatrial", "seatrial: r1.gw is on trial")
        assert facts["silences"] == {"pages": there["id"]}
        assert alertmanager.firing() == {"GatewayLoss", "HostRebooted"}
        # Given more time it is the same silence.
        facts, problem, _ = await silence(world, "gw", TRIAL, seconds=1800)
        assert problem == "" and 1700 < left(facts["until"]) <= 1801
        assert [one["id"] for one in alertmanager.silences()] == [there["id"]]
        assert await unsilence(world, "gw", TRIAL) == ("", "")
        assert alertmanager.silences() == []
        assert alertmanager.firing() == {"HostDown", "GatewayLoss", "HostRebooted"}
        assert await unsilence(world, "gw", TRIAL) == ("", ""), "what has ended is ended once more"


async def test_of_two_trials_and_of_people_each_ends_its_own(alertmanager: Alertmanager) -> None:
    async with world_of(pages=pages(alertmanager)) as world:
        await silence(world, "gw", "r1.gw", seconds=600)
        await silence(world, "other", "r1.other", seconds=600)
        assert len(alertmanager.silences()) == 2
        await unsilence(world, "gw", "r1.gw")
        (kept,) = alertmanager.silences()
        assert kept["comment"] == "seatrial: r1.other is on trial"
        await unsilence(world, "other", "r1.other")
        assert alertmanager.silences() == []


async def test_what_nobody_ends_has_an_end(alertmanager: Alertmanager) -> None:
    async with world_of(pages=pages(alertmanager)) as world:
        _, problem, _ = await silence(world, "gw", TRIAL, seconds=2)
        assert problem == ""
    from tests.engine.monitored import eventually

    eventually(lambda: alertmanager.silences() == [], "the silence to end by itself")


async def test_icinga_has_a_downtime_for_the_host_and_what_was_named_and_for_nothing_else(
    icinga: Icinga,
) -> None:
    async with world_of(icinga=downtime(icinga)) as world:
        facts, problem, _ = await silence(world, "gw", TRIAL, seconds=600)
        assert problem == ""
        assert 500 < left(facts["until"]) <= 601
        assert icinga.downtimes() == {HOST, SSH}
        assert (icinga.depth("hosts", HOST), icinga.depth("services", SSH)) == (1, 1)
        assert (icinga.depth("services", FLOWS), icinga.depth("hosts", "other")) == (0, 0)
        # A later one takes the place of the first.
        facts, problem, _ = await silence(world, "gw", TRIAL, seconds=1800)
        assert problem == "" and 1700 < left(facts["until"]) <= 1801
        assert (icinga.downtimes(), icinga.depth("hosts", HOST)) == ({HOST, SSH}, 1)
        assert await unsilence(world, "gw", TRIAL) == ("", "")
        assert (icinga.downtimes(), icinga.depth("hosts", HOST), icinga.depth("services", SSH)) == (
            set(),
            0,
            0,
        )
        assert await unsilence(world, "gw", TRIAL) == ("", "")


@pytest.mark.parametrize(
    ("more", "said", "hint"),
    [
        ({"hosts": {}}, "", "is called so there|are called so there"),
        ({"services": ["ssh", "nothing"]}, "1 of its services are not known there", "are called so there"),
        ({"user": "nobody"}, "Unauthorized", "look at "),
        ({"ca_file": None}, "TLS: ", "is reached from here"),
        ({"password_file": "/nowhere"}, "/nowhere: No such file or directory", "is reached from here"),
        ({"url": "https://127.0.0.1:9"}, "Connection refused", "is reached from here"),
    ],
)
async def test_what_icinga_does_not_take_is_told_with_its_reason(
    icinga: Icinga, more: dict[str, Any], said: str, hint: str
) -> None:
    async with world_of(icinga=downtime(icinga, **more)) as world:
        facts, problem, what_to_do = await silence(world, "gw", TRIAL, seconds=600)
        assert facts["until"] is None
        assert problem.startswith("icinga: ") and said in problem
        assert any(part in what_to_do for part in hint.split("|")), what_to_do
        assert PASSWORD not in problem
    async with world_of(icinga=downtime(icinga)) as world:
        assert await unsilence(world, "gw", TRIAL) == ("", "")
    assert icinga.downtimes() == set()


async def test_of_two_servers_one_that_is_away_is_a_problem_and_the_other_is_ended(
    alertmanager: Alertmanager,
) -> None:
    away = pages(alertmanager, url="http://127.0.0.1:9")
    async with world_of(pages=pages(alertmanager), away=away) as world:
        _, problem, _ = await silence(world, "gw", TRIAL, seconds=600)
        assert problem == "away: http://127.0.0.1:9: Connection refused"
        assert len(alertmanager.silences()) == 1
        problem, _ = await unsilence(world, "gw", TRIAL)
        assert problem.startswith("away: ")
        assert alertmanager.silences() == []


async def test_of_a_secret_only_the_name_of_its_file_travels(
    icinga: Icinga, alertmanager: Alertmanager, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(PASSWORD)
    token = {"token_file": str(tmp_path / "token")}
    async with world_of(icinga=downtime(icinga), pages=pages(alertmanager, **token)) as world:
        for one in world.fleet.silences_of("gw").values():
            asked = command("silence", one, "gw", TRIAL, 600)
            assert not asked.safe
            assert PASSWORD not in " ".join(asked.argv)
            assert PASSWORD.encode() not in asked.stdin
            wanted = tmp_path / "token" if isinstance(one, AlertmanagerSilence) else icinga.password_file
            assert str(wanted) in asked.argv[-1]
        facts, problem, _ = await silence(world, "gw", TRIAL, seconds=600)
        assert problem == "" and PASSWORD not in str(facts)
        assert await unsilence(world, "gw", TRIAL) == ("", "")
