"""What machine a host is and what its kernel has in use: one Command, and its answer as plain JSON for the journal. Pure.

It decides nothing and refuses nobody: it is what a verdict on a kernel is remembered with, and what the search for the
bad patch is narrowed by. Everything in it was said by the host and is bounded here.
"""

from __future__ import annotations

import re
from typing import Any

from seatrial.boot.frames import read_sections
from seatrial.boot.scripts import describe_script
from seatrial.model.command import Command, Output

_MOST = 500
_WIDTH = 100
_NAME = re.compile(r"[A-Za-z0-9_.+~:-]{1,64}")
_BUILT = re.compile(r"\bDebian (\d[\w.+~-]{0,60})")
_CPU = re.compile(r"\s*(\d{1,6}) (.{1,200})")
# What every Linux has mounted without anybody using it.
_PSEUDO = frozenset(
    (
        "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs",
        "fusectl", "hugetlbfs", "mqueue", "proc", "pstore", "ramfs", "rootfs", "securityfs", "sysfs", "tmpfs", "tracefs",
    )
)  # fmt: skip


def describe() -> Command:
    """Ask for it; needs no root, and only reads."""
    return Command(
        name="host.describe", argv=("sh", "-s"), stdin=describe_script(), timeout=30.0, limit=512 * 1024
    )


def read_description(output: Output) -> dict[str, Any] | None:
    """The answer: running, machine, product, bios, cpu, nics, modules, filesystems, packages. None when it is not whole.

    `packages` has the version of the package of each installed release, `nics` the driver of each interface.
    """
    if not output.answered:
        return None
    said = read_sections(output.stdout)
    running = said.text("running").strip()
    if not said.whole or not _NAME.fullmatch(running):
        return None
    dmi = dict(line.split(" ", 1) for line in said.lines("dmi") if " " in line)
    vendor, product = _short(dmi.get("sys_vendor", "")), _short(dmi.get("product_name", ""))
    return {
        "running": running,
        "machine": _short(said.text("machine")),
        "product": f"{vendor} {product}".strip(),
        "bios": _short(dmi.get("bios_version", "")),
        "cpu": _cpu(said.lines("cpu")),
        "nics": dict(_pairs(said.lines("nics"))),
        "modules": _names(said.lines("modules")),
        "filesystems": [name for name in _names(said.lines("filesystems")) if name not in _PSEUDO],
        "packages": _packages(said.lines("kernels"), running, said.text("built")),
    }


def _cpu(lines: list[str]) -> str:
    found = [match for line in lines if (match := _CPU.fullmatch(line))]
    return ", ".join(f"{match[1]} x {_short(match[2])}" for match in found[:4])


def _packages(lines: list[str], running: str, built: str) -> dict[str, str]:
    packages = {}
    for line in lines[:_MOST]:
        words = line.split()
        if len(words) == 3 and words[2] == "installed" and _NAME.fullmatch(words[1]):
            packages[words[0].removeprefix("linux-image-").removeprefix("unsigned-")[:_WIDTH]] = words[1]
    # What runs says itself of which package it was built, also where that package has been replaced since.
    if found := _BUILT.search(built):
        packages[running] = found[1]
    return packages


def _pairs(lines: list[str]) -> list[tuple[str, str]]:
    pairs = (line.split() for line in lines[:_MOST])
    return [(one, other) for one, other in (p for p in pairs if len(p) == 2) if _NAME.fullmatch(other)]


def _names(lines: list[str]) -> list[str]:
    return [line.strip() for line in lines[:_MOST] if _NAME.fullmatch(line.strip())]


def _short(text: str) -> str:
    return " ".join(text.split())[:_WIDTH]
