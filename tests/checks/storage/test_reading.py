"""What servers say of exports and replicas, read line by line: every shape that the tools write, and what no tool writes."""

from __future__ import annotations

import json

import pytest

from seatrial.checks.storage import exports
from seatrial.ha.replicas import read_json, read_proc

TWO_VOLUMES = """version: 8.4.11 (api:1/proto:86-101)
srcversion: 1295246FDB8FACFB12644BC
 0: cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate C r-----
    ns:0 nr:0 dw:0 dr:0 al:0 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:7
 1: cs:Unconfigured
 2: cs:PausedSyncS ro:Secondary/Primary ds:UpToDate/Inconsistent C s-----
    ns:0 nr:0 dw:0 dr:0 al:0 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:2048
	[====>...............] sync'ed: 25.5% (2048/4096)K
12: cs:StandAlone ro:Secondary/Unknown ds:Diskless/DUnknown   r-----
    ns:0 nr:0 dw:0 dr:0 al:0 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:0
"""


@pytest.mark.parametrize(
    ("line", "path", "clients"),
    [
        ("/srv 192.0.2.0/24(rw,sync)", "/srv", {"192.0.2.0/24"}),
        ("/srv/ a.example.test(rw) b.example.test", "/srv", {"a.example.test", "b.example.test"}),
        ("/srv", "/srv", {"*"}),
        ("/srv -ro,sync @trusted *.example.test(rw)", "/srv", {"@trusted", "*.example.test"}),
        ("/srv \\\n  192.0.2.1(rw) # not 192.0.2.2(rw)", "/srv", {"192.0.2.1"}),
        ('"/srv/two words" 2001:db8::/32(ro)', "/srv/two words", {"2001:db8::/32"}),
        ("/srv/two\\040words 2001:db8::1(ro)", "/srv/two words", {"2001:db8::1"}),
        ("/srv  <world>(ro,wdelay)", "/srv", {"*"}),
    ],
)
def test_each_shape_of_an_export_is_read(line: str, path: str, clients: set[str]) -> None:
    assert exports.read(f"# comment\n\n{line}\n") == {path: clients}


def test_what_is_no_export_is_passed_over() -> None:
    assert exports.read("srv *(rw)\n(rw)\n  \n#/srv *\n\x1b[2J\n" + '"' * 5000) == {}


def test_only_the_volumes_of_the_resource_are_read_each_with_its_own_figures() -> None:
    first, second = read_proc(TWO_VOLUMES, frozenset({"0", "1", "2"}))
    assert (first.volume, first.connection, first.sync, first.behind) == ("0", "Connected", "", 7)
    assert (second.volume, second.sync, second.behind, second.synced) == ("2", "PausedSyncS", 2048, 25.5)
    assert (first.suspended, second.suspended) == (False, True)
    (alone,) = read_proc(TWO_VOLUMES, frozenset({"12"}))
    assert (alone.connection, alone.disk, alone.peer_role) == ("StandAlone", "Diskless", "Unknown")


@pytest.mark.parametrize(
    "text",
    ["", "{", "[1]", '[{"name": 1}]', "[" * 100_000, '[{"devices": [{"volume": -1}]}]', "NaN"],
    ids=range(7),
)
def test_what_is_no_status_is_not_taken_for_one(text: str) -> None:
    assert read_json(text, "tools") is None


def test_a_volume_without_its_device_is_no_replica() -> None:
    peer = {"name": "peer", "connection-state": "Connected", "peer_devices": [{"volume": 3}]}
    said = json.dumps([{"name": "tools", "devices": [{"volume": 0}], "connections": [peer]}])
    assert read_json(said, "tools") == []
