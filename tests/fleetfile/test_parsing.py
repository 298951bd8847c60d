"""A whole file: what a right one becomes, that all mistakes come at once, and that no text can do worse than that."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.errors import InputError
from seatrial.fleetfile import examine, load, parse, parse_bytes

from .small import SMALL, lines_of, with_edits

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"


def test_a_right_file_becomes_a_fleet() -> None:
    fleet = parse(SMALL, filename="f")
    assert fleet.hosts_in("production") == ("gw-p1", "gw-p2")
    assert fleet.flows["out"].source_vantage == "inside"
    assert fleet.flows["out"].over == ("lan", "wan")
    assert fleet.policies["gateway"].guard == 600.0
    assert fleet.peers_of("gw-p1") == ("gw-p2",)


def test_the_example_is_right_and_covers_both_stages() -> None:
    fleet = load(EXAMPLES / "gateway" / "fleet.yaml")
    assert [stage.name for stage in fleet.stages] == ["staging", "production"]
    assert {flow.stage for flow in fleet.flows.values()} == {"staging", "production"}
    assert all(fleet.flows_of(host) for host in fleet.hosts)


def test_a_merge_key_fills_only_what_is_not_written() -> None:
    fleet = load(EXAMPLES / "gateway" / "fleet.yaml")
    large, first = fleet.flows["private-out-large"], fleet.flows["private-out-tcp"]
    assert (large.size, large.df, large.protocol) == (1500, True, "udp")
    assert (large.source, large.by, large.over) == (first.source, first.by, first.over)


def test_ten_mistakes_are_named_at_once_each_at_its_line() -> None:
    text = (HERE / "ten_mistakes.yaml").read_text()
    with pytest.raises(InputError) as caught:
        parse(text, filename="ten_mistakes.yaml")
    assert str(caught.value) == (HERE / "ten_mistakes.txt").read_text().rstrip()
    assert caught.value.hint == "correct these 10 places; nothing was looked at or changed"
    assert caught.value.exit_code == 2


def test_yaml_entry_and_cross_mistakes_are_told_together() -> None:
    text = with_edits(
        ("name: small", "name: small\nname: again"), ("port: 7001", "port: x"), ("by: gw-p\n", "by: gw-q\n")
    )
    assert [line.split(": ")[1] for line in lines_of(text)] == [
        "name",
        "flows.staging-out.port",
        "flows.out.by",
    ]


def test_what_an_anchor_repeats_is_told_once() -> None:
    path = EXAMPLES / "gateway" / "fleet.yaml"
    text = path.read_text().replace("from: vm-private\n    to: outside", "from: vm-privat\n    to: outside")
    assert lines_of(text) == [
        "f:80:11: flows.private-out-tcp.from: 'vm-privat' is not a vantage or host; did you mean 'vm-private'?"
    ]


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n", "\ufeff"])
def test_an_empty_file_says_how_to_begin(text: str) -> None:
    with pytest.raises(InputError, match=r"^f:1:1: the file is empty$") as caught:
        parse(text, filename="f")
    assert "seatrial schema" in caught.value.hint


def test_a_byte_order_mark_moves_no_column() -> None:
    assert parse("\ufeff" + SMALL, filename="f") == parse(SMALL, filename="f")


def test_bytes_that_are_no_utf8_are_named_with_their_line() -> None:
    data = SMALL.encode().replace(b"name: small", b"name: sm\xe4ll")
    with pytest.raises(InputError, match=r"^f:2:9: byte 0xe4 is no UTF-8$") as caught:
        parse_bytes(data, filename="f")
    assert "UTF-8" in caught.value.hint
    with pytest.raises(InputError, match="UTF-16"):
        parse_bytes(SMALL.encode("utf-16"), filename="f")
    assert parse_bytes(SMALL.encode("utf-8-sig"), filename="f").name == "small"


def test_a_billion_laughs_are_refused_before_they_are_written_out() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 60)]
    (line,) = lines_of("\n".join(lines))
    assert "with its aliases written out the file has more than 1,000,000 values" in line


@pytest.mark.parametrize("text", ["[" * 500_000, "- " * 500_000, "? " * 500_000, "{a: " * 500_000])
def test_endless_nesting_is_refused_and_ends_nothing(text: str) -> None:
    (line,) = lines_of(text)
    assert "nested more than 24 deep" in line


def test_a_file_that_is_too_long_is_refused_unread() -> None:
    assert lines_of("#" * (4 * 1024 * 1024 + 1)) == ["f:1:1: the file is longer than 4 MiB: no fleet file is"]


def test_a_wrong_file_gives_no_fleet_at_all() -> None:
    # The duplicate is dropped by the reading, so the rest alone would be a valid fleet: the wrong one.
    fleet, mistakes = examine(with_edits(("port: 7001", "port: 7001\n    port: 7002")))
    assert fleet is None
    assert len(mistakes) == 1
