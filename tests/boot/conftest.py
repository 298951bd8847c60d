"""What the tests of the boot room share: the mark that keeps every script from acting on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.boot.machine import Machine


@pytest.fixture(autouse=True)
def _never_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    # The scripts refuse to act with this in their environment, unless SEATRIAL_ROOT names a machine on paper.
    monkeypatch.setenv("SEATRIAL_TEST", "1")


@pytest.fixture(params=["dash", "busybox"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    yield Machine(tmp_path / "root", shell=str(request.param))
    assert os.environ["SEATRIAL_TEST"]
