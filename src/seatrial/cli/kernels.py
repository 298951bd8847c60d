"""`seatrial kernels`: verdicts remembered, a person's own, overrides of them, and files of them that teams share."""

from __future__ import annotations

import asyncio
import re
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from seatrial.cli.examples import epilogue_of
from seatrial.cli.given import bytes_of
from seatrial.cli.options import Database, Json, Why, console, journal, person, print_json
from seatrial.clock import SystemClock
from seatrial.engine import memory
from seatrial.errors import InputError
from seatrial.kernels.remembered import KernelVerdict
from seatrial.kernels.sharing import (
    MOST_BYTES,
    NAMESPACE,
    envelope,
    open_envelope,
    read_statement,
    statement_text,
)
from seatrial.model.text import safe
from seatrial.perform import signatures

app = App(
    name="kernels",
    help="Verdicts remembered: which kernel is bad for which role.",
    help_epilogue=epilogue_of("kernels"),
)
_SPAN = re.compile(r"(\d{1,4})([hdw])")
_HOURS = {"h": 1, "d": 24, "w": 168}
_SIGNERS = Path("~/.config/seatrial/allowed_signers")

KernelName = Annotated[str, Parameter(help="the kernel, as `uname -r` calls it")]
Roles = Annotated[tuple[str, ...], Parameter(name="--role", negative="", help="the role; may be given again")]


@app.default
def kernels(*, database: Database = None, json: Json = False) -> int:
    """Which kernels are known to be good or bad, for which role, from which trial, file or person."""
    verdicts = memory.verdicts_of(journal(database))
    now = SystemClock().now()
    if json:
        rows = [{**asdict(one), "refuses": one.refuses(now)} for one in verdicts.values()]
        print_json({"kernels": rows})
        return 0
    if not verdicts:
        print("no trial has ended yet")
    for verdict in verdicts.values():
        _show(verdict, now)
    return 0


def _show(verdict: KernelVerdict, now: datetime) -> None:
    out = console()
    word = "[green]good[/]" if verdict.good else "[bold red]BAD [/]"
    where = f"{verdict.rollout} {verdict.host}" if not (verdict.source or verdict.by) else verdict.origin
    out.print(word, end=" ")
    out.print(
        f"{safe(verdict.kernel)} for role {safe(verdict.role)}   {safe(where)}   "
        f"{verdict.at:%Y-%m-%d %H:%M} UTC   {safe(verdict.because)}",
        markup=False,
    )
    hardware = verdict.record.get("hardware", {})
    package = str(verdict.record.get("package", ""))
    parts = [package, *(str(hardware.get(key) or "") for key in ("product", "cpu"))]
    if said := ", ".join(part for part in parts if part):
        out.print(f"     on {safe(said)}", markup=False)
    if (one := verdict.override) is not None and not verdict.good:
        state = "until" if one.holds(now) else "ended"
        out.print(
            f"     overridden by {safe(one.by)}, {state} {one.until:%Y-%m-%d %H:%M} UTC: {safe(one.why)}",
            markup=False,
        )


def mark(
    kernel: KernelName,
    /,
    *,
    role: Roles = (),
    why: Why = "",
    good: Annotated[bool, Parameter(negative="", help="it is good; otherwise it is bad")] = False,
    database: Database = None,
) -> int:
    """Remember KERNEL as bad (or good) for a role by a person's word; a bad one is refused from then on."""
    if not role:
        raise InputError(
            "a role is wanted: a kernel may be bad for one and good for another", hint="--role gateway"
        )
    memory.mark(journal(database), kernel, roles=role, good=good, by=person(), because=why)
    print(f"{safe(kernel)} is remembered as {'good' if good else 'bad'} for role {safe(', '.join(role))}")
    return 0


