"""The kernel's taint flags in words: what makes its developers ask you to try again without it.

The list is that of Documentation/admin-guide/tainted-kernels.rst. What is not in: a judgement; a flag tells that
something was so at some time since the boot, and nobody kept what it was at the boot before.
"""

from __future__ import annotations

import re

FLAGS = (
    ("P", "a proprietary module"),
    ("F", "a module loaded by force"),
    ("S", "a processor out of its specification"),
    ("R", "a module unloaded by force"),
    ("M", "a machine check"),
    ("B", "a bad page"),
    ("U", "a wish of user space"),
    ("D", "an oops"),
    ("A", "an ACPI table of the user's"),
    ("W", "a warning"),
    ("C", "a staging driver"),
    ("I", "a firmware bug worked around"),
    ("O", "a module from outside the kernel tree"),
    ("E", "an unsigned module"),
    ("L", "a soft lockup"),
    ("K", "a live patch"),
    ("X", "a flag of the distribution"),
    ("T", "structures laid out at random"),
    ("N", "a test in the kernel"),
)


def taint_of(said: str) -> tuple[str, ...] | None:
    """What /proc/sys/kernel/tainted means, as `an oops (D)`; empty for a clean kernel, None for no such number."""
    if not re.fullmatch(r"\s*[0-9]{1,10}\s*", said):
        return None
    bits = int(said)
    known = [f"{words} ({letter})" for bit, (letter, words) in enumerate(FLAGS) if bits >> bit & 1]
    later = bits >> len(FLAGS)
    return (*known, *([f"flags unknown to Seatrial ({later << len(FLAGS)})"] if later else []))
