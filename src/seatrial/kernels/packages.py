"""Kernel packages by what apt and file names say of them, and those between two of them in order. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from seatrial.errors import InputError
from seatrial.kernels.versions import key

PREFIX = "linux-image-"
_RELEASE = re.compile(r"(\d+\.\d+\.\d+[A-Za-z0-9.+~]*(?:-\d+)?)-([a-z][a-z0-9-]*)")
_DEB = re.compile(r"(linux-image-[A-Za-z0-9.+~-]+)_([A-Za-z0-9.+~%:-]+)_[a-z0-9]+\.deb")


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelPackage:
    """A package with one kernel. `file` is its .deb where it is at hand, "" where the archive has it."""

    package: str
    version: str
    file: str = ""

    @property
    def release(self) -> str:
        """The kernel's name, as `uname -r` says it."""
        return self.package.removeprefix(PREFIX)

    @property
    def flavour(self) -> str:
        """What kind of kernel it is ("cloud-amd64"), "" when its name says nothing."""
        found = _RELEASE.fullmatch(self.release)
        return found[2] if found else ""


def read_madison(text: str) -> list[KernelPackage]:
    """What `apt-cache madison` prints: a line `package | version | source` for each that is offered."""
    found = []
    for line in text.splitlines():
        words = [word.strip() for word in line.split("|")]
        if len(words) == 3 and words[0].startswith(PREFIX) and words[2].endswith(" Packages"):
            found.append(KernelPackage(package=words[0], version=words[1]))
    return found


def read_files(names: Iterable[str]) -> list[KernelPackage]:
    """The kernel packages among names of files, as dpkg and apt name them (a colon is written as %3a)."""
    found = []
    for name in names:
        if named := _DEB.fullmatch(name):
            version = named[2].replace("%3a", ":").replace("%3A", ":")
            found.append(KernelPackage(package=named[1], version=version, file=name))
    return found


def between(
    offered: Sequence[KernelPackage], good: str, bad: str, *, where: str
) -> tuple[KernelPackage, ...]:
    """The packages of one flavour from `good` to `bad`, each once at its newest, in the order of their versions.

    Either is named as a package or as a release. Raises InputError when one of them is not offered, when they are of
    different flavours, or when `good` is not the older one.
    """
    newest: dict[str, KernelPackage] = {}
    for one in offered:
        if one.package not in newest or key(newest[one.package].version) < key(one.version):
            newest[one.package] = one
    first, last = (_named(newest, name, where) for name in (good, bad))
    for one in (first, last):
        if not one.flavour:
            raise InputError(
                f"{one.package} is not the package of one kernel",
                hint="name a release, as `uname -r` says it: 6.1.0-47-cloud-amd64",
            )
    if first.flavour != last.flavour:
        raise InputError(
            f"{first.release} and {last.release} are of two flavours: {first.flavour} and {last.flavour}",
            hint="take two of one, so that nothing but the version differs",
        )
    if key(first.version) >= key(last.version):
        raise InputError(
            f"{first.release} ({first.version}) is not older than {last.release} ({last.version})",
            hint="seatrial bisect GOOD BAD: the good one comes first",
        )
    low, high = key(first.version), key(last.version)
    inside = (one for one in newest.values() if low <= key(one.version) <= high)
    return tuple(
        sorted(
            (one for one in inside if one.flavour == first.flavour),
            key=lambda one: (key(one.version), key(one.release)),
        )
    )


def _named(offered: dict[str, KernelPackage], name: str, where: str) -> KernelPackage:
    package = name if name.startswith(PREFIX) else PREFIX + name
    if package in offered:
        return offered[package]
    known = sorted(offered.values(), key=lambda one: key(one.version))
    some = ", ".join(one.release for one in known[-8:]) or "none"
    raise InputError(f"{where} has no kernel {name!r}", hint=f"the newest there: {some}")