def override(
    kernel: KernelName,
    /,
    *,
    role: Roles = (),
    why: Why = "",
    until: Annotated[str, Parameter(help="a day (2026-12-24), a time in UTC, or from now: 12h, 7d, 2w")] = "",
    end: Annotated[bool, Parameter(negative="", help="take an earlier one back")] = False,
    database: Database = None,
) -> int:
    """Let KERNEL be tried until a time although it is remembered as bad; it ends by itself, or by --end."""
    now = SystemClock().now()
    if end == bool(until):
        raise InputError("one of --until and --end is wanted", hint="such as --until 7d")
    ends = None if end else _time(until, now)
    memory.override(journal(database), kernel, roles=role, by=person(), why=why, until=ends, now=now)
    told = "is refused again" if ends is None else f"may be tried until {ends:%Y-%m-%d %H:%M} UTC"
    print(f"{safe(kernel)} {told}")
    return 0


def export(
    file: Annotated[str, Parameter(help="where to write it")],
    /,
    *,
    key: Annotated[
        Path, Parameter(help="the SSH key that signs: a private one, or a public one of the agent")
    ],
    days: Annotated[int, Parameter(help="after how many days it is too old to be believed")] = 90,
    database: Database = None,
) -> int:
    """Write what was found on this platform to FILE, signed, for other teams. What was imported is left out."""
    if not 1 <= days <= 3650:
        raise InputError(f"--days {days}: from 1 to 3650 are possible", hint="such as --days 90")
    now = SystemClock().now()
    verdicts = [one for one in memory.verdicts_of(journal(database)).values() if not one.source]
    text = statement_text(verdicts, by=person(), now=now, expires=now + timedelta(days=days))
    signature = asyncio.run(signatures.sign(text, key=key.expanduser(), namespace=NAMESPACE))
    try:
        Path(file).write_text(envelope(text, signature), encoding="utf-8")
    except OSError as problem:
        raise InputError(
            f"{file}: cannot be written: {problem.strerror}", hint="name another place"
        ) from None
    count = len(verdicts)
    print(
        f"{file}: {count} verdict{'' if count == 1 else 's'}, believed until {now + timedelta(days=days):%Y-%m-%d}"
    )
    return 0


def take_in(
    file: Annotated[str, Parameter(help="what another team has exported")],
    /,
    *,
    signers: Annotated[
        Path, Parameter(help="the allowed signers, as ssh-keygen(1) describes them")
    ] = _SIGNERS,
    database: Database = None,
) -> int:
    """Take in verdicts of FILE when somebody signed it who is allowed to; what is bad there is refused here as well."""
    data = bytes_of(
        file,
        most=MOST_BYTES,
        what="give a file of `seatrial kernels export`",
        too_large="that is no file of verdicts",
    )
    text, signature = open_envelope(data, name=file)
    signer = asyncio.run(
        signatures.verify(text, signature, allowed=signers.expanduser(), namespace=NAMESPACE, name=file)
    )
    # Nothing of the text is looked at before its signature was.
    statement = read_statement(text, name=file, now=SystemClock().now())
    bad, good = memory.take_in(
        journal(database), statement, signer=signer.name, key=signer.key, source=Path(file).name, by=person()
    )
    print(
        f"{file}: signed by {safe(signer.name)} ({safe(signer.key)}): {bad} bad, {good} good; see: seatrial kernels"
    )
    return 0


def _time(text: str, now: datetime) -> datetime:
    if found := _SPAN.fullmatch(text):
        return now + timedelta(hours=int(found[1]) * _HOURS[found[2]])
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            f"{text!r} is no time", hint="such as 7d, 12h, 2026-12-24 or 2026-12-24T18:00"
        ) from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


for _verb, _name, _help in (
    ("mark", "mark", "Remember a kernel as bad, or good, by a person's word."),
    ("override", "override", "Let a kernel that is remembered as bad be tried until a time."),
    ("export", "export", "Write what was found on this platform to a file, signed."),
    ("take_in", "import", "Take in verdicts that somebody signed who is allowed to."),
):
    app.command(
        f"seatrial.cli.kernels:{_verb}", name=_name, help=_help, help_epilogue=epilogue_of(f"kernels {_name}")
    )
