"""What happened lately on hosts of the platform that are not on trial: packages by dpkg's log, and certificates in /etc."""

from __future__ import annotations

from functools import cache

from seatrial.boot.frames import read_sections
from seatrial.boot.scripts import text
from seatrial.drift.read.text import clean
from seatrial.drift.snapshot import Difference
from seatrial.model.command import Command, Output

# It is a note beside a verdict, and no verdict waits long for it.
TIMEOUT = 120.0
_NONE = "<none>"


@cache
def script() -> bytes:
    """The whole script, as it goes to a host."""
    return "".join(text(f"drift-{name}.sh") for name in ("frame", "identity", "window")).encode()


def window_command(seconds: float) -> Command:
    """Ask a host what was done on it in the last `seconds`."""
    return Command(
        name="drift.window",
        argv=("sh", "-s", "--", "window", str(max(0, int(seconds)))),
        # Everybody may read that log; who may become nobody else is asked all the same.
        stdin=script(),
        timeout=TIMEOUT,
        limit=1024 * 1024,
    )


def read_window(output: Output) -> tuple[Difference, ...] | str:
    """What was done there; a text that says why it is not known."""
    if not output.answered:
        return output.problem or "it did not answer"
    sections = read_sections(output.stdout)
    if not sections.whole:
        return output.stderr.strip()[-200:] or "it said nothing that can be read"
    if not sections.has("package-log"):
        return "it keeps no log of its packages"
    found: dict[tuple[str, str], Difference] = {}
    for line in sections.lines("package-log"):
        words = ([*line.split(), "", "", ""])[:3]
        name, before, after = (clean(word.removesuffix(_NONE)) for word in words)
        if name:
            # Of several steps the first one says what was there before, and the last one what is now.
            first = found.get(("packages", name))
            found["packages", name] = Difference(
                topic="packages",
                key=name.partition(":")[0],
                before=first.before if first else before,
                after=after,
            )
    for path in sections.lines("certificate-files"):
        if path:
            found["certificate files", path] = Difference(
                topic="certificate files", key=clean(path), before="", after="yes"
            )
    return tuple(found.values())
