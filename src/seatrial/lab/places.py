"""Where the lab keeps its files. What is in: directories from the environment. What is not: what is in the files."""

from __future__ import annotations

import os
import re
from pathlib import Path

from seatrial.errors import InputError


def cache_home() -> Path:
    """What may be deleted at any time and is made again: images, packages, modules."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "seatrial"


def state_home() -> Path:
    """What belongs to labs that are up."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "seatrial" / "labs"


def lab_home(name: str) -> Path:
    """The directory of one lab. Raises InputError for a name that cannot be part of a path."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}", name):
        raise InputError(
            f"{name!r} cannot be the name of a lab",
            hint="use at most 32 small letters, digits and dashes, beginning with a letter or digit",
        )
    home = state_home() / name
    # The paths of unix sockets end after 107 bytes; the longest name below this directory is HOST/events.qmp.
    if len(os.fsencode(home)) > 80:
        raise InputError(
            f"the path {home} is too long for unix sockets", hint="set XDG_STATE_HOME to a short path"
        )
    return home
