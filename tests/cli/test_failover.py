"""`seatrial failover` at its edges: what is wrong with the input, and what it says when there is nothing to go on with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from seatrial.lab.nfspair import nfs_pair_fleet

SOURCE = Path(__file__).parents[2] / "src"


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """A pair whose hosts are nowhere: 192.0.2.0/24 is for documents."""
    path = tmp_path / "fleet.yaml"
    path.write_text(nfs_pair_fleet(lambda name: {"ssh": f"{name}.invalid"}), encoding="utf-8")
    return path


def failover(fleet: Path, *words: str) -> tuple[int, dict[str, object]]:
    """The exit code and the last JSON document of `seatrial failover`."""
    ended = subprocess.run(
        [sys.executable, "-m", "seatrial", "failover", *words, "-f", str(fleet), "--json"],
        env={
            **os.environ,
            "PYTHONPATH": str(SOURCE),
            "XDG_STATE_HOME": str(fleet.parent),
            "SEATRIAL_DATABASE": f"sqlite:///{fleet.parent / 'journal.db'}",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, json.loads(ended.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("nfz",), 2, "there is no group 'nfz' in the fleet"),
        (("nfs", "--to", "nfs-c1"), 2, "nfs-c1 is not in group nfs"),
        (("nfs", "--resume"), 2, "no failover of nfs is open"),
        (("nfs",), 2, "it cannot be told which host of nfs carries it now, so not what the other one is"),
    ],
)
def test_what_cannot_begin_says_why_and_what_to_do(
    fleet: Path, words: tuple[str, ...], code: int, error: str
) -> None:
    got, document = failover(fleet, *words)
    assert (got, document["error"]) == (code, error)
    assert document["hint"]


def test_a_move_to_a_host_that_nobody_can_ask_is_not_known(fleet: Path) -> None:
    code, document = failover(fleet, "nfs", "--to", "nfs-2")
    assert (code, document["outcome"]) == (3, "refused")
    assert "does not say how it stands" in str(document["because"])
