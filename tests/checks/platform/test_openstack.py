"""The real client library of OpenStack, asked by the real script, about served lists of Nova and Neutron."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from seatrial.model.result import Outcome, Result

from .apis import PASSWORD, TOKEN, Openstack, agent, clouds, server, service
from .asked import asked

PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN
L3, DHCP = "neutron-l3-agent", "neutron-dhcp-agent"


async def cloud(folder: Path, api: Openstack, password: str = PASSWORD, **declared: Any) -> Result:
    with api.serving() as url:
        file = clouds(folder, url, password)
        declared = {"cloud": "test", "clouds_file": str(file), "python": sys.executable, **declared}
        return await asked({"kind": "openstack", "timeout": "60s", **declared})


@pytest.mark.parametrize(
    ("servers", "declared", "outcome", "because"),
    [
        ([server("a"), server("b")], {}, PASS, "2 servers are ACTIVE"),
        (
            [server("a"), server("b", "ERROR", fault="No valid host was found.")],
            {},
            FAIL,
            "b on compute-1 is ERROR (No valid host was found.)",
        ),
        ([server("a"), server("b", "SHUTOFF")], {"names": ["a"]}, PASS, "1 servers are ACTIVE"),
        ([server("a"), server("b", "SHUTOFF")], {"states": ["ACTIVE", "SHUTOFF"]}, PASS, "2 servers are ACTIVE or SHUTOFF"),
        ([server("a")], {"names": ["a", "z"]}, FAIL, "there is no server z"),
        ([server("a"), server("b", "SHUTOFF", host="compute-2")], {"host": "compute-1"}, PASS, "1 servers are ACTIVE"),
        (
            [server("a"), server("b", host="compute-2")],
            {"host": "compute-2.example.org", "least": 2},
            FAIL,
            "there are 1 servers, at least 2 are wanted",
        ),
        ([], {}, UNKNOWN, "cloud test lists no servers"),
        ([], {"least": 0}, PASS, "0 servers are ACTIVE"),
    ],
    ids=str,
)  # fmt: skip
async def test_servers_are_judged_by_their_state(
    tmp_path: Path, servers: list[dict[str, Any]], declared: dict[str, Any], outcome: Outcome, because: str
) -> None:
    result = await cloud(tmp_path, Openstack(servers=tuple(servers)), ask="servers", **declared)
    assert (result.outcome, result.because) == (outcome, because)


AGENTS = (
    agent(L3, "gw-1"),
    agent(L3, "gw-2", alive=False),
    agent(DHCP, "gw-1"),
    agent(DHCP, "gw-3", alive=False, up=False),
)
SERVICES = (
    service("nova-compute", "compute-1"),
    service("nova-compute", "compute-2", "down"),
    service("nova-compute", "compute-3", "down", "disabled"),
    service("nova-scheduler", "control-1"),
)


@pytest.mark.parametrize(
    ("ask", "declared", "outcome", "because"),
    [
        ("agents", {}, FAIL, f"{L3} on gw-2 is dead (last heard of at 2026-01-01 00:00:00); switched off: {DHCP} on gw-3"),
        ("agents", {"host": "gw-1"}, PASS, "2 agents are alive"),
        ("agents", {"binary": DHCP}, PASS, f"1 agents are alive; switched off: {DHCP} on gw-3"),
        ("agents", {"binary": "neutron-other"}, FAIL, "there are 0 agents, at least 1 are wanted"),
        ("services", {}, FAIL, "nova-compute on compute-2 is down; switched off: nova-compute on compute-3"),
        ("services", {"binary": "nova-scheduler"}, PASS, "1 services are up"),
    ],
    ids=str,
)  # fmt: skip
async def test_agents_and_services_are_judged_by_whether_they_live(
    tmp_path: Path, ask: str, declared: dict[str, Any], outcome: Outcome, because: str
) -> None:
    api = Openstack(agents=AGENTS, services=SERVICES)
    result = await cloud(tmp_path, api, ask=ask, **declared)
    assert (result.outcome, result.because) == (outcome, because)


async def test_a_long_list_comes_in_pages_and_all_of_them_count(tmp_path: Path) -> None:
    servers = tuple(server(f"s{number}") for number in range(25))
    result = await cloud(tmp_path, Openstack(servers=servers, page=10), ask="servers", all_projects=True)
    assert (result.outcome, result.evidence["listed"]) == (PASS, 25)


async def test_all_projects_is_asked_for_only_where_it_is_wanted(tmp_path: Path) -> None:
    for wanted in (False, True):
        api = Openstack(servers=(server("a"),))
        await cloud(tmp_path, api, ask="servers", all_projects=wanted)
        assert any("all_tenants" in path or "all_projects" in path for path in api.asked) is wanted


async def test_who_may_not_ask_is_told_so_and_no_password_is_shown(tmp_path: Path) -> None:
    refused = await cloud(tmp_path, Openstack(services=SERVICES, allowed=False), ask="services")
    assert (refused.outcome, "Policy doesn't allow" in refused.because) == (UNKNOWN, True)
    assert "may not ask" in refused.hint
    wrong = await cloud(tmp_path, Openstack(), password="wrong-word", ask="servers")
    assert (wrong.outcome, "requires authentication" in wrong.because) == (UNKNOWN, True)
    for secret in (PASSWORD, "wrong-word", TOKEN):
        assert secret not in str(refused) + str(wrong)


async def test_what_cannot_be_asked_is_unknown_and_says_what_to_do(tmp_path: Path) -> None:
    nobody = await cloud(tmp_path, Openstack(), cloud="no-such", ask="servers")
    assert (nobody.outcome, "no-such" in nobody.because) == (UNKNOWN, True)
    assert nobody.hint == "look at the configuration on here"
    file = clouds(tmp_path, "http://127.0.0.1:9")
    gone = await asked(
        {"kind": "openstack", "cloud": "test", "ask": "agents", "clouds_file": str(file),
         "python": sys.executable, "timeout": "60s"}
    )  # fmt: skip
    assert (gone.outcome, bool(gone.hint)) == (UNKNOWN, True)


async def test_a_python_without_the_library_says_which_package_has_it(tmp_path: Path) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S -I "$@"\n')
    bare.chmod(0o755)
    result = await asked(
        {"kind": "openstack", "cloud": "test", "ask": "agents", "python": str(bare), "timeout": "60s"}
    )
    assert (result.outcome, result.because) == (UNKNOWN, "here has no Python library openstack")
    assert result.hint.startswith("apt install python3-openstacksdk")
