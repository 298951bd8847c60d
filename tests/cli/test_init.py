"""`seatrial init` at the command line: what it reads, what it writes, and that it overwrites nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from seatrial.fleetfile.load import load
from tests.checks.platform.apis import (
    Kubernetes,
    Openstack,
    agent,
    clouds,
    kubeconfig,
    machine,
    server,
    service,
)
from tests.checks.platform.served import certificate

from .test_bad_input import ROOT

INVENTORY = (
    "[gateways]\ngw1 ansible_host=192.0.2.1 ansible_user=admin\ngw2 ansible_host=192.0.2.2\n[staging]\ngw9\n"
)
SSH = """\
Include {folder}/more.conf
Host gw1 gw1.example.org
  HostName 192.0.2.1
  User admin
  ProxyJump bastion
Host *.internal !no.internal
  User root
Host same
  HostName 192.0.2.1
Host github.com
  User git
Match exec "touch {folder}/run"
  User nobody
Host *
  ServerAliveInterval 5
"""


def seatrial(folder: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """The program, run in a folder of its own as a newcomer would."""
    return subprocess.run(
        [sys.executable, "-m", "seatrial", *argv],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT / "src"),
            "HOME": str(folder),
            "XDG_STATE_HOME": str(folder / "state"),
            # The command line's own errors are drawn in a frame as wide as the terminal.
            "COLUMNS": "200",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    yield certificate(tmp_path_factory.mktemp("tls"))


def test_an_inventory_becomes_a_fleet_file_and_an_ssh_config_beside_it(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text(INVENTORY)
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / "gateways.yml").write_text("---\nansible_port: 2222\n")
    (tmp_path / "group_vars" / "all").mkdir()
    (tmp_path / "group_vars" / "all" / "vault.yml").write_text("$ANSIBLE_VAULT;1.1;AES256\n6162\n")
    told = seatrial(tmp_path, "init", "ansible", "hosts")
    assert (told.returncode, told.stdout) == (0, ""), told.stderr
    assert "guessed   gw1 and gw2 are peers (group gw): never on trial together" in told.stderr
    assert "to say    flows: " in told.stderr
    assert "written   fleet.yaml and fleet.ssh_config: 3 hosts, 1 groups of peers" in told.stderr
    fleet = load(tmp_path / "fleet.yaml")
    assert fleet.hosts["gw1"].reach.ssh_config == str(tmp_path / "fleet.ssh_config")
    config = (tmp_path / "fleet.ssh_config").read_text()
    assert "Host gw1\n  HostName 192.0.2.1\n  User admin\n  Port 2222\n" in config

    before = (tmp_path / "fleet.yaml").read_bytes()
    again = seatrial(tmp_path, "init", "ansible", "hosts")
    assert (again.returncode, again.stdout) == (2, "")
    assert "fleet.yaml: is there already, and is not overwritten" in again.stderr
    assert "hint: name another one with --output" in again.stderr
    assert (tmp_path / "fleet.yaml").read_bytes() == before


def test_a_plan_on_what_was_written_is_a_plan_of_each_host(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("gw1 ansible_host=127.0.0.1 ansible_port=1\n")
    assert seatrial(tmp_path, "init", "ansible", "hosts").returncode == 0
    told = seatrial(tmp_path, "plan", "6.1.0-99-amd64")
    assert told.returncode == 3, told.stderr
    assert "gw1 did not say what it runs" in told.stdout
    assert seatrial(tmp_path, "check", "--plan").returncode == 0


def test_an_ssh_config_gives_its_aliases_and_nothing_is_run(tmp_path: Path) -> None:
    (tmp_path / "more.conf").write_text("Host bastion\n  HostName bastion.example.org\n")
    (tmp_path / "config").write_text(SSH.format(folder=tmp_path))
    told = seatrial(tmp_path, "init", "ssh-config", "config", "--json", "--output", "out.yaml")
    assert told.returncode == 0, told.stderr
    document = json.loads(told.stdout)
    assert (document["file"], document["hosts"]) == ("out.yaml", 2)
    assert document["text"] == (tmp_path / "out.yaml").read_text()
    assert "the way to gw1" in document["text"] and "reached through bastion" in document["text"]
    assert {left["what"]: left["why"] for left in document["left_out"]} == {
        "gw1.example.org": "is another name of gw1",
        "*.internal": "is a pattern and names no machine",
        "same": "leads to the same machine as gw1",
        "github.com": "is a place for git and no machine of a fleet",
    }
    fleet = load(tmp_path / "out.yaml")
    assert (fleet.hosts["gw1"].reach.ssh, fleet.hosts["gw1"].reach.ssh_config) == (
        "gw1",
        str(tmp_path / "config"),
    )
    assert not (tmp_path / "run").exists()


def test_standard_output_has_the_file_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text(INVENTORY)
    told = seatrial(tmp_path, "init", "ansible", "hosts", "--output", "-")
    assert told.returncode == 0
    (tmp_path / "again.yaml").write_text(told.stdout)
    assert set(load(tmp_path / "again.yaml").hosts) == {"gw1", "gw2", "gw9"}
    assert "#   User admin" in told.stdout
    assert not (tmp_path / "fleet.yaml").exists()


def test_a_cluster_is_asked_for_its_machines(tmp_path: Path, tls: tuple[Path, Path]) -> None:
    first = machine("cp1")
    first["metadata"]["labels"]["node-role.kubernetes.io/control-plane"] = ""
    first["status"]["addresses"] = [
        {"type": "Hostname", "address": "cp1"},
        {"type": "InternalIP", "address": "192.0.2.5"},
    ]
    with Kubernetes(first, machine("w1"), machine("w2")).serving(tls) as url:
        file = kubeconfig(tmp_path, url, tls[0])
        told = seatrial(tmp_path, "init", "kubernetes", str(file))
    assert told.returncode == 0, told.stderr
    assert "asked     3 machines of the cluster" in told.stderr
    fleet = load(tmp_path / "fleet.yaml")
    assert {name: (host.roles, host.reach.ssh) for name, host in fleet.hosts.items()} == {
        "cp1": (("control-plane",), "192.0.2.5"),
        "w1": (("worker",), "w1"),
        "w2": (("worker",), "w2"),
    }
    assert "token-of-the-test" not in (tmp_path / "fleet.yaml").read_text() + told.stderr


def test_a_cluster_that_does_not_answer_is_read_from_its_file(tmp_path: Path, tls: tuple[Path, Path]) -> None:
    file = kubeconfig(tmp_path, "https://127.0.0.2:1", tls[0])
    told = seatrial(tmp_path, "init", "kubernetes", str(file))
    assert told.returncode == 0, told.stderr
    assert "no list: " in told.stderr and "only what" in told.stderr
    host = load(tmp_path / "fleet.yaml").hosts["127.0.0.2"]
    assert (host.roles, host.reach.ssh) == (("control-plane",), "127.0.0.2")
    offline = seatrial(tmp_path, "init", "kubernetes", str(file), "--offline", "--output", "o.yaml")
    assert (offline.returncode, "asked" in offline.stderr) == (0, False)


def test_a_cloud_is_asked_for_the_machines_under_it(tmp_path: Path) -> None:
    api = Openstack(
        services=(service("nova-compute", "compute1"), service("nova-compute", "compute2")),
        agents=(agent("neutron-l3-agent", "net1"),),
    )
    with api.serving() as url:
        told = seatrial(tmp_path, "init", "openstack", str(clouds(tmp_path, url)))
    assert told.returncode == 0, told.stderr
    fleet = load(tmp_path / "fleet.yaml")
    assert {name: host.roles for name, host in fleet.hosts.items()} == {
        "compute1": ("compute",),
        "compute2": ("compute",),
        "net1": ("gateway",),
    }
    assert {name: group.hosts for name, group in fleet.groups.items()} == {
        "compute": ("compute1", "compute2")
    }


def test_a_login_that_sees_no_machines_gives_the_servers_of_its_project(tmp_path: Path) -> None:
    one = {**server("gw1"), "addresses": {"lan": [{"addr": "198.51.100.7", "OS-EXT-IPS:type": "fixed"}, {"addr": "203.0.113.7", "OS-EXT-IPS:type": "floating"}]}}  # fmt: skip
    with Openstack(servers=(one,)).serving() as url:
        told = seatrial(tmp_path, "init", "openstack", str(clouds(tmp_path, url)))
    assert told.returncode == 0, told.stderr
    host = load(tmp_path / "fleet.yaml").hosts["gw1"]
    assert (host.roles, host.reach.ssh) == (("gateway",), "203.0.113.7")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["init", "ansible"], "which inventory?"),
        (["init", "ansible", "none"], "none: cannot be read: No such file or directory"),
        (["init", "ansible", "empty"], "no machine was found"),
        (["init", "ansible", "script"], "script: is a program, and init runs none"),
        (["init", "ansible", "empty", "--cloud", "x"], "--cloud says nothing about ansible"),
        (["init", "ssh-config", "empty", "--offline"], "--offline says nothing about ssh-config"),
        (["init", "kubernetes", "empty"], "it has no clusters"),
        (["init", "openstack", "empty"], "it has no clouds"),
        (["init", "ansible", "gw", "--output", "no/fleet.yaml"], "there is no directory no"),
    ],
)
def test_wrong_input_is_one_error_with_a_hint_and_writes_nothing(
    tmp_path: Path, words: list[str], said: str
) -> None:
    (tmp_path / "empty").write_text("")
    (tmp_path / "gw").write_text("gw1\n")
    (tmp_path / "script").write_text("#!/bin/sh\ntouch run\n")
    (tmp_path / "script").chmod(0o755)
    told = seatrial(tmp_path, *words)
    assert (told.returncode, told.stdout) == (2, ""), told.stderr
    assert said in told.stderr and "hint: " in told.stderr
    assert (
        sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".yaml" or path.name == "run") == []
    )
