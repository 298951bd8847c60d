"""Every file in golden/, by both programs: verdicts, mistakes with their places, lines and exit codes.

`python -m tests.checklist.told` writes what is compared here; look at its diff as at any other.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from .told import FILES, told


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_is_told_as_it_was(path: Path) -> None:
    assert told(path) == path.with_suffix(".txt").read_text()


def test_there_are_files() -> None:
    assert {"old-format", "hostile-time", "hostile-outputs", "wrong-types", "bomb"} <= {p.stem for p in FILES}
