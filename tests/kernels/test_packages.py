"""Kernel packages as apt and files name them, in Debian's order."""

from __future__ import annotations

import itertools

import pytest

from seatrial.errors import InputError
from seatrial.kernels.packages import KernelPackage, between, read_files, read_madison
from seatrial.kernels.versions import key

# What `apt-cache madison` printed on a Debian 12 with its security archive; the source line is no image.
MADISON = """\
linux-image-6.1.0-50-cloud-amd64 |  6.1.176-1 | http://archive.example/debian bookworm/main amd64 Packages
linux-image-6.1.0-50-cloud-amd64 |  6.1.176-1 | http://archive.example/debian-security bookworm-security/main amd64 Packages
linux-image-6.1.0-47-cloud-amd64 |  6.1.170-3 | http://archive.example/debian bookworm/main amd64 Packages
linux-image-6.1.0-9-cloud-amd64 |   6.1.27-1 | http://archive.example/debian bookworm/main amd64 Packages
linux-image-6.1.0-50-amd64 |  6.1.176-1 | http://archive.example/debian bookworm/main amd64 Packages
linux-image-6.1.0-50-cloud-amd64-unsigned |  6.1.176-1 | http://archive.example/debian bookworm/main amd64 Packages
linux-image-6.12.100+deb12-cloud-amd64 | 6.12.100-1~deb12u1 | http://archive.example/debian-security bookworm-security/main amd64 Packages
linux-image-cloud-amd64 |  6.1.176-1 | http://archive.example/debian bookworm/main amd64 Packages
     linux |  6.1.176-1 | http://archive.example/debian bookworm/main Sources
"""

# Rising; what stands in one row is equal. Each neighbour was compared by dpkg 1.21.
RISING = (
    ("1.0~~", ),
    ("1.0~rc1-1", ),
    ("1.0-1~deb12u1", ),
    ("1.0-1", ),
    ("1.0-1+b2", ),
    ("1.0a", "1.0a-0"),
    ("1.0+b1", ),
    ("1.0.1", "1.00.1"),
    ("6.1.170-3", ),
    ("6.1.176-1", ),
    ("6.12.100-1~deb12u1", ),
    ("6.12.100-1", ),
    ("10.0", ),
    ("1:0.1", ),
)  # fmt: skip


def releases(packages: tuple[KernelPackage, ...]) -> list[str]:
    return [one.release for one in packages]


def test_versions_are_in_the_order_that_dpkg_gives_them() -> None:
    for before, after in itertools.combinations(RISING, 2):
        for one, other in itertools.product(before, after):
            assert key(one) < key(other), (one, other)
    for row in RISING:
        assert all(key(one) == key(row[0]) for one in row)


def test_those_between_are_of_one_flavour_each_once_and_in_order() -> None:
    offered = read_madison(MADISON)
    found = between(
        offered, "6.1.0-9-cloud-amd64", "linux-image-6.12.100+deb12-cloud-amd64", where="the archive"
    )
    assert releases(found) == [
        "6.1.0-9-cloud-amd64",
        "6.1.0-47-cloud-amd64",
        "6.1.0-50-cloud-amd64",
        "6.12.100+deb12-cloud-amd64",
    ]
    assert found[1].version == "6.1.170-3"


def test_of_a_package_at_two_versions_the_newest_counts() -> None:
    offered = [
        KernelPackage(package="linux-image-6.1.0-50-cloud-amd64", version=version)
        for version in ("6.1.176-1", "6.1.176-10", "6.1.176-9")
    ]
    offered.append(KernelPackage(package="linux-image-6.1.0-51-cloud-amd64", version="6.1.177-1"))
    found = between(offered, "6.1.0-50-cloud-amd64", "6.1.0-51-cloud-amd64", where="it")
    assert [one.version for one in found] == ["6.1.176-10", "6.1.177-1"]


def test_a_folder_is_read_by_the_names_of_its_files() -> None:
    found = read_files(
        [
            "linux-image-6.1.0-50-cloud-amd64_6.1.176-1_amd64.deb",
            "linux-image-6.1.0-51-cloud-amd64_1%3a6.1.177-1_amd64.deb",
            "linux-headers-6.1.0-50-cloud-amd64_6.1.176-1_amd64.deb",
            "notes.txt",
        ]
    )
    assert [(one.release, one.version) for one in found] == [
        ("6.1.0-50-cloud-amd64", "6.1.176-1"),
        ("6.1.0-51-cloud-amd64", "1:6.1.177-1"),
    ]
    assert found[0].file == "linux-image-6.1.0-50-cloud-amd64_6.1.176-1_amd64.deb"


@pytest.mark.parametrize(
    ("good", "bad", "says"),
    [
        ("6.1.0-48-cloud-amd64", "6.1.0-50-cloud-amd64", "has no kernel '6.1.0-48-cloud-amd64'"),
        ("6.1.0-50-cloud-amd64", "6.1.0-47-cloud-amd64", "is not older than"),
        ("6.1.0-50-cloud-amd64", "6.1.0-50-cloud-amd64", "is not older than"),
        ("6.1.0-47-cloud-amd64", "6.1.0-50-amd64", "two flavours: cloud-amd64 and amd64"),
        ("6.1.0-47-cloud-amd64", "cloud-amd64", "is not the package of one kernel"),
    ],
)
def test_what_cannot_be_searched_is_refused_in_a_sentence(good: str, bad: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as refused:
        between(read_madison(MADISON), good, bad, where="the archive")
    assert refused.value.hint
