"""What the hardware says at this boot and did not at the one before, and what may keep a host from coming back."""

from __future__ import annotations

from collections.abc import Iterator

from seatrial.drift.facts import Facts
from seatrial.drift.find.made import DANGER, NOTE, WARNING, finding
from seatrial.drift.read.text import shown, whole
from seatrial.model.finding import Finding, When

_HARD = (
    "hardware error",
    "mce:",
    "machine check",
    "i/o error",
    "pcie bus error",
    "link training",
    "uncorrect",
    "edac",
    "aer:",
    "nvme",
    "ata",
    "firmware bug",
    "thermal",
)
_BOARD = ("uncorrect", "fail", "critical", "non-recoverable", "predictive", "assert")


def errors(facts: Facts) -> Iterator[Finding]:
    """Errors of the kernel at this boot that were not there at the one before."""
    before = facts.hardware.before
    if before is None:
        return
    for key, line in facts.hardware.errors.items():
        if key not in before:
            hard = any(mark in line.lower() for mark in _HARD)
            yield finding(
                "hardware.errors",
                WARNING if hard else NOTE,
                key,
                f"the kernel says at this boot, and did not at the one before: {line}",
                fix="look at journalctl -k -p 3, and at the device that it names",
                when=When.NOW,
            )


def memory(facts: Facts) -> Iterator[Finding]:
    """Errors of the memory that its controller counted."""
    for bank, (corrected, uncorrected) in facts.hardware.memory.items():
        if corrected or uncorrected:
            yield finding(
                "hardware.memory",
                DANGER if uncorrected else WARNING,
                bank,
                f"the memory at {bank} had {corrected} corrected and {uncorrected} uncorrected errors since the boot",
                fix="find the module with edac-util -v or in the board's log, and replace it",
                when=When.NOW,
            )


def links(facts: Facts) -> Iterator[Finding]:
    """PCIe links that came up narrower than both ends can be: what firmware stops for at the next boot."""
    for link in facts.hardware.links:
        if link.width < link.most_width:
            yield finding(
                "hardware.link",
                WARNING,
                link.device,
                f"the PCIe link of {link.device} came up with {link.width} of {link.most_width} lanes: the firmware may stop the next boot and wait for a key",
                fix="look at lspci -vv of it, seat the card again; let the firmware not wait for a key after an error",
            )


def arrays(facts: Facts) -> Iterator[Finding]:
    """Arrays that lack a member."""
    for name, state in facts.hardware.arrays.items():
        if "_" in state:
            yield finding(
                "hardware.array",
                DANGER,
                name,
                f"the array {name} lacks {state.count('_')} of {len(state)} members: another one that does not come back takes it down",
                fix=_member_again(name, facts.hardware.failed.get(name, ())),
            )


def _member_again(name: str, failed: tuple[str, ...]) -> str:
    if not failed:
        return f"mdadm --detail /dev/{name}, then mdadm /dev/{name} --add the member"
    members = " ".join(f"/dev/{one}" for one in failed)
    # It ends with 1 where it is in sync already and nothing is left to wait for.
    return f"mdadm /dev/{name} --remove {members} && mdadm /dev/{name} --add {members} && {{ mdadm --wait /dev/{name} || :; }}"


def disks(facts: Facts) -> Iterator[Finding]:
    """Disks that say themselves that they fail."""
    for disk, said in facts.hardware.disks.items():
        health = said.get("health", "")
        bad = [
            key for key in ("reallocated", "pending", "media-errors") if (whole(said.get(key, "")) or 0) > 0
        ]
        if health and health not in ("PASSED", "OK"):
            yield finding(
                "hardware.disk",
                DANGER,
                disk,
                f"{disk} says of itself that it fails ({health}): it may not come back from the next boot",
                fix=f"smartctl -a {disk}, and replace it",
            )
        elif bad:
            yield finding(
                "hardware.disk",
                WARNING,
                disk,
                f"{disk} has {shown([f'{said[key]} {key}' for key in bad])} sectors or errors",
                fix=f"smartctl -a {disk}, and watch it",
                when=When.NOW,
            )


def board(facts: Facts) -> Iterator[Finding]:
    """What the board's own log says."""
    wrong = [line for line in facts.hardware.board if any(mark in line.lower() for mark in _BOARD)]
    if wrong:
        yield finding(
            "hardware.board",
            NOTE,
            "sel",
            f"the board's log has {len(wrong)} events of trouble, the last one: {wrong[-1]}",
            fix="ipmitool sel elist, then ipmitool sel clear when it is dealt with",
            when=When.NOW,
        )
