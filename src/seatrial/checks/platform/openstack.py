"""Do OpenStack's own lists say that servers, agents or services are as they should be? What is not in: changing any."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from seatrial.checks.asked import made, unknown
from seatrial.checks.platform.library import Told, library_command, no_list
from seatrial.checks.reading import Said, Words, clean, understood, why_not
from seatrial.model.check.platform import OpenstackCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result

MOST_TOLD = 5
MOST_SHOWN = 50
FINE = {"agents": ("alive",), "services": ("up",)}


class Row(Said):
    """A server, an agent or a service. `off` is one that somebody switched off on purpose."""

    name: Words
    host: Words
    state: Words
    other_host: Words = ""
    off: bool = False
    why: Words = ""


class Rows(Told):
    """The list of them."""

    rows: list[Row] = Field(default_factory=list, max_length=20000)


def commands(check: OpenstackCheck) -> tuple[Command, ...]:
    """One list; what is wanted of it is picked out here."""
    spec = {
        "cloud": check.cloud,
        "ask": check.ask,
        "all_projects": check.all_projects,
        "clouds_file": check.clouds_file,
    }
    return (
        library_command(
            f"openstack.{check.ask}", "openstack_lists", spec, python=check.python, timeout=check.timeout
        ),
    )


def judge(name: str, check: OpenstackCheck, outputs: Sequence[Output]) -> Result:
    """PASS when all of them are fine and as many as wanted are there; one that is switched off on purpose is told of."""
    output = outputs[0] if outputs else None
    if why := why_not(output, check.source_vantage):
        return unknown(name, check, why)
    assert output is not None
    told = understood(Rows, output, check.source_vantage)
    if isinstance(told, str):
        return unknown(name, check, (told, ""))
    if why := no_list(told, check.source_vantage, f"cloud {check.cloud}", "python3-openstacksdk"):
        return unknown(name, check, why)
    looked_at = [one for one in told.rows if _meant(check, one)]
    off = [one for one in looked_at if one.off]
    fine = check.states if check.ask == "servers" else FINE[check.ask]
    bad = [one for one in looked_at if not one.off and one.state not in fine]
    there = {one.name for one in looked_at}
    wrong = [f"there is no server {clean(one)}" for one in check.names if one not in there]
    wrong += [_sentence(one) for one in bad]
    many = len(looked_at) - len(off)
    if many < check.least:
        wrong.append(f"there are {many} {check.ask}, at least {check.least} are wanted")
    aside = f"; switched off: {', '.join(_called(one) for one in off[:MOST_TOLD])}" if off else ""
    evidence: dict[str, Any] = {
        "listed": len(told.rows),
        "looked_at": len(looked_at),
        "wrong": [clean(one) for one in wrong[:MOST_SHOWN]],
        "off": [_called(one) for one in off[:MOST_SHOWN]],
    }
    if not told.rows and check.least:
        hint = "the project may have none, or the login may see none of them"
        because = f"cloud {check.cloud} lists no {check.ask}"
        return made(name, check, Outcome.UNKNOWN, because, hint=hint, evidence=evidence)
    if wrong:
        more = f" and {len(wrong) - MOST_TOLD} more" if len(wrong) > MOST_TOLD else ""
        because = f"{'; '.join(wrong[:MOST_TOLD])}{more}{aside}"
        return made(name, check, Outcome.FAIL, because, seconds=told.seconds, evidence=evidence)
    because = f"{many} {check.ask} are {' or '.join(fine)}{aside}"
    return made(name, check, Outcome.PASS, because, seconds=told.seconds, evidence=evidence)


def _meant(check: OpenstackCheck, one: Row) -> bool:
    if check.names and one.name not in check.names:
        return False
    if check.host is not None and check.host not in (one.host, one.other_host):
        return False
    return check.binary is None or one.name == check.binary


def _called(one: Row) -> str:
    return f"{one.name} on {one.host}" if one.host else one.name


def _sentence(one: Row) -> str:
    return clean(
        f"{_called(one)} is {one.state or 'in no state'}" + (f" ({one.why})" if one.why else ""), 200
    )
