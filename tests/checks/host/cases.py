"""What the checks of the host room make of captured answers: declarations, and files in golden/ with what is said of them."""

from __future__ import annotations

from typing import Any

from seatrial.model.result import Outcome

PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN

CHECKS: dict[str, dict[str, Any]] = {
    "unit": {"kind": "unit", "from": "vm", "unit": "some.service"},
    "kernel": {"kind": "kernel", "from": "vm"},
    "dmesg": {"kind": "dmesg", "from": "vm"},
}

# The check, one file for each of its Commands, and the Result.
CASES: list[tuple[str, list[str], Outcome, str]] = [
    ("unit", ["unit-fine"], PASS, "some.service is active (running)"),
    ("unit", ["unit-oneshot"], PASS, "some.service is active (exited)"),
    ("unit", ["unit-failing"], FAIL, "some.service is failed (failed), result exit-code, restarted 3 times"),
    ("unit", ["unit-not-found"], FAIL, "some.service is not-found"),
    ("unit", ["unit-masked"], FAIL, "some.service is masked"),
    (
        "unit",
        ["unit-no-systemd"],
        UNKNOWN,
        "vm: unit.show ended with status 1: Failed to connect to bus: Host is down",
    ),
    (
        "kernel",
        ["kernel-running-56", "kernel-installed", "kernel-grubenv"],
        PASS,
        "6.1.0-56-cloud-amd64 runs, 2 installed; set for the next boot: gnulinux-advanced-1>gnulinux-6.1.0-56",
    ),
    (
        "kernel",
        ["kernel-running-56", "kernel-installed", "kernel-no-grubenv"],
        PASS,
        "6.1.0-56-cloud-amd64 runs, 2 installed",
    ),
    (
        "kernel",
        ["kernel-running", "kernel-installed", "kernel-no-grubenv"],
        FAIL,
        "6.18.44-fc-v657 runs, but /boot has no such kernel",
    ),
    ("dmesg", ["dmesg-boot-47", "dmesg-boot-47"], PASS, "no warning that the boot before had not"),
    (
        "dmesg",
        ["dmesg-boot-56", "dmesg-boot-47"],
        PASS,
        "3 new warnings: cblist_init_generic: Setting shift to 0 and lim to 1 rcu_task_cpu_ids=1.",
    ),
    ("dmesg", ["dmesg-boot-56", "dmesg-no-boot-before"], UNKNOWN, "vm has no messages of the boot before"),
]
