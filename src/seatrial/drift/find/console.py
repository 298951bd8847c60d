"""What a host that does not answer says on its console: firmware, boot loader or rescue shell that waits for a key."""

from __future__ import annotations

import re
from collections.abc import Iterator

from seatrial.drift.find.made import DANGER, finding
from seatrial.drift.read.text import clean
from seatrial.model.finding import Finding, When

# Escape sequences of terminals: colours, and the cursor that firmware moves about.
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|[=>78])")
# Who keeps a console often writes the time in front of each line.
_STAMP = re.compile(
    r"^(?:\d+\.\d+ )?[\[(]?\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?(?:Z|[+-]\d\d:?\d\d))?[\])]?:?\s*",
    re.ASCII,
)
_WAITS: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (
        re.compile(r"(?:press|strike|hit)\b.{0,40}\b(?:any key|f1|f2|enter)\b|\bf1\b.{0,20}\bto continue", re.IGNORECASE),
        "its firmware or boot loader waits for a key",
        "press the key at its console; then let the firmware go on after errors, and mend what it complains of",
    ),
    (
        re.compile(r"^grub(?: rescue)?>", re.IGNORECASE),
        "GRUB waits at its prompt: it did not find its files or its menu",
        "boot it by hand at its console, then grub-install and update-grub",
    ),
    (
        re.compile(r"^\(initramfs\)|give root password for maintenance|press (?:enter|control-d) (?:for maintenance|to continue)|you are in emergency mode", re.IGNORECASE),
        "it waits in a rescue shell: its root or a line of /etc/fstab did not mount",
        "mend /etc/fstab or the root at its console, then reboot",
    ),
)  # fmt: skip
# How far from its end a console is believed to tell of now: what came later was an answer.
_LAST = 12


def waits_for_a_key(text: str) -> Iterator[Finding]:
    """What the last lines of a console wait for, if they do; what stood above it is told as the reason."""
    lines = [clean(_STAMP.sub("", _ESCAPES.sub("", line).strip())) for line in re.split(r"[\r\n]+", text)]
    last = [line for line in lines if line][-_LAST:]
    for number, line in reversed(list(enumerate(last))):
        for pattern, says, fix in _WAITS[::-1]:
            if pattern.search(line):
                above = last[number - 1] if number else ""
                because = f"{says}: {line}" + (f" (after: {above})" if above else "")
                yield finding("boot.console", DANGER, "console", because, fix, when=When.NOW)
                return
