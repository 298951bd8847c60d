"""`seatrial import`: files of other tools to checks of a fleet.yaml, and what could not be carried over."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from pydantic import TypeAdapter, ValidationError

from seatrial.checklist.imported import from_checklist
from seatrial.checklist.reading import parse_bytes
from seatrial.cli.options import Json, print_json
from seatrial.errors import InputError
from seatrial.fleetfile.imported import Imported, Remark, from_blackbox, from_goss, written
from seatrial.fleetfile.tree import MAX_CHARACTERS
from seatrial.model.declared import Name
from seatrial.model.text import safe

MOST_TOLD = 1000

What = Annotated[
    Literal["goss", "cmd-checklist", "blackbox"], Parameter(help="the tool that the file is for")
]


def bring(
    what: What,
    file: Annotated[Path, Parameter(help="goss.yaml, a checklist, or blackbox.yml")],
    /,
    *,
    source: Annotated[str, Parameter(name="--from", help="the vantage or host that shall ask")] = "here",
    stage: Annotated[str | None, Parameter(help="asked only for trials of this stage")] = None,
    prometheus: Annotated[
        Path | None, Parameter(help="for blackbox: the prometheus.yml that says whom its modules probe")
    ] = None,
    json: Json = False,
) -> int:
    """Turn FILE into the checks of a fleet.yaml, on standard output; what could not be carried over is on standard error.

    Exit code 0 also when something was left out, 1 when nothing could be carried over, 2 when FILE cannot be read.
    """
    _name("--from", source)
    if stage is not None:
        _name("--stage", stage)
    if prometheus is not None and what != "blackbox":
        raise InputError(f"--prometheus says nothing about {what}", hint="it goes with blackbox only")
    data, filename = _read(file), str(file)
    if what == "goss":
        imported = from_goss(data, filename=filename, vantage=source, stage=stage)
    elif what == "blackbox":
        scrapes = None if prometheus is None else (_read(prometheus), str(prometheus))
        imported = from_blackbox(data, filename=filename, vantage=source, stage=stage, scrapes=scrapes)
    else:
        checklist = parse_bytes(data, filename=filename)
        imported = from_checklist(checklist, filename=filename, vantage=source, stage=stage)
    if json:
        print_json(_document(imported))
    else:
        _tell(imported, source)
    return 0 if imported.checks else 1


def _name(option: str, name: str) -> None:
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError:
        raise InputError(
            f"{option} {safe(name)}: is no name of a fleet file",
            hint="letters, digits, '.', '_' and '-', at most 63, the first a letter or a digit",
        ) from None


def _read(path: Path) -> bytes:
    try:
        # A device or a pipe may never end; four bytes are the most that one character takes.
        with path.open("rb") as file:
            return file.read(4 * MAX_CHARACTERS + 4)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file", hint="give the file of the other tool") from None
    except OSError as problem:
        raise InputError(
            f"{path}: cannot be read: {problem.strerror}",
            hint="give a file; look at its permissions with ls -l",
        ) from None


def _document(imported: Imported) -> dict[str, object]:
    return {
        "checks": {name: dict(check.keys) for name, check in imported.checks.items()},
        "left_out": [_remark(remark) for remark in imported.left_out],
        "changed": [_remark(remark) for remark in imported.changed],
    }


def _remark(remark: Remark) -> dict[str, object]:
    return {"file": remark.file, "line": remark.place.line, "what": remark.what, "why": remark.why}


def _tell(imported: Imported, source: str) -> None:
    # Terminals and editors take UTF-8, whatever the locale says.
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    print(written(imported), end="", flush=True)
    for title, remarks in (("left out", imported.left_out), ("asked in another way", imported.changed)):
        for remark in remarks[:MOST_TOLD]:
            print(f"{title}: {safe(remark.line())}", file=sys.stderr)
        if len(remarks) > MOST_TOLD:
            print(f"{title}: {len(remarks) - MOST_TOLD} more", file=sys.stderr)
    counts = f"{len(imported.checks)} checks, {len(imported.changed)} asked in another way, {len(imported.left_out)} left out"
    print(f"import: {counts}", file=sys.stderr)
    if imported.checks:
        print(f"  hint: {source} must be a vantage or a host of the fleet file", file=sys.stderr)
