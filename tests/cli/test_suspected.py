"""Suspects for the answer of a search, from the changelog in a real package of the folder that was searched."""

from __future__ import annotations

import asyncio
import gzip
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seatrial.bisect.course import Attempt, Course, Version
from seatrial.bisect.search import Answer, Ending
from seatrial.cli.suspected import suspected
from seatrial.clock import SystemClock
from seatrial.model.result import Outcome

RELEASES = {
    "6.1.0-50-cloud-amd64": "6.1.176-1",
    "6.1.0-51-cloud-amd64": "6.1.177-1",
    "6.1.0-52-cloud-amd64": "6.1.180-1",
}
ENTRY = """\
linux ({version}) bookworm; urgency=medium

  * New upstream stable update:
    https://www.kernel.org/pub/linux/kernel/v6.x/ChangeLog-{upstream}
{patches}

 -- Nobody <nobody@example.org>  Sun, 01 Mar 2026 12:00:00 +0000

"""
PATCHES = {
    "6.1.180-1": ["sound: raise the volume", "netfilter: conntrack: keep the entry of a translated tcp flow"],
    "6.1.177-1": ["netfilter: conntrack: forget the entry of a translated tcp flow", "drm: draw it once"],
    "6.1.176-1": ["btrfs: count to four"],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the newest package, which has a changelog and nothing else."""
    root = tmp_path / "root"
    (root / "DEBIAN").mkdir(parents=True)
    package = "linux-image-6.1.0-52-cloud-amd64"
    (root / "DEBIAN" / "control").write_text(
        f"Package: {package}\nVersion: 6.1.180-1\nArchitecture: amd64\n"
        "Maintainer: nobody <nobody@example.org>\nDescription: a kernel of no bytes\n"
    )
    text = "".join(
        ENTRY.format(
            version=version,
            upstream=version.partition("-")[0],
            patches="\n".join(f"    - {patch}" for patch in patches),
        )
        for version, patches in PATCHES.items()
    )
    docs = root / "usr/share/doc" / package
    docs.mkdir(parents=True)
    (docs / "changelog.Debian.gz").write_bytes(gzip.compress(text.encode()))
    made = tmp_path / "debs"
    made.mkdir()
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-b", str(root), str(made / f"{package}_6.1.180-1_amd64.deb")],
        check=True,
        capture_output=True,
    )
    return made


def course(folder: Path, **ground: Any) -> Course:
    """A search that found 51 to be the first bad one, by a flow that is translated."""
    packages = [
        {
            "package": f"linux-image-{release}",
            "version": version,
            "file": f"linux-image-{release}_{version}_amd64.deb",
        }
        for release, version in RELEASES.items()
    ]
    failed = {"check": "s-private-to-outside-tcp", "outcome": "fail", "because": "answer lost"}
    return Course(
        id="b1",
        versions=tuple(Version(name=release) for release in RELEASES),
        ground={
            "kind": "kernels",
            "packages": packages,
            "folder": str(folder),
            "topology": "gateway-staging",
            "fleet": None,
            **ground,
        },
        attempts=(
            Attempt(
                version="6.1.0-51-cloud-amd64",
                outcome=Outcome.FAIL,
                because="answer lost",
                at=SystemClock().now(),
                results=(failed,),
            ),
        ),
        answer=Answer(
            ending=Ending.FOUND,
            first=1,
            last=1,
            last_good=0,
            confidence=0.99,
            wrong_fails=0.0,
            wrong_passes=0.0,
        ),
    )


def test_the_patches_of_the_first_bad_package_are_ranked_by_what_failed(folder: Path) -> None:
    found = asyncio.run(suspected(course(folder)))
    assert found.lines == (
        "netfilter: conntrack: forget the entry of a translated tcp flow (6.1.177-1)",
        "drm: draw it once (6.1.177-1)",
    )
    assert found.command.startswith("seatrial suspects 6.1.0-50-cloud-amd64 6.1.0-51-cloud-amd64 ")


def test_a_package_without_a_changelog_leaves_the_answer_without_suspects(tmp_path: Path) -> None:
    (tmp_path / "linux-image-6.1.0-52-cloud-amd64_6.1.180-1_amd64.deb").write_bytes(b"!<arch>\n")
    found = asyncio.run(suspected(course(tmp_path)))
    assert found.lines == ()
    assert "6.1.0-52" in found.command


def test_a_module_and_a_rehearsal_have_no_package_to_look_into(tmp_path: Path) -> None:
    assert asyncio.run(suspected(course(tmp_path, kind="module"))).command == ""
    rehearsed = asyncio.run(suspected(replace(course(tmp_path), ground={"kind": "simulated"})))
    assert (rehearsed.lines, rehearsed.command[:17]) == ((), "seatrial suspects")
