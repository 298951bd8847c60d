"""Versions are compared as dpkg compares them, and a release is found by what a changelog says of it."""

from __future__ import annotations

import subprocess

import pytest

from seatrial.kernels.versions import arch_of, compare, resolve, upstream_of

PAIRS = [
    ("5.10.40-1", "5.10.70-1"),
    ("5.9-1", "5.10-1"),
    ("6.1~rc8-1~exp1", "6.1-1"),
    ("6.1-1~exp1", "6.1-1"),
    ("6.1.170-2", "6.1.170-3"),
    ("6.1.9-1", "6.1.10-1"),
    ("2.0-1", "1:1.0-1"),
    ("6.1.0-1", "6.1.0-1a"),
    ("6.1.0-1a", "6.1.0-1+b1"),
    ("5.4.0-90.101", "5.4.0-91.102"),
    ("6.12.41-1", "6.12.41-1+deb13u1"),
    ("0", "00.1"),
]


@pytest.mark.parametrize(("less", "more"), PAIRS)
def test_an_order_is_that_of_dpkg(less: str, more: str) -> None:
    for one, other, expected in ((less, more, -1), (more, less, 1), (less, less, 0)):
        assert compare(one, other) == expected
        word = {-1: "lt", 0: "eq", 1: "gt"}[expected]
        assert subprocess.run(["dpkg", "--compare-versions", one, word, other], check=False).returncode == 0


def test_a_signed_package_is_the_same_version() -> None:
    assert compare("6.1.170+3", "6.1.170-3") == 0
    assert upstream_of("6.1.170+3") == "6.1.170"


def test_numbers_without_end_are_compared_without_making_them() -> None:
    assert compare("1." + "9" * 100_000, "1." + "9" * 99_999) == 1


VERSIONS = (
    "6.1.52-1",
    "6.1.38-4",
    "6.1.38-1",
    "6.1.37-1",
    "6.1.27-1",
    "6.1~rc8-1~exp1",
    "6.0.12-1",
    "5.10.46-4",
)
ABIS = ("", "", "", "10", "9", "2", "6", "8")


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("6.1.38-4", "6.1.38-4"),
        ("6.1.38+4", "6.1.38-4"),
        ("6.1.38", "6.1.38-4"),
        ("6.1.0-9-amd64", "6.1.27-1"),
        # Nothing says how long the newest number that is listed lasted.
        ("6.1.0-10-cloud-amd64", "6.1.37-1"),
        ("6.1.0-8-amd64", None),
        ("5.10.0-8-amd64", "5.10.46-4"),
        ("6.2.0-1-amd64", None),
        ("", None),
    ],
)
def test_a_name_of_a_person_is_a_version_of_the_changelog(name: str, version: str | None) -> None:
    assert resolve(name, VERSIONS, ABIS) == version


def test_newer_releases_have_their_version_in_them() -> None:
    assert resolve("6.12.107+deb13-amd64", ("6.12.111-1", "6.12.107-1")) == "6.12.107-1"
    assert resolve("5.4.0-91-generic", ("5.4.0-91.102", "5.4.0-90.101")) == "5.4.0-91.102"


@pytest.mark.parametrize(
    ("release", "arch"),
    [("6.1.0-56-cloud-amd64", "amd64"), ("5.14.0-162.el9.x86_64", "amd64"), ("5.10.70-1", "")],
)
def test_a_release_ends_with_its_architecture(release: str, arch: str) -> None:
    assert arch_of(release) == arch
