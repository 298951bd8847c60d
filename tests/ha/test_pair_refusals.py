"""What refuses a move of a pair before anything is changed, each by a state that a real pair was in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from seatrial.ha.drbdnfs.facts import MemberFacts, read_member
from seatrial.ha.drbdnfs.refusals import refusals
from seatrial.ha.drbdnfs.steps import Pair
from seatrial.ha.driver import Goal
from seatrial.model.mover import DrbdNfsMover
from seatrial.model.result import Outcome, Result, worst

from .heard import AUDIT, EXPORT, IDLE, PRIMARY, SECONDARY, SERVING, STANDBY, member, mover, said


def asked(
    here: MemberFacts | None,
    there: MemberFacts | None,
    *,
    declared: DrbdNfsMover | None = None,
    force: str = "",
) -> dict[str, Result]:
    """The answers for a move from nfs-1 (there) to nfs-2 (here), by the name of the question."""
    pair = Pair(mover=declared or mover(), to="nfs-2", other="nfs-1", here=here, there=there)
    return {result.check: result for result in refusals(pair, Goal(to="nfs-2", origin="nfs-1", force=force))}


def healthy() -> tuple[MemberFacts | None, MemberFacts | None]:
    """The two sides of a pair that may move."""
    return member(SECONDARY, look=IDLE, audit=STANDBY), member(PRIMARY, look=SERVING, audit=AUDIT)


def test_a_healthy_pair_may_move() -> None:
    results = asked(*healthy())
    assert worst(result.outcome for result in results.values()) is Outcome.PASS, results


# The question, the golden file of the side that is to take it and of the side that has it, and what is said.
DRBD = [
    ("connected", "drbd8-wfconnection-uptodate-dunknown-n2", "drbd8-wfconnection-uptodate-dunknown-n1", "tools on nfs-2 is not connected (WFConnection)"),
    ("connected", "drbd8-split-brain-standalone-n2", "drbd8-split-brain-standalone-n1", "tools on nfs-2 is not connected (StandAlone)"),
    ("disks", "drbd8-syncsource-synctarget-inconsistent-n2", "drbd8-syncsource-synctarget-inconsistent-n1", "the disk of tools on nfs-2 is SyncTarget"),
    ("disks", "drbd8-connected-inconsistent-inconsistent-n2", "drbd8-connected-inconsistent-inconsistent-n1", "the disk of tools on nfs-2 is Inconsistent"),
    ("disks", "drbd8-inconsistent-after-disconnect-midsync-n2", "drbd8-inconsistent-after-disconnect-midsync-n1", "the disk of tools on nfs-2 is Inconsistent"),
    ("roles", PRIMARY, PRIMARY, "nfs-2 and nfs-1 are both primary"),
]  # fmt: skip


@pytest.mark.parametrize(("question", "here", "there", "because"), DRBD)
def test_what_drbd_says_refuses_a_move(question: str, here: str, there: str, because: str) -> None:
    results = asked(member(here, look=IDLE, audit=STANDBY), member(there, look=SERVING, audit=AUDIT))
    result = results[f"drbd-nfs.{question}"]
    assert (result.outcome, result.because) == (Outcome.FAIL, because)
    assert result.hint


def test_a_primary_that_takes_its_peer_for_behind_keeps_it_from_being_promoted() -> None:
    # Seen in the lab: nfs-1 had heard an old word of nfs-2, which held itself for UpToDate and had not been sent the half of it.
    here, there = healthy()
    assert here is not None and there is not None
    result = asked(here, replace(there, peer_disk="Inconsistent"))["drbd-nfs.disks"]
    assert result.outcome is Outcome.FAIL
    assert (
        result.because
        == "nfs-1 takes the disk of tools on nfs-2 for Inconsistent, whatever nfs-2 says of itself"
    )
    assert asked(replace(here, peer_disk="Outdated"), there)["drbd-nfs.disks"].outcome is Outcome.FAIL


def test_a_split_brain_is_called_one() -> None:
    here = member("drbd8-split-brain-standalone-n2", look=(*IDLE, "split\tyes"), audit=STANDBY)
    there = member("drbd8-split-brain-standalone-n1", look=(*SERVING, "split\tyes"), audit=AUDIT)
    result = asked(here, there)["drbd-nfs.split"]
    assert result.outcome is Outcome.FAIL
    assert "--discard-my-data" in result.hint


def test_a_cut_that_drbd_has_not_seen_yet_refuses_by_the_way_itself() -> None:
    # Both still say Connected and UpToDate a second after the cut: this is the state in which the trap lies.
    unseen = tuple(line.replace("\tyes", "\tno") if line.startswith("link") else line for line in STANDBY)
    results = asked(member(SECONDARY, look=IDLE, audit=unseen), healthy()[1])
    assert results["drbd-nfs.connected"].outcome is Outcome.PASS
    assert results["drbd-nfs.link"].outcome is Outcome.FAIL
    assert "198.51.100.1" in results["drbd-nfs.link"].because


# The question, what the side that is to take it says besides DRBD, what the other one says, and the sentence.
AROUND = [
    ("link", STANDBY[:-1], AUDIT, Outcome.UNKNOWN, "nfs-2 does not say where DRBD has its peer"),
    ("exports", STANDBY[1:], AUDIT, Outcome.FAIL, "nfs-2 is configured to export nothing"),
    ("exports", ("export\t/srv/volume/other 192.0.2.0/24(rw)", *STANDBY[1:]), AUDIT, Outcome.FAIL, f"nfs-2 lacks an export that nfs-1 has: {EXPORT}"),
    ("exports", (*STANDBY, "export\t/srv/volume/other 192.0.2.0/24(rw)"), AUDIT, Outcome.FAIL, "nfs-2 has an export that nfs-1 lacks: /srv/volume/other 192.0.2.0/24(rw)"),
    ("identity", (*STANDBY, "conf\tscope\tnfs-2"), AUDIT, Outcome.FAIL, "scope is nfs-2 in nfs.conf of nfs-2, not set on nfs-1"),
    ("identity", (*STANDBY, "conf\tlease-time\t90"), (*AUDIT, "conf\tlease-time\t10"), Outcome.FAIL, "lease-time is 90 in nfs.conf of nfs-2, 10 on nfs-1"),
    ("identity", STANDBY, tuple(line.replace("lease\t10\t10", "lease\t90\t90") for line in AUDIT), Outcome.FAIL, "nfs-1 serves with lease and grace of 90 and 90 s, and nfs-2 would with 10 and 10 s"),
    ("records", STANDBY, tuple(line.replace("records\tyes", "records\tno") for line in AUDIT), Outcome.FAIL, "nfs-1 keeps no records of its clients: their locks would be lost by a move"),
    ("clients", STANDBY, (*AUDIT, "client\t7\t0\t192.0.2.22:740\tconfirmed\t1\tLinux NFSv4.0 nfs-c2"), Outcome.FAIL, "1 clients of NFSv4.0, which nfs-2 would not serve: 192.0.2.22:740"),
    ("holders", STANDBY, (*AUDIT, "holder\tprocess\t812\tbash\tssh.service\t/srv/volume"), Outcome.FAIL, "the volumes on nfs-1 are busy: process 812 (bash) of ssh.service"),
    ("holders", STANDBY, (*AUDIT, "holder\tmount\t/home/tools\t/srv/volume"), Outcome.FAIL, "the volumes on nfs-1 are busy: the mount at /home/tools"),
]  # fmt: skip


@pytest.mark.parametrize(("question", "here", "there", "outcome", "because"), AROUND)
def test_what_is_around_drbd_refuses_a_move(
    question: str, here: tuple[str, ...], there: tuple[str, ...], outcome: Outcome, because: str
) -> None:
    results = asked(member(SECONDARY, look=IDLE, audit=here), member(PRIMARY, look=SERVING, audit=there))
    result = results[f"drbd-nfs.{question}"]
    assert (result.outcome, result.because) == (outcome, because)
    assert result.hint


def test_a_client_of_4_0_is_told_of_where_4_0_is_served() -> None:
    declared = mover(
        nfs={
            "scope": "s",
            "state": "/srv/volume/state",
            "lease": 10.0,
            "grace": 10.0,
            "versions": ["4.0", "4.1"],
        }
    )
    old = (*AUDIT, "client\t7\t0\t192.0.2.22:740\tconfirmed\t1\tLinux NFSv4.0 nfs-c2")
    result = asked(healthy()[0], member(PRIMARY, look=SERVING, audit=old), declared=declared)[
        "drbd-nfs.clients"
    ]
    assert result.outcome is Outcome.PASS
    assert "192.0.2.22:740" in result.because


def test_a_state_folder_that_does_not_move_refuses() -> None:
    declared = mover(nfs={"scope": "s", "state": "/var/lib/nfs/nfsdcld", "lease": 10.0, "grace": 10.0})
    result = asked(*healthy(), declared=declared)["drbd-nfs.identity"]
    assert result.outcome is Outcome.FAIL
    assert "no client could have its locks back" in result.because


def test_a_unit_that_may_be_stopped_is_no_reason_to_refuse() -> None:
    held = (*AUDIT, "holder\tprocess\t812\trsync\tbackup.service\t/srv/volume")
    declared = mover(busy="stop", holders=["backup.service"])
    here, there = healthy()[0], member(PRIMARY, look=SERVING, audit=held)
    assert asked(here, there)["drbd-nfs.holders"].outcome is Outcome.FAIL
    assert asked(here, there, declared=declared)["drbd-nfs.holders"].outcome is Outcome.PASS


def test_a_host_that_does_not_answer_is_unknown_and_refuses() -> None:
    here, there = healthy()
    for one, other in ((None, there), (here, None)):
        (result,) = asked(one, other).values()
        assert result.outcome is Outcome.UNKNOWN
        assert result.hint


def test_a_person_may_answer_for_a_dead_peer_and_for_nothing_else() -> None:
    here, _ = healthy()
    results = asked(here, None, force="its power is off")
    assert worst(result.outcome for result in results.values()) is Outcome.PASS
    assert "its power is off" in results["drbd-nfs.answers"].because
    stale = member("drbd8-syncsource-synctarget-inconsistent-n2", look=IDLE, audit=STANDBY)
    assert asked(stale, None, force="its power is off")["drbd-nfs.disks"].outcome is Outcome.FAIL


@pytest.mark.parametrize("lost", [1, 3, 8, 13])
def test_an_answer_that_was_cut_off_is_none(lost: int) -> None:
    outputs = said(PRIMARY, look=SERVING, audit=AUDIT)
    lines = outputs[0].stdout.splitlines(keepends=True)
    assert read_member(outputs) is not None
    cut = type(outputs[0])(command=outputs[0].command, status=0, stdout="".join(lines[:-lost]))
    assert read_member([cut, outputs[1]]) is None
