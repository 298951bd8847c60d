"""Which kernel messages are grave, and which are the same at two boots."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from seatrial.checks.host.dmesg import QUIET, commands, judge, level
from seatrial.checks.host.taint import taint_of
from seatrial.model.check.host import DmesgCheck
from seatrial.model.command import Output
from seatrial.model.result import Outcome, Result

GOLDEN = Path(__file__).parent / "golden"


KNOWN = "cblist_init_generic: Setting shift to 1"


def judged(*said: str) -> Result:
    """What comes of this boot's warnings, the boot before's, the taint, and both boots' quiet messages."""
    check = DmesgCheck.model_validate({"kind": "dmesg", "from": "vm"})
    pairs = zip(commands(check), said, strict=True)
    return judge("dmesg", check, [Output(command=command, status=0, stdout=text) for command, text in pairs])


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
        "nfsd: peername failed (err 107)!",
    ],
)
def test_grave_messages_that_are_new_fail(line: str) -> None:
    result = judged(f"{KNOWN}\n{line}\n", f"{KNOWN}\n", "0\n", "", "")
    assert (result.outcome, result.because) == (Outcome.FAIL, f"new at this boot: {line}")
    assert judged(line, line, "0\n", "", "").outcome is Outcome.PASS


@pytest.mark.parametrize(
    "line",
    [
        "pci 0000:03:00.0: 15.752 Gb/s available PCIe bandwidth, limited by 8.0 GT/s PCIe x2 link at 0000:00:1c.0"
        " (capable of 63.008 Gb/s with 16.0 GT/s PCIe x4 link)",
        "i40e 0000:3b:00.0: PCIe link speed/width was downgraded",
        "nfs: server 198.51.100.10 not responding, still trying",
        "nfsd: too many open TCP sockets, consider increasing the number of threads",
    ],
)
def test_what_the_kernel_calls_information_is_grave_when_it_is_new(line: str) -> None:
    assert re.search(QUIET, line), "journalctl would not find it"
    result = judged(f"{KNOWN}\n", f"{KNOWN}\n", "0\n", f"{line}\n", "")
    assert (result.outcome, result.because) == (Outcome.FAIL, f"new at this boot: {line}")
    assert judged(KNOWN, KNOWN, "0\n", line, line).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("0\n", ()),
        ("128\n", ("an oops (D)",)),
        ("12289\n", ("a proprietary module (P)", "a module from outside the kernel tree (O)", "an unsigned module (E)")),
        ("1048576\n", ("flags unknown to Seatrial (1048576)",)),
        ("", None),
        ("-1\n", None),
        ("1" * 11, None),
    ],
)  # fmt: skip
def test_taint_is_said_in_words(said: str, words: tuple[str, ...] | None) -> None:
    assert taint_of(said) == words


def test_two_boots_of_one_kernel_say_the_same_but_for_numbers() -> None:
    first, again = (
        {level(line) for line in (GOLDEN / name).read_text().splitlines()}
        for name in ("dmesg-boot-47.txt", "dmesg-boot-47-again.txt")
    )
    assert len(again - first) <= 2
