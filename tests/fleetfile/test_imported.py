"""Files of goss and blackbox_exporter as checks: what they become, that a fleet takes them, and what is said to be missing."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.errors import InputError
from seatrial.fleetfile import examine
from seatrial.fleetfile.imported import Imported, from_blackbox, from_goss, written

from .small import SMALL

HERE = Path(__file__).parent / "imported"
SCRAPES = ((HERE / "prometheus.yml").read_bytes(), "prometheus.yml")


def goss(text: str) -> Imported:
    return from_goss(text.encode(), filename="goss.yaml", vantage="inside")


def keys(imported: Imported) -> dict[str, dict[str, Any]]:
    """The checks without what all of them have."""
    return {
        name: {key: value for key, value in check.keys.items() if key != "from"}
        for name, check in imported.checks.items()
    }


def from_file(name: str) -> Imported:
    data = (HERE / name).read_bytes()
    if name == "goss.yaml":
        return from_goss(data, filename=name, vantage="inside", stage="staging")
    return from_blackbox(data, filename=name, vantage="inside", stage="staging", scrapes=SCRAPES)


@pytest.mark.parametrize("name", ["goss.yaml", "blackbox.yml"])
def test_what_is_written_is_a_section_that_a_fleet_takes(name: str) -> None:
    imported = from_file(name)
    assert len(imported.checks) > 10
    before, _, after = SMALL.partition("checks:\n")
    policies = after[after.index("policies:") :]
    fleet, mistakes = examine(before + written(imported) + policies)
    assert mistakes == ()
    assert fleet is not None
    assert list(fleet.checks) == list(imported.checks)
    assert {check.source_vantage for check in fleet.checks.values()} == {"inside"}
    assert {check.stage for check in fleet.checks.values()} == {"staging"}


@pytest.mark.parametrize("name", ["goss.yaml", "blackbox.yml"])
def test_all_of_a_file_is_either_carried_over_or_told_of(name: str) -> None:
    imported = from_file(name)
    told = [f"{remark.what}: {remark.why}" for remark in (*imported.left_out, *imported.changed)]
    expected = (HERE / f"{name}.told").read_text().splitlines()
    assert told == expected
    assert written(imported) == (HERE / f"{name}.written").read_text()


def test_every_remark_says_where() -> None:
    lines = (HERE / "goss.yaml").read_text().splitlines()
    commented = [number for number, line in enumerate(lines, 1) if "# left out" in line]
    assert [remark.place.line for remark in from_file("goss.yaml").left_out] == commented


def test_a_port_is_looked_for_as_goss_does() -> None:
    found = keys(goss("port: {'tcp6:443': {listening: true, ip: ['::', '2001:db8::7']}}"))["port-tcp6-443"]
    assert found["argv"] == ("ss", "-Hln", "-t", "-6", "sport", "=", ":443")
    assert found["stdout"]["matches"][1] == r"\s\[2001:db8::7\](%[^\s:]+)?:443\s"


@pytest.mark.parametrize(
    ("text", "stdout"),
    [
        ("[one, '!two', '/th+ree/', '\\!four']", {"contains": ("one", "!four"), "lacks": ("two",), "matches": ("th+ree",)}),
        ("one", {"equals": "one"}),
        ("''", {"equals": ""}),
        ("{match-regexp: '^a'}", {"matches": ("^a",)}),
        ("{and: [{contain-substring: a}, {match-regexp: b}]}", {"contains": ("a",), "matches": ("b",)}),
        ("[{contain-element: a}]", {"contains": ("a",)}),
        ("[]", None),
    ],
)  # fmt: skip
def test_patterns_and_matchers_of_an_output_become_its_wording(
    text: str, stdout: dict[str, Any] | None
) -> None:
    imported = goss(f"command: {{x: {{exit-status: 0, stdout: {text}}}}}")
    assert keys(imported)["command-x"].get("stdout") == stdout
    assert imported.left_out == ()


@pytest.mark.parametrize(
    "text", ["{have-len: 3}", "{not: {contain-substring: a}}", "['!/a/']", "['/(a/']", "[[a]]"]
)
def test_a_matcher_that_is_not_known_is_left_out_and_the_rest_stays(text: str) -> None:
    imported = goss(f"command: {{x: {{exit-status: 0, stdout: {text}}}}}")
    assert "stdout" not in keys(imported)["command-x"]
    (remark,) = imported.left_out
    assert remark.what.startswith("command.x.stdout")


def test_two_things_of_one_name_become_two_checks() -> None:
    imported = goss("addr: {'tcp://a-b:1': {reachable: true}, 'tcp://a.b:1': {reachable: true}}")
    assert list(imported.checks) == ["addr-tcp-a-b-1", "addr-tcp-a-b-1-2"]


def test_without_a_prometheus_yml_nobody_knows_whom_to_probe() -> None:
    imported = from_blackbox((HERE / "blackbox.yml").read_bytes(), filename="b", vantage="inside")
    assert imported.checks == {}
    assert all("--prometheus" in remark.why for remark in imported.left_out)
    assert len(imported.left_out) == 9


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is wanted"),
        ("- a\n", "is wanted"),
        ("a: [", "a value is missing"),
        ("port:\n\ttcp:22: {}\n", "a tab is used"),
        ("port: {{ .Vars.x }}\n", "wanted"),
        ("a: &a [" + "x, " * 50 + "]\nb: &b [" + "*a, " * 50 + "]\nc: &c [" + "*b, " * 50 + "]\nd: [" + "*c, " * 50 + "]\n", "values"),
        ("[" * 100_000, "deep"),
        ("a: *a\n", "is used and no"),
        ("file: \x00\n", "control character"),
    ],
    ids=range(9),
)  # fmt: skip
def test_what_is_no_such_file_is_one_error_with_a_hint(text: str, said: str) -> None:
    try:
        imported = goss(text)
    except InputError as error:
        assert said in error.message
        assert error.hint
        assert error.message.startswith("goss.yaml:")
    else:
        assert imported.left_out


def test_bytes_that_are_no_utf_8_are_an_error() -> None:
    for data in (b"a: \xff\n", "a: 1\n".encode("utf-16")):
        with pytest.raises(InputError, match="UTF-8"):
            from_goss(data, filename="goss.yaml", vantage="inside")


def test_a_small_file_of_aliases_cannot_become_endless_checks() -> None:
    ports = ", ".join(f"'tcp:{number}': *p" for number in range(1, 6000))
    with pytest.raises(InputError, match="5,000 checks"):
        goss(f"x: &p {{listening: true}}\nport: {{{ports}}}\n")


scalars = st.one_of(st.none(), st.booleans(), st.integers(-5, 70000), st.text(max_size=12))
words = st.sampled_from(
    ["exists", "mode", "status", "stdout", "exit-status", "ip", "listening", "usage", "addrs", "opts", "lt", "timeout",
     "prober", "http", "tcp", "params", "module", "static_configs", "targets", "server", "skip", "value", "contents"]
)  # fmt: skip
trees = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.one_of(words, st.text(max_size=6)), inner, max_size=4)),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    kind=st.sampled_from(["addr", "command", "dns", "file", "group", "http", "interface", "kernel-param", "mount",
                          "package", "port", "process", "service", "user", "modules", "scrape_configs"]),
    tree=trees,
)  # fmt: skip
def test_any_tree_gives_checks_that_are_valid_or_remarks(kind: str, tree: Any) -> None:
    data = json.dumps({kind: [tree] if kind == "scrape_configs" else {"x": tree}}).encode()
    modules = (HERE / "blackbox.yml").read_bytes()
    readers = (
        partial(from_goss, data, filename="f", vantage="inside"),
        partial(from_blackbox, modules, filename="f", vantage="inside", scrapes=(data, "p")),
        partial(from_blackbox, data, filename="f", vantage="inside", scrapes=SCRAPES),
    )
    for read in readers:
        try:
            imported = read()
        except InputError:
            continue
        before, _, after = SMALL.partition("checks:\n")
        text = before + written(imported) + after[after.index("policies:") :]
        assert examine(text)[1] == (), text
