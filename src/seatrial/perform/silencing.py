"""Silences of a host on trial, begun and ended on their servers, from a vantage. What is in: the Commands and their answers.

What is not: when (rollout/silenced.py). Both deeds look before and after; either may be done again. A silence of a trial
is known there by its author and by the name of the trial in its comment, so nothing has to be remembered to end it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from seatrial.checks.onhost import script
from seatrial.checks.reading import Said, Small, Words, clean, understood, why_not
from seatrial.model.command import Command
from seatrial.model.silence import AlertmanagerSilence, IcingaDowntime
from seatrial.perform.world import World

AUTHOR = "seatrial"
# A request may be followed by looks at what came of it.
MOST_REQUESTS = 8


class Told(Said):
    """What a script says of one silence."""

    error: Words = ""
    status: Small = 0
    id: Words = ""
    ends: Words = ""
    count: Small = 0


async def silence(world: World, host: str, trial: str, *, seconds: float) -> tuple[dict[str, Any], str, str]:
    """Silence what is declared for a host from now on for so many seconds: facts, and a problem with its hint ("" if none).

    The facts have `until`, the moment at which the first of them ends.
    """
    told = await _each(world, "silence", host, trial, seconds)
    ends = [end for one in told.values() if isinstance(one, Told) and (end := _moment(one.ends)) is not None]
    problem, hint = _problem(told)
    if not problem and len(ends) < len(told):
        problem, hint = "a server does not say when its silence ends", "it is asked again"
    until = min(ends).isoformat().replace("+00:00", "Z") if ends and not problem else None
    ids = {name: one.id for name, one in told.items() if isinstance(one, Told) and one.id}
    return {"until": until, "silences": ids}, problem, hint


async def unsilence(world: World, host: str, trial: str) -> tuple[str, str]:
    """End all silences of a trial: a problem with its hint, "" when none of them is left."""
    return _problem(await _each(world, "unsilence", host, trial, 0.0))


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
    except ValueError:
        return None


async def _each(
    world: World, verb: str, host: str, trial: str, seconds: float
) -> dict[str, Told | tuple[str, str]]:
    declared = world.fleet.silences_of(host)
    answers = await asyncio.gather(
        *(_one(world, verb, one, host, trial, seconds) for one in declared.values())
    )
    return dict(zip(declared, answers, strict=True))


async def _one(
    world: World, verb: str, one: AlertmanagerSilence | IcingaDowntime, host: str, trial: str, seconds: float
) -> Told | tuple[str, str]:
    place = one.source_vantage
    (output,) = await world.ask(place, command(verb, one, host, trial, seconds))
    if why := why_not(output, place):
        return why
    said = understood(Told, output, place)
    if isinstance(said, str):
        return said, ""
    if said.error or said.status != 200:
        return f"{one.url}: {said.error or f'HTTP {said.status}'}", _hint(one, said)
    return said


def command(
    verb: str, one: AlertmanagerSilence | IcingaDowntime, host: str, trial: str, seconds: float
) -> Command:
    """What is run on the vantage; of a secret only the name of its file travels."""
    spec: dict[str, Any] = {
        "url": one.url,
        "ca_file": one.ca_file,
        "timeout": one.timeout,
        "author": AUTHOR,
        "comment": f"seatrial: {trial} is on trial",
        "seconds": seconds,
    }
    if isinstance(one, AlertmanagerSilence):
        matchers = [
            {"name": m.label, "value": m.value, "isRegex": "~" in m.sign, "isEqual": "!" not in m.sign}
            for m in one.silenced(host)
        ]
        spec |= {"token_file": one.token_file, "silenced": matchers}
    else:
        spec |= {"user": one.user, "password_file": one.password_file, "host": one.called(host)}
        spec |= {"whole": one.whole, "services": list(one.services)}
    name = "alertmanager" if isinstance(one, AlertmanagerSilence) else "icinga"
    return Command(
        name=f"{name}.{verb}",
        argv=("python3", "-", verb, json.dumps(spec, separators=(",", ":"))),
        stdin=script(name),
        safe=False,
        timeout=MOST_REQUESTS * one.timeout + 10.0,
        package="python3",
    )


def _problem(told: Mapping[str, Told | tuple[str, str]]) -> tuple[str, str]:
    wrong = {name: one for name, one in told.items() if isinstance(one, tuple)}
    because = "; ".join(f"{name}: {clean(why)}" for name, (why, _) in wrong.items())
    return because, next((hint for _, hint in wrong.values() if hint), "")


def _hint(one: AlertmanagerSilence | IcingaDowntime, said: Told) -> str:
    if said.status in (401, 403):
        what = one.token_file if isinstance(one, AlertmanagerSilence) else one.password_file
        return f"look at {what or 'token_file'}, and at what it may do there"
    if isinstance(one, IcingaDowntime) and said.status in (404, 500):
        return "look whether the host and its services are called so there (`hosts`, `services`)"
    return f"look whether {one.url} is reached from {one.source_vantage}"
