"""Packages and patches on their way into the lab, with the real dpkg-deb, depmod and git, and no guest."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

import pytest

from seatrial.errors import InputError, LabError
from seatrial.kernels.packages import KernelPackage
from seatrial.lab import kernels, modules

RELEASE = "6.1.0-50-cloud-amd64"
PACKAGE = KernelPackage(package=f"linux-image-{RELEASE}", version="6.1.176-1")


def deb(folder: Path, *, modules_in: str, image: bool = True) -> Path:
    """A package as Debian's are, of which nothing is big. `modules_in` is lib or usr/lib."""
    root = folder / "root"
    (root / "DEBIAN").mkdir(parents=True)
    (root / "DEBIAN" / "control").write_text(
        f"Package: {PACKAGE.package}\nVersion: {PACKAGE.version}\nArchitecture: amd64\n"
        "Maintainer: nobody <nobody@example.org>\nDescription: a kernel of no bytes\n"
    )
    (root / "DEBIAN" / "postinst").write_text(f"#!/bin/sh\ntouch {folder}/ran\n")
    (root / "DEBIAN" / "postinst").chmod(0o755)
    where = root / modules_in / "modules" / RELEASE
    (where / "kernel").mkdir(parents=True)
    (where / "modules.order").touch()
    (where / "modules.builtin").touch()
    (root / "boot").mkdir()
    if image:
        (root / "boot" / f"vmlinuz-{RELEASE}").write_bytes(b"kernel")
    path = folder / "kernel.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-b", str(root), str(path)], check=True, capture_output=True
    )
    return path


@pytest.mark.parametrize("modules_in", ["lib", "usr/lib"])
async def test_a_package_becomes_an_image_its_modules_and_their_index_and_no_script_of_it_runs(
    tmp_path: Path, modules_in: str
) -> None:
    package = deb(tmp_path, modules_in=modules_in)
    (tmp_path / "scratch").mkdir()
    tar = await kernels.unpack(PACKAGE, package, tmp_path / "scratch")
    with tarfile.open(tar) as packed:
        names = packed.getnames()
    assert f"boot/vmlinuz-{RELEASE}" in names
    assert f"usr/lib/modules/{RELEASE}/modules.dep" in names
    assert not [name for name in names if not name.startswith(("boot/vmlinuz", "usr/lib/modules/"))]
    assert not (tmp_path / "ran").exists()


async def test_a_package_without_a_kernel_is_named(tmp_path: Path) -> None:
    package = deb(tmp_path, modules_in="lib", image=False)
    (tmp_path / "scratch").mkdir()
    with pytest.raises(LabError, match=f"kernel.deb has no kernel {RELEASE}"):
        await kernels.unpack(PACKAGE, package, tmp_path / "scratch")


async def test_a_package_in_a_folder_is_taken_from_there(tmp_path: Path) -> None:
    name = f"{PACKAGE.package}_{PACKAGE.version}_amd64.deb"
    (tmp_path / name).touch()
    (found,) = kernels.in_folder(tmp_path)
    assert await kernels.fetch(found, tmp_path, lambda step, part: None) == tmp_path / name


def patch(path: str, old: str, new: str) -> str:
    return f"--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-{old}\n+{new}\n"


async def test_patches_are_applied_to_the_module_alone_and_in_order(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "drivers/net").mkdir(parents=True)
    (tree / "drivers/net/vrf.c").write_text("one\n")
    first, second = tmp_path / "1.patch", tmp_path / "2.patch"
    first.write_text(patch("drivers/net/vrf.c", "one", "two") + patch("README", "far", "away"))
    second.write_text(patch("drivers/net/vrf.c", "two", "three"))
    await modules.apply([first, second], tree, "drivers/net/vrf")
    assert (tree / "drivers/net/vrf.c").read_text() == "three\n"
    with pytest.raises(InputError, match=r"1\.patch does not apply to drivers/net/vrf"):
        await modules.apply([first], tree, "drivers/net/vrf")


def test_a_release_whose_headers_nobody_knows_is_refused() -> None:
    assert modules.series_of("6.1.0-56-cloud-amd64") == "6.1"
    with pytest.raises(LabError, match="is not a release whose headers can be found"):
        modules.series_of("5.15.0-91-generic")
