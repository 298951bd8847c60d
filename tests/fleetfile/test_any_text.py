"""Whatever the text is, the answer is a Fleet or one InputError; and a Fleet written out is read as the same Fleet."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.errors import InputError
from seatrial.fleetfile import examine, parse, parse_bytes
from seatrial.model.fleet import Fleet

from .small import SMALL

LINE = re.compile(r"^f:[1-9]\d*:[1-9]\d*: \S.*$")
SPELT = """
    version name stages hosts groups vantages flows checks policies default stage roles reach ssh local netns gate
    from to by address protocol port kind ping tcp dns http mover timeout yes no on ~ 12:30:00 007 .inf .nan 1e5 -3
    0x1F 1_0 2024-01-01 !!int !!python/name:os &a *a << ? - : [ ] { } , | > ' " # % @ ` --- ...
"""
WORDS = st.sampled_from([*SPELT.split(), "\t", "\ufeff", "\x85", "\0"])
YAMLISH = st.lists(
    st.one_of(WORDS, st.text(max_size=5), st.sampled_from([": ", "\n", "\n  ", "\n    ", "- ", " "]))
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), WORDS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(WORDS, inner, max_size=5)),
    max_leaves=25,
)
# A busy machine is no defect.
calm = settings(deadline=None)


def look(text: str) -> None:
    """Read the text; when it is refused, every line of the refusal has its form and its order."""
    try:
        parse(text, filename="f")
    except InputError as error:
        lines = str(error).split("\n")
        assert all(LINE.match(line) for line in lines), lines
        places = [tuple(int(part) for part in line.split(":")[1:3]) for line in lines]
        assert places == sorted(places)
        assert error.hint


@calm
@given(YAMLISH.map("".join))
def test_yamlish_text_is_a_fleet_or_an_input_error(text: str) -> None:
    look(text)


@calm
@given(VALUES)
def test_any_yaml_value_is_a_fleet_or_an_input_error(value: object) -> None:
    look(yaml.safe_dump(value, allow_unicode=True))


@calm
@given(st.binary(max_size=200))
def test_any_bytes_are_a_fleet_or_an_input_error(data: bytes) -> None:
    with pytest.raises(InputError):
        parse_bytes(data, filename="f")


@calm
@given(
    st.integers(min_value=0, max_value=len(SMALL)),
    st.integers(min_value=0, max_value=40),
    YAMLISH.map("".join),
)
def test_a_right_file_with_a_hole_or_a_scar_is_a_fleet_or_an_input_error(at: int, cut: int, put: str) -> None:
    look(SMALL[:at] + put + SMALL[at + cut :])


@calm
@given(st.sampled_from(("stages", "hosts", "groups", "vantages", "flows", "checks", "policies")), VALUES)
def test_any_value_for_a_section_is_a_fleet_or_an_input_error(section: str, value: object) -> None:
    whole = yaml.safe_load(SMALL)
    look(yaml.safe_dump(whole | {section: value}, allow_unicode=True))


NAMES = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,10}\Z")
ADDRESSES = st.one_of(
    st.ip_addresses(v=4, network="198.51.100.0/24"), st.ip_addresses(v=6, network="2001:db8::/32")
).map(str)


@st.composite
def fleets(draw: st.DrawFn) -> dict[str, Any]:
    """A valid fleet as plain data, with names that YAML would like to read as something else."""
    names = draw(st.lists(NAMES, min_size=9, max_size=9, unique_by=str.lower))
    free = [name for name in names if name not in ("all", "any", "none", "default")]
    stages, hosts, places, role, flow = free[:1], free[1:3], free[3:5], free[5], free[0]
    protocol = draw(st.sampled_from(["tcp", "udp", "icmp"]))
    promised = {
        "stage": stages[0],
        "from": places[0],
        "to": places[1],
        "address": draw(ADDRESSES),
        "protocol": protocol,
        "by": hosts[0],
        "size": draw(st.integers(min_value=32, max_value=9000)),
        "df": draw(st.booleans()),
    }
    if protocol != "icmp":
        promised["port"] = draw(st.integers(min_value=1, max_value=65535))
    return {
        "version": 1,
        "name": free[0],
        "stages": [{"name": name} for name in stages],
        "hosts": {name: {"stage": stages[0], "roles": [role], "reach": {"ssh": name}} for name in hosts},
        "vantages": {name: {"netns": name} for name in places},
        "flows": {flow: promised},
        "checks": {flow: {"kind": "dmesg", "from": hosts[0], "timeout": draw(st.floats(0, 100))}},
        "policies": {role: {"guard": f"{draw(st.integers(30, 5000))}s"}, "default": {}},
    }


@calm
@given(fleets())
def test_a_fleet_written_out_is_read_as_the_same_fleet(plain: dict[str, Any]) -> None:
    fleet, mistakes = examine(yaml.safe_dump(plain, sort_keys=False))
    assert mistakes == ()
    assert fleet is not None
    again = yaml.safe_dump(fleet.model_dump(mode="json", by_alias=True, exclude_none=True), sort_keys=False)
    assert parse(again, filename="again") == fleet
    assert isinstance(fleet, Fleet)
