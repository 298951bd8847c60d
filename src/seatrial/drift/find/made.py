"""How a Finding is made here: the words in a fixed order, so that a question reads as a sentence. What is not in: any question."""

from __future__ import annotations

import re
from shlex import quote

from seatrial.drift.read.boot import FstabLine, escaped
from seatrial.model.finding import Finding, Severity, When

DANGER, WARNING, NOTE = Severity.DANGER, Severity.WARNING, Severity.NOTE


def finding(
    name: str,
    severity: Severity,
    what: str,
    because: str,
    fix: str,
    *,
    instead: str = "",
    when: When = When.BOOT,
) -> Finding:
    """One Finding of a host that is named later."""
    return Finding(
        name=name, severity=severity, when=when, what=what, because=because, fix=fix, instead=instead
    )


def commented_out(line: FstabLine) -> str:
    """The command that takes a line out of fstab and keeps it as a comment, and the file of before beside it."""
    source, path = (_pattern(escaped(text)) for text in (line.source, line.path))
    sed = f"\\,^[[:space:]]*{source}[[:space:]][[:space:]]*{path}[[:space:]],s/^/#/"
    return f"sed -i.before {quote(sed)} /etc/fstab && systemctl daemon-reload"


def _pattern(text: str) -> str:
    """What a basic regular expression between commas takes literally."""
    return re.sub(r"[\\.*^$,\[\]]", r"\\\g<0>", text)


def in_menu(name: str, *lines: str) -> str:
    """The command that sets something for grub.cfg: in a file of its own, which wins whatever /etc/default/grub says."""
    told = " ".join(quote(line) for line in lines)
    return f"mkdir -p /etc/default/grub.d && printf '%s\\n' {told} >/etc/default/grub.d/zz-{name}.cfg && update-grub"
