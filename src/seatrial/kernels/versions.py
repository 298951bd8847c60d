"""Versions as packages write them, compared as dpkg does, and the release that `uname -r` says found among them. Pure.

What is not in: reading a changelog (changelog.py), what its patches mean.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

# Debian's release of a kernel: series, ABI number, flavour; since 6.12.41 the upstream version stands in it instead.
_RELEASE = re.compile(r"(\d+\.\d+)\.0-(\d+)(?:-.+)?")
_RELEASE_NEW = re.compile(r"(\d+\.\d+(?:\.\d+)?)\+deb\d+(?:-.+)?")
_UBUNTU = re.compile(r"(\d+\.\d+\.\d+-\d+)-[a-z].*")
_ARCHES = (
    "amd64",
    "arm64",
    "armhf",
    "i386",
    "powerpc",
    "ppc64el",
    "s390x",
    "riscv64",
    "mips",
    "x86_64",
    "aarch64",
)
_SAME_ARCH = {"x86_64": "amd64", "aarch64": "arm64", "686": "i386"}


def _order(character: str) -> int:
    """The place of a character in a version: a tilde before the end, letters before what is none."""
    if character == "~":
        return -1
    return ord(character) if character.isalpha() else ord(character) + 256


def _compare_part(one: str, other: str) -> int:
    while one or other:
        left, right = re.match(r"\D*", one), re.match(r"\D*", other)
        assert left and right
        words, others = left[0], right[0]
        for at in range(max(len(words), len(others))):
            a = _order(words[at]) if at < len(words) else 0
            b = _order(others[at]) if at < len(others) else 0
            if a != b:
                return -1 if a < b else 1
        one, other = one[len(words) :], other[len(others) :]
        left, right = re.match(r"\d*", one), re.match(r"\d*", other)
        assert left and right
        # Leading zeros do not count; what is longer without them is larger. No number is made, however long it is.
        digits, others = left[0].lstrip("0"), right[0].lstrip("0")
        if digits != others:
            return -1 if (len(digits), digits) < (len(others), others) else 1
        one, other = one[left.end() :], other[right.end() :]
    return 0


def compare(one: str, other: str) -> int:
    """-1, 0 or 1, by the rules of deb-version(7): epoch, upstream version, revision; a tilde sorts before nothing.

    `+` before a revision (`6.1.176+1` of signed packages) counts as the hyphen that it stands for.
    """
    for a, b in zip(_split(one), _split(other), strict=True):
        if order := _compare_part(a, b):
            return order
    return 0


def _split(version: str) -> tuple[str, str, str]:
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "0", version
    rest = re.sub(r"^([\d.]+)\+(\d)", r"\1-\2", rest)
    upstream, hyphen, revision = rest.rpartition("-")
    return (epoch, upstream, revision) if hyphen else (epoch, rest, "0")


key = functools.cmp_to_key(compare)


def upstream_of(version: str) -> str:
    """The upstream version inside a package's: 5.10.70 of 5.10.70-1."""
    return _split(version)[1]


def arch_of(release: str) -> str:
    """The architecture that a release names at its end, "" for none: amd64 of 6.1.0-56-cloud-amd64."""
    last = re.split(r"[-.]", release)[-1]
    last = _SAME_ARCH.get(last, last)
    return last if last in _ARCHES else ""


def resolve(name: str, versions: Sequence[str], abis: Sequence[str] = ()) -> str | None:
    """The version that a person means by `name`, None when there is none among `versions` (newest first).

    `name` is a package's version, an upstream version, or a release as `uname -r` says it. `abis` has beside each
    version the ABI number that it brought, "" for none: Debian's 6.1.0-47 is the newest version of series 6.1 from
    the one with "Bump ABI to 47" on and before the next bump.
    """
    for version in versions:
        if version == name or compare(version, name) == 0:
            return version
    if (found := _RELEASE.fullmatch(name)) and (by_abi := _by_abi(found[1], found[2], versions, abis)):
        return by_abi
    wanted = name
    for pattern in (_RELEASE_NEW, _UBUNTU):
        if found := pattern.fullmatch(name):
            wanted = found[1]
    for version in versions:
        if upstream_of(version) == wanted or version.startswith((f"{wanted}-", f"{wanted}.", f"{wanted}+")):
            return version
    return None


def _by_abi(series: str, number: str, versions: Sequence[str], abis: Sequence[str]) -> str | None:
    bumped, newest = False, None
    for version, abi in zip(versions, abis, strict=False):
        if not version.startswith((f"{series}.", f"{series}-")) or "~" in version:
            continue
        if abi == number:
            # Where no newer bump is listed, nothing says how long this one lasted: Debian has stopped writing them down.
            return newest or version
        if abi:
            bumped, newest = True, None
        elif bumped and newest is None:
            newest = version
    return None
