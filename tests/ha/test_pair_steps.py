"""The rules of a move as a table: how the two sides stand, what is wanted, and what is next."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seatrial.ha.drbdnfs.driver import DrbdNfs, PairStanding
from seatrial.ha.drbdnfs.facts import MemberFacts, read_member
from seatrial.ha.driver import Deed, Done, Goal, Step, Stuck, Wait
from seatrial.model.command import Output
from seatrial.model.fleet import Group

from .heard import IDLE, PRIMARY, SECONDARY, SERVING, member, mover

CHECKS = Path(__file__).parents[1] / "checks" / "storage" / "golden"


def known(facts: MemberFacts | None) -> MemberFacts:
    """Facts that are there."""
    assert facts is not None
    return facts


HAS = known(member(PRIMARY, look=SERVING))
IDLES = known(member(SECONDARY, look=IDLE))
GAVE = replace(IDLES, peer_role="Secondary")
CUT = replace(IDLES, connection="WFConnection", peer_role="Unknown", peer_disk="DUnknown", gi=("1000", "0"))
OLDER = replace(CUT, gi=("0FF0", "0"))
NEWER = replace(CUT, gi=("2000", "1000"))
FENCED = replace(CUT, disk="Outdated")
HALF = replace(HAS, threads=0, address=False)
LATE, SOON = 100.0, 0.0


def step(
    here: MemberFacts | None,
    there: MemberFacts | None,
    *,
    force: str = "",
    seconds: float = SOON,
    back: bool = False,
    tries: dict[str, int] | None = None,
) -> Step:
    """What is next for a move from nfs-1 (there) to nfs-2 (here)."""
    standing = PairStanding(mover=mover(), members={"nfs-1": there, "nfs-2": here})
    goal = Goal(to="nfs-2", origin="nfs-1", force=force, seconds=seconds, is_back=back, tries=tries or {})
    return standing.decide(goal)


def short(taken: Step) -> str:
    """A step in a few words: what, and for a deed which batch where and on whose word."""
    match taken:
        case Deed():
            parts = [
                f"{place} {commands[0].argv[3]}"
                + (f" {commands[0].argv[-1]}" if commands[0].argv[3] == "take" else "")
                for place, commands in sorted(taken.on.items())
            ]
            return f"{taken.name}: {', '.join(parts)}"
        case Wait():
            return "wait"
        case Done():
            return "done"
        case Stuck():
            return "stuck"


TABLE: list[tuple[str, MemberFacts | None, MemberFacts | None, dict[str, Any], str]] = [
    ("a healthy pair hands over", IDLES, HAS, {}, "hand-over: nfs-1 give, nfs-2 take peer"),
    ("it is there", HAS, IDLES, {}, "done"),
    ("both have given", GAVE, GAVE, {}, "take: nfs-2 take peer"),
    ("it was half taken", HALF, IDLES, {}, "finish: nfs-2 take peer"),
    ("something is left on the other side", HAS, replace(IDLES, address=True), {}, "finish: nfs-1 give"),
    ("a batch of before still runs", replace(IDLES, batch=True), HAS, {}, "wait"),
    ("a batch of before still runs there", IDLES, replace(HAS, batch=True), {"seconds": LATE}, "wait"),
    ("both are primary", HAS, HAS, {}, "stuck"),
    ("a split brain", replace(CUT, split=True), HAS, {}, "stuck"),
    ("cut off, and the other side serves", CUT, HAS, {}, "wait"),
    ("cut off, for long", CUT, HAS, {"seconds": LATE}, "stuck"),
    ("cut off, for long, with a person's word", CUT, HAS, {"seconds": LATE, "force": "x"}, "stuck"),
    ("the copy is not done", replace(IDLES, copying="SyncTarget"), HAS, {"seconds": LATE}, "stuck"),
    ("cut off, neither serves, the same data", CUT, replace(CUT), {}, "fence: nfs-1 fence"),
    ("cut off, neither serves, ours is newer", NEWER, CUT, {}, "fence: nfs-1 fence"),
    ("cut off, neither serves, ours is older", OLDER, CUT, {"seconds": LATE}, "stuck"),
    ("cut off, the other side is fenced", CUT, FENCED, {}, "take: nfs-2 take fenced"),
    ("the other side is silent", CUT, None, {}, "wait"),
    ("the other side is silent for long", CUT, None, {"seconds": LATE}, "stuck"),
    ("a person says that it is dead", CUT, None, {"force": "its power is off"}, "take: nfs-2 take forced"),
    ("it is silent, and DRBD says that it is secondary", GAVE, None, {}, "take: nfs-2 take peer"),
    ("the same on the way back", GAVE, None, {"back": True, "seconds": LATE}, "stuck"),
    ("it is silent, and DRBD says that it is primary", IDLES, None, {"seconds": LATE}, "stuck"),
    ("the one that shall have it is silent", None, HAS, {"seconds": LATE}, "stuck"),
    ("a hand-over that did not work twice", IDLES, HAS, {"tries": {"hand-over": 2}}, "stuck"),
    ("generations that are not known", replace(CUT, gi=()), CUT, {"seconds": LATE}, "stuck"),
    ("generations that are none", replace(CUT, gi=("4",)), replace(CUT, gi=("4",)), {"seconds": LATE}, "stuck"),
]  # fmt: skip


@pytest.mark.parametrize(("_case", "here", "there", "more", "wanted"), TABLE, ids=[row[0] for row in TABLE])
def test_what_is_next(
    _case: str, here: MemberFacts | None, there: MemberFacts | None, more: dict[str, Any], wanted: str
) -> None:
    assert short(step(here, there, **more)) == wanted


def test_every_no_has_its_reason_and_a_hint() -> None:
    for _, here, there, more, wanted in TABLE:
        taken = step(here, there, **more)
        assert taken.because
        if wanted == "stuck" and isinstance(taken, Stuck) and not more.get("tries"):
            assert taken.hint


def test_drbd_9_is_read_as_well() -> None:
    json = (CHECKS / "drbd9-format-connected.txt").read_text(encoding="utf-8").partition("--- stdout\n")[2]
    json = json.partition("\n--- ")[0]
    lines = [
        "seatrial\t1", "resource\ttools", "boot\tb", "uptime\t1.0", "batch\tfree", "proc\tversion: 9.2.8 (api:2/proto:86-122)",
        *(f"json\t{line}" for line in json.strip().splitlines()), "minor\t1000", "threads\t0", "done",
    ]  # fmt: skip
    (command,) = DrbdNfs().look(Group(hosts=("nfs-1", "nfs-2"), mover=mover()), whole=False)["nfs-1"]
    facts = known(read_member([Output(command=command, status=0, stdout="\n".join(lines) + "\n")]))
    assert (facts.version, facts.role, facts.peer_role) == ("9.2.8", "Primary", "Secondary")
    assert facts.connected and facts.disk == facts.peer_disk == "UpToDate"
