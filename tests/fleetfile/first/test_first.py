"""A first fleet file from other tools' files: what is read, what is guessed, and that whatever comes out loads."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seatrial.errors import InputError
from seatrial.fleetfile import parse
from seatrial.fleetfile.first import Drafted, Found, Machine, guess, ssh_config_of, written
from seatrial.fleetfile.first.ansible import from_ansible
from seatrial.model.fleet import Fleet

INI = """\
; hosts of two stages
[gateways]
gw1 ansible_host=192.0.2.11   # the first
gw2 ansible_host=192.0.2.12 ansible_port=2222 ansible_user='admin'
[gateways_staging]
gw-test1 ansible_host=192.0.2.9
[web]
web[01:20].example.org
old.example.org:2200
[prod:children]
gateways
web
[web:vars]
ansible_user = www
"""
YAML = """\
all:
  vars: {ansible_user: root}
  children:
    prod:
      children:
        gateways:
          hosts:
            gw1: {ansible_host: 192.0.2.11}
            gw[2:3]:
          vars: {ansible_user: gateway}
    staging:
      hosts: {gw9: {ansible_port: 22}, templated: {ansible_host: '{{ ip }}'}, here: {ansible_connection: local}}
"""
LISTED = {
    "_meta": {
        "hostvars": {
            "gw1": {"ansible_host": "192.0.2.11", "ansible_port": 2222},
            "gw2": {"ansible_host": "2001:db8::2"},
        }
    },
    "all": {"children": ["ungrouped", "gateways"]},
    "gateways": {"hosts": ["gw1", "gw2"]},
}


def inventory(text: str, **groups: str) -> Drafted:
    return guess(from_ansible({"hosts": text}, of_groups=groups, of_hosts={}, name="hosts"))


def loaded(draft: Drafted, ssh_config: str | None = "/etc/fleet.ssh_config") -> Fleet:
    return parse(written(draft, made_from="hosts", ssh_config=ssh_config), filename="fleet.yaml")


def test_an_ini_inventory_gives_hosts_stages_roles_and_peers() -> None:
    draft = inventory(INI)
    fleet = loaded(draft)
    assert [stage.name for stage in fleet.stages] == ["staging", "production"]
    assert fleet.hosts_in("staging") == ("gw-test1",)
    assert len(fleet.hosts) == 24
    assert {host: fleet.hosts[host].roles for host in ("gw1", "gw-test1", "web01.example.org")} == {
        "gw1": ("gateways",),
        "gw-test1": ("gateways",),
        "web01.example.org": ("web",),
    }
    assert {name: group.hosts for name, group in fleet.groups.items()} == {"gw": ("gw1", "gw2")}
    assert fleet.hosts["gw1"].reach.ssh == "192.0.2.11"
    config = ssh_config_of(draft, made_from="hosts")
    assert config is not None
    assert "Host gw2\n  HostName 192.0.2.12\n  User admin\n  Port 2222\n" in config
    assert "Host old.example.org\n  HostName old.example.org\n  User www\n  Port 2200\n" in config
    assert any("20 of a kind" in one.what for one in draft.guesses)


def test_a_yaml_inventory_is_read_with_its_children_and_what_cannot_be_used_is_said() -> None:
    draft = inventory(YAML, prod="ansible_port: 2022\n")
    fleet = loaded(draft)
    assert set(fleet.hosts) == {"gw1", "gw2", "gw3", "gw9", "templated"}
    machines = {host.name: host.machine for host in draft.hosts}
    assert (machines["gw1"].user, machines["gw1"].port, machines["gw9"].user) == ("gateway", 2022, "root")
    assert {left.what for left in draft.left} == {"templated.ansible_host", "here"}
    assert [stage.name for stage in fleet.stages] == ["staging", "production"]


def test_what_ansible_inventory_prints_is_read() -> None:
    draft = inventory(json.dumps(LISTED))
    fleet = loaded(draft)
    assert (fleet.hosts["gw2"].reach.ssh, fleet.hosts["gw1"].reach.ssh) == ("2001:db8::2", "gw1")
    assert fleet.hosts["gw1"].reach.ssh_config == "/etc/fleet.ssh_config"


@pytest.mark.parametrize(
    ("names", "stages", "groups"),
    [
        (("gw-s1", "gw-p1", "gw-p2"), {"staging", "production"}, {"gw-p": ("gw-p1", "gw-p2")}),
        (("db-a", "db-b"), {"production"}, {"db": ("db-a", "db-b")}),
        (("gw1.test.example.org", "gw2.test.example.org", "gw1"), {"staging", "production"}, None),
        (("gw", "gw1", "gw2"), {"production"}, {"gw-peers": ("gw1", "gw2")}),
        (("192.0.2.1", "192.0.2.2", "2001:db8::1"), {"production"}, {}),
        (("web1", "web2", "web3", "web4", "web5", "web6"), {"production"}, {}),
    ],
)
def test_names_say_stages_and_peers(
    names: tuple[str, ...], stages: set[str], groups: dict[str, tuple[str, ...]] | None
) -> None:
    draft = guess(Found(machines=[Machine(name=name, where="x") for name in names]))
    fleet = loaded(draft)
    assert {stage.name for stage in fleet.stages} == stages
    if groups is not None:
        assert {name: group.hosts for name, group in fleet.groups.items()} == groups


def test_what_nobody_but_a_person_knows_is_asked_for_in_the_file() -> None:
    draft = inventory(INI)
    text = written(draft, made_from="hosts", ssh_config=None)
    for still in draft.still:
        assert f"#   - {still}" in text
    assert draft.still[0].startswith("flows: ")


@pytest.mark.parametrize(
    "name",
    [
        "a b",
        "-oProxyCommand=touch x",
        "x\ny: z",
        "$(reboot)",
        "gw;reboot",
        "гв1",
        "all",
        "default",
        "x" * 64,
        "\u2028",
        "a: b",
        "",
    ],
)
def test_hostile_and_impossible_names_are_left_out_with_the_reason(name: str) -> None:
    found = Found(machines=[Machine(name="gw1", where="hosts:1"), Machine(name=name, where="hosts:2")])
    draft = guess(found)
    assert [host.name for host in draft.hosts] == ["gw1"]
    assert [left.what for left in draft.left] == [name]
    assert set(loaded(draft).hosts) == {"gw1"}


@pytest.mark.parametrize(
    "name", ["no", "on", "1e3", "0x1f", "123", "1_0", "12-30", "2001-01-01", "null", "y", "0o7"]
)
def test_names_that_yaml_would_take_for_something_else_are_quoted(name: str) -> None:
    assert set(loaded(guess(Found(machines=[Machine(name=name, where="x")]))).hosts) == {name}


def test_one_machine_under_two_names_is_one_host() -> None:
    draft = inventory("gw1 ansible_host=192.0.2.1\nold ansible_host=192.0.2.1\n")
    assert [host.name for host in draft.hosts] == ["gw1"]
    assert draft.left[0].why == "leads to the same machine as gw1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "begins as JSON"),
        ("[]", "no machine"),
        ("", "no machine"),
        ("[all:vars]\nx=1\n", "no machine"),
        ("web[0:99999999]", "more than 10,000"),
        ("[" * 5000, "no machine"),
    ],
)
def test_what_is_no_inventory_is_one_error(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        inventory(text)


WORDS = st.text(max_size=12) | st.sampled_from(
    [
        "gw1",
        "gw2",
        "gw-a",
        "gw-b",
        "gw",
        "all",
        "no",
        "staging",
        "web[1:3]",
        "here",
        "192.0.2.1",
        "::1",
        "a" * 63,
        "a" * 50 + "1",
    ]
)
SETTINGS = st.dictionaries(
    st.sampled_from(
        ["ansible_host", "ansible_user", "ansible_port", "ansible_connection", "ansible_ssh_private_key_file"]
    ),
    WORDS | st.integers(-5, 70000) | st.none() | st.booleans() | st.lists(WORDS, max_size=2),
)
GROUPS = st.dictionaries(
    WORDS,
    st.fixed_dictionaries(
        {},
        optional={
            "hosts": st.lists(WORDS, max_size=6) | st.dictionaries(WORDS, SETTINGS, max_size=4),
            "children": st.lists(WORDS, max_size=3),
            "vars": SETTINGS,
        },
    )
    | st.lists(WORDS, max_size=5),
    max_size=6,
)


def loads(text: str) -> None:
    """Either one error for people, or a file that loads."""
    try:
        draft = inventory(text)
    except InputError as error:
        assert error.hint
        return
    fleet = loaded(draft)
    assert len(fleet.hosts) == len(draft.hosts)
    config = ssh_config_of(draft, made_from="hosts") or ""
    assert all(
        line.split()[0] in ("#", "Host", "HostName", "User", "Port", "IdentityFile", "Include")
        for line in config.splitlines()
        if line
    )


@given(GROUPS, st.dictionaries(WORDS, SETTINGS, max_size=4))
@example({"g": ["here", "gw"]}, {"gw": {"ansible_user": "a b"}})
def test_any_listed_inventory_gives_a_file_that_loads(
    groups: dict[str, Any], hostvars: dict[str, Any]
) -> None:
    loads(json.dumps({**groups, "_meta": {"hostvars": hostvars}}))


@given(
    st.lists(
        st.builds(lambda host, user: f"{host} ansible_user={user} ansible_host={user}", WORDS, WORDS)
        | st.sampled_from(["[gw]", "[staging]", "[gw:children]", "[gw:vars]", "ansible_user=x", "[x:y]"])
        | st.text(max_size=30),
        max_size=12,
    )
)
def test_any_lines_give_a_file_that_loads(lines: list[str]) -> None:
    loads("\n".join(lines))


@given(st.lists(st.builds(Machine, name=WORDS, where=WORDS, address=WORDS, user=WORDS, identity=WORDS, through=WORDS,
                          config=st.just(""), port=st.none() | st.integers(-1, 70000), groups=st.lists(WORDS, max_size=3).map(tuple)), max_size=8))  # fmt: skip
def test_any_machines_give_a_file_that_loads(machines: list[Machine]) -> None:
    try:
        draft = guess(Found(name="any", machines=machines))
    except InputError:
        return
    assert len(loaded(draft).hosts) == len(draft.hosts)
