"""What a fleet file may say of a host's checks, and what it may not; and the few sums that the judges do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from seatrial.checks import registry
from seatrial.checks.host.disk import enough, shown
from seatrial.checks.host.mountinfo import read_mounts
from seatrial.checks.host.sysctl import path_of
from seatrial.model.check import Check


def declared(**keys: Any) -> Check:
    check: Check = TypeAdapter(Check).validate_json(json.dumps({"from": "vm", **keys}))
    return check


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"kind": "unit"}, "either `unit` or `failed: none` is wanted"),
        ({"kind": "unit", "unit": "a.service", "failed": "none"}, "either `unit` or `failed: none` is wanted"),
        ({"kind": "unit", "unit": "a.service", "besides": ["b"]}, "goes with `failed: none`"),
        ({"kind": "load"}, "a limit is wanted"),
        ({"kind": "sysctl", "key": "kernel.pid_max"}, "`value`, `least` or `most` is wanted"),
        ({"kind": "sysctl", "key": "kernel.pid_max", "value": 1, "most": 2}, "either `value` is wanted"),
        ({"kind": "sysctl", "key": "kernel/../../etc/passwd", "value": 1}, "a setting as sysctl writes it"),
        ({"kind": "sysctl", "key": "kernel.a b", "value": 1}, "a setting as sysctl writes it"),
        ({"kind": "qdisc", "device": "lan0"}, "`root` or `classes` is wanted"),
        ({"kind": "qdisc", "device": "-all", "root": "htb"}, "an interface as"),
        ({"kind": "qdisc", "device": "lan0", "classes": {"1:10": "8 apples"}}, "a rate as tc writes it is wanted"),
        ({"kind": "qdisc", "device": "lan0", "classes": {"1:10; reboot": "8mbit"}}, "a class as tc writes it"),
        ({"kind": "mounts"}, "`path` or `fstab: true` is wanted"),
        ({"kind": "mounts", "fstab": True, "writable": True}, "are of one `path`"),
        ({"kind": "mounts", "path": "srv"}, "a path from the root"),
        ({"kind": "disk", "path": "/", "least": "much"}, "a share such as 5%"),
        ({"kind": "disk", "path": "/", "least": "101%"}, "a share such as 5%"),
        ({"kind": "kernel", "running": "--help"}, "a kernel release"),
        ({"kind": "processes", "pause": "2m"}, "less than or equal to 60"),
    ],
)  # fmt: skip
def test_a_declaration_that_cannot_be_asked_is_refused(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said.replace("(", r"\(")):
        declared(**keys)


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("net.ipv4.ip_forward", "net/ipv4/ip_forward"),
        ("net/ipv4/ip_forward", "net/ipv4/ip_forward"),
        ("net.ipv4.conf.eth0/7.rp_filter", "net/ipv4/conf/eth0.7/rp_filter"),
        ("net/ipv4/conf/eth0.7/rp_filter", "net/ipv4/conf/eth0.7/rp_filter"),
    ],
)
def test_a_setting_is_found_where_sysctl_finds_it(key: str, path: str) -> None:
    assert path_of(key) == path


@pytest.mark.parametrize(
    ("least", "free", "whole", "is_enough"),
    [
        ("5%", 5, 100, True),
        ("5%", 4, 100, False),
        ("0.5%", 1, 200, True),
        ("100%", 99, 100, False),
        ("2K", 2048, 10**6, True),
        ("2K", 2047, 10**6, False),
        ("1T", 2**40 - 1, 2**50, False),
        ("0", 0, 1, True),
    ],
)
def test_enough_is_a_share_or_a_number(least: str, free: int, whole: int, is_enough: bool) -> None:
    assert enough(least, free, whole) is is_enough


def test_bytes_are_shown_in_the_steps_in_which_they_are_declared() -> None:
    assert [shown(count) for count in (0, 1023, 1024, 3 * 2**30)] == ["0", "1023", "1.0K", "3.0G"]


def test_the_last_mount_of_a_path_is_the_one_that_is_seen() -> None:
    said = (
        "1 0 0:1 / /srv rw shared:5 - ext4 /dev/sda1 rw\n"
        "2 0 0:2 / /srv rw - nfs4 192.0.2.10:/export\\040one ro,hard\n"
        "garbage\n3 0 0:3 / /x\n"
    )
    mounts = read_mounts(said)
    assert [(mount.source, mount.writable) for mount in mounts] == [
        ("/dev/sda1", True),
        ("192.0.2.10:/export one", False),
    ]


def test_every_question_to_a_host_only_looks_and_ends_in_time() -> None:
    asked = [
        declared(kind="processes", timeout="3s"),
        declared(kind="dmesg", timeout="3s"),
        declared(kind="kernel", default="running", timeout="3s"),
        declared(kind="time", timeout="3s"),
        declared(kind="mounts", path="/", fstab=True, timeout="3s"),
    ]
    for check in asked:
        for place, command in registry.ask(check):
            assert (place, command.safe) == ("vm", True)
            assert command.timeout <= 4.0
