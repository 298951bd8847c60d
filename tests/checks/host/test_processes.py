"""Which threads hang, told from two real looks that are changed in one thing each; and the NFS server that is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seatrial.checks.host.processes import commands, judge
from seatrial.model.check.host import ProcessesCheck
from seatrial.model.command import Output
from seatrial.model.result import Outcome, Result

GOLDEN = Path(__file__).parent / "golden"
NFS = "40 19 0:40 / /srv/home rw,relatime shared:9 - nfs4 192.0.2.10:/home rw,vers=4.2,hard,addr=192.0.2.10\n"


def said(name: str) -> str:
    return (GOLDEN / f"{name}.txt").read_text().partition("--- stdout\n")[2].partition("--- stderr\n")[0]


def judged(first: str, again: str, mounts: str = "", **keys: Any) -> Result:
    check = ProcessesCheck.model_validate({"kind": "processes", "from": "vm", **keys})
    texts = (first, "", again, mounts)
    return judge(
        "processes",
        check,
        [
            Output(command=command, status=0, stdout=text)
            for command, text in zip(commands(check), texts, strict=True)
        ],
    )


def test_the_mounts_of_an_nfs_server_that_does_not_answer_are_named() -> None:
    looks = said("processes-nfs-first"), said("processes-nfs-again")
    result = judged(*looks, said("processes-mounts") + NFS)
    assert result.outcome is Outcome.FAIL
    assert result.hint == "an NFS server does not answer; mounted: /srv/home from 192.0.2.10:/home"
    assert result.evidence["waits_for"] == {"rpc_wait_bit_killable": 1}
    assert judged(*looks).hint == "an NFS server does not answer"


def test_a_number_that_another_process_got_in_between_is_not_held_for_the_same_one() -> None:
    first = said("processes-stuck-first")
    assert judged(first, first).outcome is Outcome.FAIL
    assert judged(first, first.replace(" dd\n", " cp\n")).outcome is Outcome.PASS


def test_threads_of_one_kind_are_counted_together() -> None:
    look = "".join(f"D {number} - kworker/{number}:1+flush\n" for number in range(10, 40))
    look += "".join(f"D {number} - nfsd\n" for number in range(100, 164)) + "S 1 - init\n"
    result = judged(look, look)
    assert result.because == "94 of 95 threads hang in the kernel: nfsd (64), kworker (30)"
    assert judged(look, look, most=94).outcome is Outcome.PASS
    assert judged(look, look, names=("nfsd",)).evidence["stuck"] == 64


@pytest.mark.parametrize("line", ["D many - nfsd", "D 1", "\x1b[2JD 1 - nfsd", "D 1 - "])
def test_a_list_with_another_line_in_it_is_not_understood(line: str) -> None:
    look = f"S 1 - init\n{line}\n"
    assert judged(look, look).outcome is Outcome.UNKNOWN
