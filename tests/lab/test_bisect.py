"""Searches over all kernels that the archive offers between the image's two, booted one after the other in one guest."""

from __future__ import annotations

import asyncio
import difflib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from seatrial.engine.bisecting.guest import Guest
from seatrial.lab import modules, realbug
from seatrial.lab.lab import Lab
from seatrial.lab.scenario import Scenario

pytestmark = pytest.mark.lab

SOURCE = Path(__file__).parents[2] / "src"
LONG = 4 * 3600


@pytest.fixture
def home() -> Iterator[Path]:
    """A state directory whose path is short enough for the sockets in it."""
    with TemporaryDirectory(prefix="st-", dir="/tmp") as folder:
        yield Path(folder)


def bisect(home: Path, *argv: str) -> tuple[list[dict[str, object]], dict[str, object]]:
    told = subprocess.run(
        [sys.executable, "-m", "seatrial", "bisect", *argv, "--json"],
        env={**os.environ, "PYTHONPATH": str(SOURCE), "XDG_STATE_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )
    *events, answer = [json.loads(line) for line in told.stdout.splitlines()]
    assert told.returncode == 0, (answer, told.stderr)
    assert not (home / "seatrial" / "labs").exists(), "a lab that is down leaves no file"
    return events, answer


@pytest.fixture(scope="module")
def offered() -> list[str]:
    """The kernels that the archive offers now: which they are changes with it."""
    listed = subprocess.run(
        ["apt-cache", "pkgnames", "linux-image-6.1.0-"], capture_output=True, text=True, check=True
    ).stdout.split()
    found = {name.removeprefix("linux-image-") for name in listed if name.endswith("-cloud-amd64")}
    return sorted(found, key=lambda release: int(release.split("-")[1]))


@pytest.mark.parametrize(("flaky", "sure"), [("0", "0.99"), ("0.2", "0.999")], ids=["steady", "flaky"])
def test_the_kernel_at_which_a_fault_begins_is_named(
    home: Path, offered: list[str], flaky: str, sure: str
) -> None:
    assert len(offered) >= 5
    first_bad = offered[len(offered) // 2]
    events, answer = bisect(
        home, offered[0], offered[-1], "--stand-in", first_bad, "--stand-in-flaky", flaky,
        "--flow", "s-private-to-outside-udp", "--confidence", sure, "--report", str(home / "report.txt"),
    )  # fmt: skip
    assert len(events[0]["data"]["versions"]) == len(offered)  # type: ignore[index]
    assert (answer["ending"], answer["first"], answer["last"]) == ("found", first_bad, first_bad)
    assert "software emulation" in str(answer["platform"]) or "KVM" in str(answer["platform"])
    assert f"Subject: linux-image-{first_bad}: regression in " in (home / "report.txt").read_text()


async def commits(folder: Path, release: str) -> list[str]:
    """Six commits on vrf.c as patches, of which the fourth puts the call of 2021 back; their names."""
    (folder / "work").mkdir()
    source = await modules.fetch_source(release, folder / "work", realbug.MODULE)
    text = (source / f"{realbug.MODULE}.c").read_text()
    line = "MODULE_LICENSE("
    (folder / "patches").mkdir()
    names = []
    for number in range(1, 7):
        after = (
            realbug.patch(text)
            if number == 4
            else text.replace(line, f'MODULE_INFO(step{number}, "{number}");\n{line}', 1)
        )
        path = f"{realbug.MODULE}.c"
        diff = difflib.unified_diff(
            text.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{path}", f"b/{path}"
        )
        names.append(f"000{number}-step.patch")
        (folder / "patches" / names[-1]).write_text("".join(diff))
        text = after
    return names


async def test_the_commit_that_broke_a_module_is_named(home: Path, offered: list[str]) -> None:
    names = await commits(home, offered[-1])
    events, answer = await asyncio.to_thread(
        bisect, home, "--module", realbug.MODULE, "--patches", str(home / "patches"), "--flaky", "0",
        "--flow", "s-private-to-outside-udp", "--flow", "s-public-to-outside-udp",
    )  # fmt: skip
    assert [one["name"] for one in events[0]["data"]["versions"]] == ["unpatched", *names]  # type: ignore[index]
    assert (answer["ending"], answer["first"], answer["last_good"]) == ("found", names[3], names[2])


async def test_a_kernel_that_panics_is_told_from_one_that_runs_and_lets_nobody_in(
    monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(home))
    lab = await Lab.up(
        "bisected", "gateway-staging", progress=lambda step, part: print(step), owner_pid=os.getpid()
    )
    try:
        guest = Guest(lab, "gw-s1")
        await lab.apply(Scenario.PANIC, progress=lambda step, part: print(step))
        boot = await guest.boot(lab.kernels.candidate)
        assert (boot.up, boot.login) == (False, False)
        assert "Kernel panic" in boot.because
        assert lab.kernels.good in boot.because
        await lab.apply(Scenario.GOOD, progress=lambda step, part: print(step))
        boot = await guest.boot(lab.kernels.candidate)
        assert (boot.up, boot.login) == (True, True)
    finally:
        await lab.down()
