"""Reading the file from disk: what an operator is told when it is not there or may not be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.errors import InputError
from seatrial.fleetfile import load

from .small import SMALL


def test_a_file_is_read_and_named_as_it_was_given(tmp_path: Path) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_text(SMALL)
    assert load(path).name == "small"
    path.write_text(SMALL.replace("version: 1", "version: 7"))
    with pytest.raises(InputError) as caught:
        load(path)
    assert str(caught.value) == f"{path}:1:10: version: 1 is wanted, not 7"


def test_a_missing_file_says_how_to_begin(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file") as caught:
        load(tmp_path / "fleet.yaml")
    assert "seatrial init" in caught.value.hint


def test_a_directory_says_which_file_in_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a directory") as caught:
        load(tmp_path)
    assert f"{tmp_path}/fleet.yaml" in caught.value.hint


def test_what_cannot_be_read_is_said_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "loop.yaml"
    path.symlink_to(path)
    with pytest.raises(InputError, match="cannot be read: Too many levels of symbolic links"):
        load(path)


def test_a_file_without_end_is_refused() -> None:
    with pytest.raises(InputError, match="longer than 4 MiB"):
        load(Path("/dev/zero"))
