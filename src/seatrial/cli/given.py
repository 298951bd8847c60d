"""Files that a verb is given: read whole, bounded, and with one sentence for each way in which that fails."""

from __future__ import annotations

import sys
from pathlib import Path

from seatrial.errors import InputError


def bytes_of(file: str, *, most: int, what: str, too_large: str) -> bytes:
    """The bytes of a file, or of standard input for `-`; `what` and `too_large` are the hints that it is read for.

    Raises InputError for a file that cannot be read, or that has more than `most` bytes.
    """
    try:
        # A device or a pipe may never end.
        if file == "-":
            data = sys.stdin.buffer.read(most + 1)
        else:
            with Path(file).open("rb") as opened:
                data = opened.read(most + 1)
    except FileNotFoundError:
        raise InputError(f"{file}: there is no such file", hint=what) from None
    except IsADirectoryError:
        raise InputError(f"{file}: is a directory", hint="give the file in it") from None
    except (OSError, ValueError) as problem:
        said = getattr(problem, "strerror", None) or problem
        raise InputError(
            f"{file}: cannot be read: {said}", hint="look at its permissions with ls -l"
        ) from None
    if len(data) > most:
        raise InputError(f"{file}: has more than {most:,} bytes, which is too large", hint=too_large)
    return data
