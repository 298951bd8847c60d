"""The operator's ssh config, cut for one host, against what ssh itself says; and chains of jumps."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.errors import InputError
from seatrial.vantage.process import run
from seatrial.vantage.sshconfig import CutConfig, Step, chain, config_paths, parse_jumps

CONFIG = """
User everybody
Host web* !web9
  Port 2201
  Include {room}/more
Host "db1" db2
  HostName 10.0.0.%h
  ProxyJump gate
  Port=2202
Match host 10.0.0.* user everybody
  Compression yes
Host *
  Include {room}/conf.d/*.conf
Host web1
  HostName late.example
Host *
  Port 2299
  IdentityFile ~/.ssh/%h
"""
MORE = "HostName more.example\nHost web1\n  User first\nHost web2\n  User second\n"
EXTRA = "ServerAliveInterval 7\nHost d?1\n  User deep\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "more").write_text(MORE)
    (tmp_path / "conf.d/extra.conf").write_text(EXTRA)
    path = tmp_path / "config"
    path.write_text(CONFIG.format(room=tmp_path))
    return path


@pytest.mark.parametrize("alias", ["web1", "web2", "web9", "db1", "db2", "dx1", "elsewhere"])
async def test_the_part_for_a_host_means_to_ssh_what_the_whole_means(
    config: Path, tmp_path: Path, alias: str
) -> None:
    part = tmp_path / "part"
    part.write_text(CutConfig([config]).text_for(alias))
    whole, cut = [(await run(("ssh", "-G", "-F", str(path), alias))).stdout for path in (config, part)]
    assert whole == cut and b"hostname" in whole


def test_blocks_of_other_hosts_are_left_out(config: Path) -> None:
    text = CutConfig([config]).text_for("db1")
    assert "2202" in text and "2201" not in text and "late.example" not in text


def test_a_file_that_is_named_and_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="missing: No such file"):
        CutConfig(config_paths(str(tmp_path / "missing")))


def test_a_file_that_includes_itself_is_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(f"Include {path}\n")
    with pytest.raises(InputError, match="too many levels"):
        CutConfig([path])


@pytest.mark.parametrize(
    ("value", "steps"),
    [
        ("gate", (Step(alias="gate"),)),
        ("me@gate:2222", (Step(alias="gate", user="me", port=2222),)),
        ("ssh://me@gate:2222/", (Step(alias="gate", user="me", port=2222),)),
        ("a,b@c , d:1", (Step(alias="a"), Step(alias="c", user="b"), Step(alias="d", port=1))),
        ("[::1]:22", (Step(alias="::1", port=22),)),
        ("me@fe80::1", (Step(alias="fe80::1", user="me"),)),
        ("u@corp@gate", (Step(alias="gate", user="u@corp"),)),
    ],
)
def test_a_jump_is_read_as_ssh_reads_it(value: str, steps: tuple[Step, ...]) -> None:
    assert parse_jumps(value) == steps


def way(jumps: dict[str, str], last: str) -> list[str]:
    return [step.alias for step in chain(Step(alias=last), lambda step: jumps.get(step.alias))]


def test_chains_are_followed_to_the_first_jump() -> None:
    assert way({}, "a") == ["a"]
    assert way({"a": "b", "b": "c"}, "a") == ["c", "b", "a"]
    # The first of a list goes by its own config, the others go through the one before them.
    assert way({"a": "x,y", "x": "w", "y": "not-asked"}, "a") == ["w", "x", "y", "a"]


def test_a_jump_host_under_its_own_rule_is_reached_directly() -> None:
    jumps = {"a": "gate", "gate": "gate"}
    assert way(jumps, "a") == ["gate", "a"]


@pytest.mark.parametrize("jumps", [{"a": "b", "b": "a"}, {"a": "b", "b": "c", "c": "b"}])
def test_a_circle_is_a_mistake(jumps: dict[str, str]) -> None:
    with pytest.raises(InputError, match="circle"):
        way(jumps, "a")
