"""The checks `share` and `lock` for real: on file systems of a namespace of their own, which are full, read-only or silent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from seatrial.checks import registry
from seatrial.model.check import Check
from seatrial.model.result import Outcome, Result

from ..conftest import World

PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN


def ask(world: World, **keys: object) -> Result:
    """Every Command of a check at the place where it belongs, those of different places at the same time."""
    check: Check = TypeAdapter(Check).validate_python({"from": "near", "timeout": "20s", **keys})
    asked = registry.ask(check)
    with ThreadPoolExecutor() as pool:
        outputs = list(pool.map(lambda one: world.run(*one), asked))
    return registry.judge("tools", check, outputs)


@pytest.fixture
def share(world: World, tmp_path: Path) -> Iterator[str]:
    """A small file system that only the namespace sees, and that ends with it."""
    world.shell(None, f"mount -t tmpfs -o size=1m,nr_inodes=20 seatrial {tmp_path}")
    yield str(tmp_path)
    assert "seatrial" not in world.shell(None, f"ls -A {tmp_path}"), "a check leaves nothing"


def test_a_file_system_that_is_well_is_used_like_its_users_do_and_left_clean(
    world: World, share: str
) -> None:
    result = ask(world, kind="share", path=share, type="tmpfs")
    assert result.outcome is PASS, result
    assert {"mkdir_ms", "write_ms", "fsync_ms", "read_ms", "rename_ms", "unlink_ms"} <= set(result.evidence)
    assert (result.evidence["type"], result.evidence["source"]) == ("tmpfs", "seatrial")


def test_what_is_not_mounted_is_not_taken_for_the_directory_below(world: World, share: str) -> None:
    result = ask(world, kind="share", path=share, type="nfs4")
    assert (result.outcome, result.because) == (
        FAIL,
        f"{share} on near is tmpfs, not nfs4: it is not mounted",
    )


@pytest.mark.parametrize(
    ("spoil", "because"),
    [
        ("head -c 2m /dev/zero >{share}/full || true", "write: No space left on device"),
        ("touch $(seq -f {share}/%.0f 30) 2>/dev/null || true", "mkdir: No space left on device"),
        ("mount -o remount,ro {share}", "mkdir: Read-only file system"),
    ],
    ids=["no room", "no inodes", "read-only"],
)
def test_what_cannot_be_written_to_is_said_with_the_step(
    spoil: str, because: str, world: World, share: str
) -> None:
    world.shell(None, spoil.format(share=share))
    result = ask(world, kind="share", path=share)
    assert (result.outcome, result.because) == (FAIL, f"{share} on near: {because}")
    assert result.hint
    assert ask(world, kind="share", path=share, write=False).outcome is PASS


def test_a_file_that_nobody_answers_for_is_given_up_in_time(world: World, share: str) -> None:
    # Whoever opens a pipe to read waits until somebody opens it to write, as on a file of a dead server.
    world.shell(None, f"mkfifo {share}/silent")
    result = ask(world, kind="share", path=share, write=False, file="silent", timeout="1s")
    assert (result.outcome, result.because) == (FAIL, f"{share} on near: read: no answer within 1 s")
    assert "open_ms" in result.evidence
    world.shell(None, f": >{share}/silent; rm {share}/silent")


def test_a_lock_is_refused_while_it_is_held_and_given_afterwards(world: World, share: str) -> None:
    result = ask(world, kind="lock", **{"with": "far"}, path=share)
    assert result.outcome is PASS, result
    assert result.because.startswith(f"far was refused the lock that near had at {share}, and got it ")


def test_two_that_do_not_share_a_directory_do_not_meet(world: World, share: str) -> None:
    world.shell(None, f"mkdir {share}/one {share}/other")
    result = ask(
        world,
        kind="lock",
        **{"with": "far", "with_path": f"{share}/other"},
        path=f"{share}/one",
        timeout="2s",
    )
    assert (result.outcome, result.because) == (
        UNKNOWN,
        f"near and far did not meet at {share}/one within 1.6 s",
    )
    assert "timeout" in result.hint


def test_a_path_cannot_lead_out_of_its_place() -> None:
    for path in ("mnt", "/mnt/../etc", "/mnt/a\nb", ""):
        with pytest.raises(ValueError, match="path"):
            TypeAdapter(Check).validate_python({"kind": "share", "from": "near", "path": path})
    with pytest.raises(ValueError, match="two places"):
        TypeAdapter(Check).validate_python({"kind": "lock", "from": "near", "with": "near", "path": os.sep})
