"""The real exportfs of two servers, each in a mount namespace of its own with its own tables; only their nfsd is made up.

Without a kernel's nfsd exportfs writes its table all the same, and that table is what is compared here. A guest with the
real one is in test_in_guests.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from seatrial.clock import SystemClock
from seatrial.errors import NotKnown
from seatrial.exports.plan import Plan
from seatrial.journal.store import Journal
from seatrial.model.exports import Exports
from seatrial.model.fleet import Fleet
from seatrial.perform.exports import Applied, apply, compare
from seatrial.perform.world import World
from seatrial.vantage.local import LocalVantage
from seatrial.vantage.pool import Pool

INTO = "/etc/exports.d/seatrial.exports"
# The server's folders, lists and threads; nothing of this machine is written.
ROOM = """
set -e
mount -t tmpfs none /srv; mkdir /srv/a /srv/b /srv/c /srv/hand
mkdir -p /var/lib/nfs; mount -t tmpfs none /var/lib/nfs; touch /var/lib/nfs/etab /var/lib/nfs/rmtab
mount -t tmpfs none /mnt; : >/mnt/exports; mkdir /mnt/exports.d
mount --bind /mnt/exports /etc/exports
mount --bind /mnt/exports.d /etc/exports.d
mount -t tmpfs none /proc/fs; mkdir /proc/fs/nfsd; echo "$1" >/proc/fs/nfsd/threads
echo ready
exec cat
"""


class Server:
    """One mount namespace, which ends with its process; this machine's own files are seen in it and not written."""

    def __init__(self, name: str, threads: int) -> None:
        self.name = name
        self.process = subprocess.Popen(
            ["unshare", "-Urm", "sh", "-c", ROOM, "sh", str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"
        self.enter = ("nsenter", "--preserve-credentials", "-t", str(self.process.pid), "-U", "-m", "--")

    def sh(self, script: str) -> str:
        return subprocess.run(
            [*self.enter, "sh", "-ec", script], check=True, capture_output=True, text=True, timeout=60
        ).stdout

    def served(self) -> list[str]:
        return sorted(
            " ".join(line.partition("(")[0].split()) for line in self.sh("exportfs -s").splitlines()
        )

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


class Inside(LocalVantage):
    """A server as a vantage: the same bundle as everywhere, led to it."""

    def __init__(self, server: Server) -> None:
        super().__init__(server.name, places=Pool().places)
        self.server = server

    @property
    def argv(self) -> tuple[str, ...]:
        return (*self.server.enter, "sh")


@pytest.fixture
def pair() -> Iterator[tuple[Server, Server]]:
    """One that serves, and one that stands by."""
    servers: list[Server] = []
    try:
        for name, threads in (("nfs-1", 8), ("nfs-2", 0)):
            servers.append(Server(name, threads))
        yield servers[0], servers[1]
    finally:
        for server in servers:
            server.end()


def world_of(pair: tuple[Server, Server], **exports: object) -> World:
    declared = {
        "version": 1,
        "name": "pair",
        "stages": [{"name": "storage"}],
        "hosts": {
            one.name: {"stage": "storage", "roles": ["nfs"], "reach": {"simulated": True}} for one in pair
        },
        "groups": {"nfs": {"hosts": [one.name for one in pair], "mover": {"address": "192.0.2.10"}}},
        "exports": {"tools": {"group": "nfs", **exports}},
    }
    fleet = Fleet.model_validate_json(json.dumps(declared))
    return World(fleet=fleet, places={one.name: Inside(one) for one in pair}, clock=SystemClock())


async def applied(world: World, *, allowed: bool = False) -> tuple[Applied, list[Plan]]:
    wanted: Exports = world.fleet.exports["tools"]
    intents: list[Plan] = []
    compared = await compare(world, wanted)
    return await apply(world, wanted, compared, allowed=allowed, intent=intents.append), intents


async def test_what_is_wanted_is_added_on_both_and_served_where_nfsd_runs(
    pair: tuple[Server, Server], tmp_path: Path
) -> None:
    source = tmp_path / "wanted"
    source.write_text(
        "/srv/a 192.0.2.0/24(rw,sync,no_subtree_check)\n/srv/b 2001:db8::/64(ro,no_subtree_check)\n"
    )
    world = world_of(pair, file=str(source))
    done, intents = await applied(world)
    assert (done.problems, done.done, len(intents)) == ({}, ("nfs-1", "nfs-2"), 1)
    assert pair[0].served() == ["/srv/a 192.0.2.0/24", "/srv/b 2001:db8::/64"]
    assert pair[1].served() == []
    assert pair[0].sh(f"cat {INTO}") == pair[1].sh(f"cat {INTO}")
    # Again: nothing to do, nothing written, no intent.
    mark = pair[0].sh(f"stat -c %i:%Y {INTO}")
    done, intents = await applied(world)
    assert (done.problems, intents, pair[0].sh(f"stat -c %i:%Y {INTO}")) == ({}, [], mark)


async def test_a_failed_an_empty_and_a_half_answer_take_nothing_away(
    pair: tuple[Server, Server], tmp_path: Path
) -> None:
    source = tmp_path / "wanted"
    whole = "".join(f"/srv/{name} 192.0.2.0/24(rw,no_subtree_check)\n" for name in "abc")
    source.write_text(whole)
    world = world_of(pair, command=["sh", "-c", f"cat {source} && test ! -e {source}.down"])
    await applied(world)
    served = pair[0].served()
    assert len(served) == 3
    (tmp_path / "wanted.down").touch()
    with pytest.raises(NotKnown, match="status 1"):
        await applied(world)
    (tmp_path / "wanted.down").unlink()
    for text, kept in (("", 3), (whole[:-5], None), (whole[: whole.index("/srv/c")], 1)):
        source.write_text(text)
        if kept is None:
            with pytest.raises(NotKnown, match="cut off"):
                await applied(world)
        else:
            done, intents = await applied(world)
            assert (len(done.plan.kept), intents) == (kept, [])
        assert pair[0].served() == served
    # A person's word lets it go, on both; the file before is kept beside it.
    done, intents = await applied(world, allowed=True)
    assert (done.problems, [len(one.removed) for one in intents]) == ({}, [1])
    assert pair[0].served() == served[:2]
    assert "/srv/c" in pair[1].sh(f"cat {INTO}.previous")
    assert "/srv/c" not in pair[1].sh(f"cat {INTO}")


async def test_what_others_export_is_neither_taken_away_nor_complained_of(
    pair: tuple[Server, Server], tmp_path: Path
) -> None:
    pair[0].sh("exportfs -o rw,no_subtree_check 192.0.2.9:/srv/hand")
    pair[0].sh("echo '/srv/c 192.0.2.0/24(rw,no_subtree_check)' >/etc/exports.d/other.exports; exportfs -a")
    source = tmp_path / "wanted"
    source.write_text("".join(f"/srv/{name} 192.0.2.0/24(rw,no_subtree_check)\n" for name in "ac"))
    world = world_of(pair, file=str(source), removals={"most": 9, "share": 100})
    await applied(world)
    source.write_text("/srv/a 192.0.2.0/24(rw,no_subtree_check)\n")
    done, _ = await applied(world)
    assert (done.problems, len(done.plan.removed)) == ({}, 1)
    # Ours is gone, and the same one in the other file is served on.
    assert pair[0].served() == ["/srv/a 192.0.2.0/24", "/srv/c 192.0.2.0/24", "/srv/hand 192.0.2.9"]


async def test_what_cannot_be_served_is_told_with_what_exportfs_says(
    pair: tuple[Server, Server], tmp_path: Path
) -> None:
    source = tmp_path / "wanted"
    source.write_text(
        "/srv/a 192.0.2.0/24(rw,no_subtree_check)\n/srv/gone 192.0.2.0/24(rw,no_subtree_check)\n"
    )
    done, _ = await applied(world_of(pair, file=str(source)))
    assert done.done == ("nfs-2",)
    assert "written and not served: /srv/gone to 192.0.2.0/24" in done.problems["nfs-1"]
    assert "No such file" in done.problems["nfs-1"]
    # exportfs lists it all the same, and it is not believed the second time either.
    assert "/srv/gone 192.0.2.0/24" in pair[0].served()
    again, intents = await applied(world_of(pair, file=str(source)))
    assert (again.done, len(intents)) == (("nfs-2",), 1)


async def test_a_host_that_is_silent_hinders_no_other_and_is_named(
    pair: tuple[Server, Server], tmp_path: Path
) -> None:
    source = tmp_path / "wanted"
    source.write_text("/srv/a 192.0.2.0/24(rw,no_subtree_check)\n")
    world = world_of(pair, file=str(source))
    pair[1].end()
    done, _ = await applied(world)
    assert done.done == ("nfs-1",)
    assert list(done.problems) == ["nfs-2"]
    assert pair[0].served() == ["/srv/a 192.0.2.0/24"]


async def test_a_file_that_changes_between_look_and_write_is_left_as_it_is(
    pair: tuple[Server, Server], tmp_path: Path
) -> None:
    source = tmp_path / "wanted"
    source.write_text("/srv/a 192.0.2.0/24(rw,no_subtree_check)\n")
    world = world_of(pair, file=str(source))
    compared = await compare(world, world.fleet.exports["tools"])
    by_hand = "/srv/b 192.0.2.0/24(rw,no_subtree_check)\n"
    pair[0].sh(f"printf '{by_hand}' >{INTO}")
    done = await apply(world, world.fleet.exports["tools"], compared, allowed=False, intent=lambda _: None)
    assert "has changed since it was looked at" in done.problems["nfs-1"]
    assert pair[0].sh(f"cat {INTO}") == by_hand
    # The next one sees it, and nothing is lost.
    done, _ = await applied(world)
    assert (done.problems, pair[0].served()) == ({}, ["/srv/a 192.0.2.0/24", "/srv/b 192.0.2.0/24"])


def cli(server: Server, tmp_path: Path, *words: str) -> tuple[int, str]:
    """The verb as a person types it, in the server's own namespace, about this machine."""
    done = subprocess.run(
        [
            *server.enter,
            sys.executable,
            "-m",
            "seatrial",
            "exports",
            *words,
            "-f",
            str(tmp_path / "fleet.yaml"),
        ],
        env={**os.environ, "XDG_STATE_HOME": str(tmp_path), "SEATRIAL_BY": "ada", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_verb_says_what_it_found_with_its_exit_code_and_the_journal_has_who_and_why(
    pair: tuple[Server, Server], tmp_path: Path
) -> None:
    source, server = tmp_path / "wanted", pair[0]
    fleet = {
        "version": 1,
        "name": "one",
        "stages": [{"name": "storage"}],
        "hosts": {"nfs-1": {"stage": "storage", "roles": ["nfs"], "reach": {"local": True}}},
        "exports": {"tools": {"group": "nfs-1", "file": str(source), "removals": {"most": 1, "share": 50}}},
    }
    (tmp_path / "fleet.yaml").write_text(json.dumps(fleet))
    code, said = cli(server, tmp_path, "check")
    assert (code, "it is not known what should be served" in said) == (3, True)
    source.write_text("".join(f"/srv/{name} 192.0.2.0/24(rw,no_subtree_check)\n" for name in "abc"))
    code, said = cli(server, tmp_path, "check")
    assert (code, "not in its file: /srv/a to 192.0.2.0/24, /srv/b" in said) == (1, True)
    code, said = cli(server, tmp_path, "apply", "--why", "three projects")
    assert (code, "3 entries on nfs-1   ok" in said) == (0, True)
    code, said = cli(server, tmp_path, "check", "--json")
    assert (code, json.loads(said)["outcome"]) == (0, "pass")
    source.write_text("")
    code, said = cli(server, tmp_path, "apply")
    assert (code, "kept: /srv/a" in said, "--allow-removals" in said) == (1, True, True)
    source.write_text("<html>502</html>\n")
    code, said = cli(server, tmp_path, "apply", "--json")
    assert (code, json.loads(said)["outcome"]) == (3, "unknown")
    assert len(server.served()) == 3
    source.write_text("/srv/gone 192.0.2.0/24(rw,no_subtree_check)\n")
    code, said = cli(server, tmp_path, "apply", "--allow-removals", "all moved away")
    assert (code, "written and not served: /srv/gone" in said) == (4, True)
    assert cli(server, tmp_path, "check", "--group", "nfs-9")[0] == 2
    events = Journal(f"sqlite:///{tmp_path / 'seatrial' / 'journal.db'}").read()
    told = [(event.kind, event.by, event.data["why"]) for event in events]
    assert told == [
        ("exports.intent", "ada", "three projects"),
        ("exports.applied", "ada", "three projects"),
        ("exports.failed", "ada", ""),
        ("exports.intent", "ada", "all moved away"),
        ("exports.failed", "ada", "all moved away"),
    ]
    assert events[3].data["removed"] == [f"/srv/{name} 192.0.2.0/24" for name in "abc"]
