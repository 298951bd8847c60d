"""The one door of this room: reading the fleet file from disk. Everything else of the room is pure.

It stands here, and not in a room above, because whoever reads the file wants the same three sentences when it is not
there; the test of the house knows this module by name.
"""

from __future__ import annotations

from pathlib import Path

from seatrial.errors import InputError
from seatrial.fleetfile.parsing import parse_bytes
from seatrial.fleetfile.tree import MAX_CHARACTERS
from seatrial.model.fleet import Fleet


def load(path: Path) -> Fleet:
    """The Fleet of the file at `path`. Raises InputError when it cannot be read, or with all its mistakes."""
    return parse_bytes(read(path), filename=str(path))


def read(path: Path) -> bytes:
    """The bytes of the file, at most as many as a fleet file may have. Raises InputError when it cannot be read."""
    try:
        # A device or a pipe may never end; four bytes are the most that one character takes.
        with path.open("rb") as file:
            return file.read(4 * MAX_CHARACTERS + 4)
    except FileNotFoundError:
        raise InputError(
            f"{path}: there is no such file",
            hint="give the fleet file with -f; `seatrial init` writes a first one",
        ) from None
    except IsADirectoryError:
        raise InputError(
            f"{path}: is a directory", hint=f"give the file in it: -f {path}/fleet.yaml"
        ) from None
    except OSError as problem:
        raise InputError(
            f"{path}: cannot be read: {problem.strerror}", hint="look at its permissions with ls -l"
        ) from None
