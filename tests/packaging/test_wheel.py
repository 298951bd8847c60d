"""The wheel has all that it needs at run time, and works where there is no checkout."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import urllib.request
import zipfile
from pathlib import Path

import pytest

from .installed import ROOT, Installed, build, install


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("wheel")
    return install(build(folder), folder / "venv")


def test_every_file_of_the_source_is_in_the_wheel_and_no_other(installed: Installed) -> None:
    source = ROOT / "src"
    ours = {
        str(path.relative_to(source))
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and ".egg-info" not in str(path)
    }
    packed = {name for name in zipfile.ZipFile(installed.wheel).namelist() if name.startswith("seatrial/")}
    assert packed == ours
    assert any(name.endswith("onhost/gate.sh") for name in packed)


def test_it_is_not_the_checkout_that_runs(installed: Installed, tmp_path: Path) -> None:
    told = installed.run("-c", "import seatrial; print(seatrial.__file__)", cwd=tmp_path, program="python")
    assert told.stdout.startswith(str(installed.folder)), told.stderr


def test_the_story_is_told_from_the_wheel_alone(installed: Installed, tmp_path: Path) -> None:
    told = installed.run("demo", "--rehearse", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert "Replies of translated flows are lost at gw-s1" in told.stdout


def test_the_page_is_served_from_the_wheel_alone(installed: Installed, tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    with subprocess.Popen(
        [str(installed.folder / "bin" / "seatrial"), "serve", "--listen", "127.0.0.1:0"],
        cwd=tmp_path,
        env={**environment, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        try:
            address = re.search(r"http://[^/ ]+", said)
            assert address, said
            with urllib.request.urlopen(f"{address[0]}/") as page:
                text = page.read().decode()
            for name in re.findall(r'(?:href|src)="(/static/[^"]+)"', text):
                with urllib.request.urlopen(f"{address[0]}{name}") as part:
                    assert part.status == 200 and part.read()
            assert "/static/" in text
        finally:
            process.send_signal(signal.SIGTERM)


def test_a_first_fleet_file_its_check_and_its_list_for_sudo_work(
    installed: Installed, tmp_path: Path
) -> None:
    (tmp_path / "hosts").write_text("gw1\ngw2\n")
    assert installed.run("init", "ansible", "hosts", cwd=tmp_path).returncode == 0
    told = installed.run("sudoers", "--json", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert set(json.loads(told.stdout)["places"]) == {"gw1", "gw2", "here"}
    assert installed.run("sudoers", "--gate", cwd=tmp_path).stdout.startswith("#!/bin/sh\n")


def test_manual_completions_unit_and_example_are_where_they_are_looked_for(installed: Installed) -> None:
    share = installed.folder / "share"
    for name in (
        "man/man1/seatrial.1",
        "bash-completion/completions/seatrial",
        "zsh/site-functions/_seatrial",
        "fish/vendor_completions.d/seatrial.fish",
        "seatrial/seatrial.service",
        "seatrial/serve.env",
        "seatrial/fleet.yaml",
    ):
        assert (share / name).stat().st_size > 0, name
