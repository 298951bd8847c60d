"""What is remembered of kernels, and what people say of them: reading it from the journal and writing it there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from seatrial.errors import InputError, Refused
from seatrial.journal.store import Journal
from seatrial.kernels.remembered import KINDS, KernelVerdict, remembered
from seatrial.kernels.sharing import Statement
from seatrial.model.event import Event, Kind
from seatrial.model.fleet import Fleet

Verdicts = dict[tuple[str, str], KernelVerdict]


def verdicts_of(journal: Journal) -> Verdicts:
    """All verdicts, one's own, marked and imported ones, each with the override that speaks of it."""
    return remembered(journal.read(kinds=KINDS))


def standing_against(
    verdicts: Verdicts, fleet: Fleet, kernel: str, host: str, now: datetime
) -> KernelVerdict | None:
    """The verdict that refuses a kernel on a host, None when there is none."""
    found = (verdicts.get((kernel, role)) for role in fleet.hosts[host].roles)
    return next((one for one in found if one is not None and one.refuses(now)), None)


def refusal(verdict: KernelVerdict) -> Refused:
    """The error of a rollout that it stands in the way of."""
    read = f"read it: seatrial report {verdict.rollout}; " if verdict.rollout and not verdict.source else ""
    return Refused(
        f"{verdict.kernel} is remembered as bad for role {verdict.role} ({verdict.origin}): {verdict.because}",
        hint=f"{read}try it this once all the same: --override 'why'; "
        f"or for longer: seatrial kernels override {verdict.kernel} --role {verdict.role} --why ... --until ...",
    )


def mark(journal: Journal, kernel: str, *, roles: Sequence[str], good: bool, by: str, because: str) -> Event:
    """A person's own verdict. Raises InputError without a reason."""
    _wants(because, "--why")
    data = {"kernel": kernel, "roles": list(roles), "good": good, "because": because}
    return journal.append(Kind.KERNEL_MARKED, rollout="", by=by, data=data)


def override(
    journal: Journal,
    kernel: str,
    *,
    roles: Sequence[str],
    by: str,
    why: str,
    until: datetime | None,
    now: datetime,
) -> Event:
    """Let a kernel be tried although it is remembered as bad, until a time; None takes an earlier override back.

    Raises InputError when there is nothing to override, without a reason, or with a time that has passed.
    """
    _wants(why, "--why")
    if until is not None and until <= now:
        raise InputError(
            f"{until:%Y-%m-%d %H:%M} UTC is over", hint="such as --until 7d, or a day that is to come"
        )
    known = [one for one in verdicts_of(journal).values() if one.kernel == kernel and not one.good]
    if not any(not roles or one.role in roles for one in known):
        raise InputError(
            f"{kernel} is not remembered as bad" + (f" for role {', '.join(roles)}" if roles else ""),
            hint="what is remembered: seatrial kernels",
        )
    ends = until.isoformat().replace("+00:00", "Z") if until else ""
    data = {"kernel": kernel, "roles": list(roles), "why": why, "until": ends}
    return journal.append(Kind.KERNEL_OVERRIDDEN, rollout="", by=by, data=data)


def take_in(
    journal: Journal, statement: Statement, *, signer: str, key: str, source: str, by: str
) -> tuple[int, int]:
    """Write down what another team has signed; says how many verdicts are bad and good ones.

    Raises Refused for a file that is in the journal already: it would say the same again with a new date.
    """
    stamp = statement.exported_at.isoformat()
    for event in journal.read(kinds=(Kind.KERNELS_IMPORTED,)):
        if (event.data["key"], event.data["exported_at"]) == (key, stamp):
            raise Refused(
                f"{source}: was imported already, by {event.by} on {event.at:%Y-%m-%d}",
                hint="see: seatrial kernels",
            )
    rows: list[Mapping[str, Any]] = list(statement.verdicts)
    data = {"signer": signer, "key": key, "source": source, "exported_at": stamp, "verdicts": rows}
    journal.append(Kind.KERNELS_IMPORTED, rollout="", by=by, data=data)
    bad = sum(not row["good"] for row in rows)
    return bad, len(rows) - bad


def _wants(reason: str, option: str) -> None:
    if not reason.strip():
        raise InputError("a reason is wanted, for whoever reads the journal later", hint=f"{option} 'why'")
