"""The Debian package in a bare Debian: it needs what it says, works there, and leaves nothing when it is purged."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from .bare import tried
from .installed import ROOT

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, as `make deb` builds it; SEATRIAL_DEB names one that is built already."""
    if built := os.environ.get("SEATRIAL_DEB"):
        return Path(built).resolve()
    out = tmp_path_factory.mktemp("deb")
    subprocess.run(
        [str(ROOT / "tools" / "build-deb")],
        check=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHON": sys.executable, "OUT": str(out)},
    )
    (found,) = out.glob("seatrial_*.deb")
    return found


@pytest.fixture(scope="module")
def said(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    return tried(package, tmp_path_factory.mktemp("debian"))


def test_it_asks_for_pythons_own_package_and_the_c_library_only(said: Mapping[str, str]) -> None:
    assert said["depends"] == "python3 (>= 3.11), python3 (<< 3.12), libc6"
    assert "Setting up seatrial" in said["install"]


def test_the_program_says_its_version(said: Mapping[str, str]) -> None:
    assert said["version"].splitlines()[0] == "0.1.0"


def test_the_packaged_example_is_rehearsed(said: Mapping[str, str]) -> None:
    assert said["rehearse"].endswith("exit 0"), said["rehearse"]
    assert "Replies of translated flows are lost at gw-s1" in said["demo"]


def test_the_page_is_served(said: Mapping[str, str]) -> None:
    assert said["serve"] == "200 True"


def test_settings_of_a_person_stay_until_it_is_purged(said: Mapping[str, str]) -> None:
    assert said["settings"].splitlines() == ["# ours", "# ours"]


def test_a_purge_leaves_nothing(said: Mapping[str, str]) -> None:
    assert said["left"] == ""
    assert "not empty" not in said["purge"], said["purge"]


def test_the_manual_is_found(said: Mapping[str, str]) -> None:
    assert "/usr/share/man/man1/seatrial.1.gz" in said["manual"]
    assert "SEATRIAL(1)" in said["manual"]


def test_systemd_finds_no_mistake_in_the_unit_that_is_installed(said: Mapping[str, str]) -> None:
    assert said["unit"] == "verified"


def test_lintian_finds_no_error_and_no_warning(said: Mapping[str, str]) -> None:
    assert re.findall(r"^[EW]: .*", said["lintian"], re.MULTILINE) == []
