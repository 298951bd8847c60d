"""One lab for all tests of this room, since a lab takes half a minute and a processor."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from seatrial.lab.lab import Lab


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """A lab that dies with the test run, whatever ends that."""
    # Short, because the paths of unix sockets are; the images stay in the user's own cache.
    with TemporaryDirectory(prefix="st-", dir="/tmp") as home, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", home)
        up = asyncio.run(Lab.up("pytest", progress=lambda step, part: print(step), owner_pid=os.getpid()))
        yield up
        asyncio.run(up.down())
        assert not Path(home, "seatrial").exists(), "a lab that is down leaves no file"


@pytest.fixture
def short_home(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A state directory of the test's own, with a path that sockets can have."""
    with TemporaryDirectory(prefix="st-", dir="/tmp") as home:
        monkeypatch.setenv("XDG_STATE_HOME", home)
        yield
