"""Which kernel messages are grave, and which are the same at two boots."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.checks.host.dmesg import commands, judge, level
from seatrial.model.check.host import DmesgCheck
from seatrial.model.command import Output
from seatrial.model.result import Outcome

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize(
    "line",
    [
        "BUG: kernel NULL pointer dereference, address: 0000000000000008",
        "Oops: 0000 [#1] PREEMPT SMP NOPTI",
        "Call Trace:",
        "INFO: task nfsd:1234 blocked for more than 120 seconds.",
        "pcieport 0000:00:1c.5: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver ID)",
        "watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [kworker/1:1:45]",
        "mce: [Hardware Error]: Machine check events logged",
    ],
)
def test_grave_messages_that_are_new_fail(line: str) -> None:
    check = DmesgCheck.model_validate({"kind": "dmesg", "from": "vm"})
    now, before = commands(check)
    known = "cblist_init_generic: Setting shift to 1\n"
    result = judge(
        "dmesg",
        check,
        [
            Output(command=now, status=0, stdout=known + line + "\n"),
            Output(command=before, status=0, stdout=known),
        ],
    )
    assert (result.outcome, result.because) == (Outcome.FAIL, f"new at this boot: {line}")
    both = [Output(command=c, status=0, stdout=line) for c in (now, before)]
    assert judge("dmesg", check, both).outcome is Outcome.PASS


def test_two_boots_of_one_kernel_say_the_same_but_for_numbers() -> None:
    first, again = (
        {level(line) for line in (GOLDEN / name).read_text().splitlines()}
        for name in ("dmesg-boot-47.txt", "dmesg-boot-47-again.txt")
    )
    assert len(again - first) <= 2
