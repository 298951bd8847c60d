"""What several verbs are tried on: three namespaces in a row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checks.conftest import World

from .three import Three


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Three]:
    world = World()
    try:
        world.build()
        yield Three(tmp_path, world)
    finally:
        world.end()
