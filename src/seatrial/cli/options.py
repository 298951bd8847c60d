"""Options that several verbs share, and what they stand for: the journal, the fleet, who is asking, how to print."""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from rich.console import Console

from seatrial.fleetfile import parse_bytes
from seatrial.fleetfile.load import read
from seatrial.model.fleet import Fleet

if TYPE_CHECKING:
    from seatrial.journal.store import Journal

FleetFile = Annotated[Path, Parameter(name=["--fleet", "-f"], help="the fleet file")]
Database = Annotated[
    str | None,
    Parameter(
        name="--database",
        help="the journal: a database URL [default: $SEATRIAL_DATABASE, else a file of SQLite]",
    ),
]
Json = Annotated[
    bool, Parameter(name="--json", negative="", help="one JSON document, or one object a line for streams")
]
Kernel = Annotated[str, Parameter(help="the candidate, as `uname -r` calls it: 6.1.0-56-cloud-amd64")]
Why = Annotated[str, Parameter(name="--why", help="the reason, for the journal")]
Rollout = Annotated[str | None, Parameter(help="its name, such as r1 [default: the latest]")]

DEFAULT_FLEET = Path("fleet.yaml")


def journal(database: str | None) -> Journal:
    """The journal that was asked for. Raises InputError or CouldNotAct."""
    # The database's library is a third of what a verb takes to start, and most verbs only look.
    from seatrial.journal.store import Journal, default_url

    return Journal(database or default_url())


def fleet(path: Path) -> tuple[Fleet, str]:
    """The fleet and the text that declares it. Raises InputError with every mistake."""
    data = read(path)
    return parse_bytes(data, filename=str(path)), data.decode("utf-8")


def person() -> str:
    """Who is asking: $SEATRIAL_BY, else the login name (that of the person behind sudo)."""
    return os.environ.get("SEATRIAL_BY") or os.environ.get("SUDO_USER") or getpass.getuser()


def console() -> Console:
    """Where people read: colour and movement on a terminal, plain lines elsewhere."""
    return Console(highlight=False, soft_wrap=True)


def print_json(document: Any) -> None:
    """One JSON document on a line of standard output, times in RFC 3339 UTC."""
    print(json.dumps(document, default=_plain, ensure_ascii=False), flush=True)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} is no JSON")
